"""
Tables that leadscore made of a history, told from whatever else lies beside them.

A cache is an import, a training set, the rows that an import rejected, or the drafts of one of these. The first two are
folders named by a hash, with a manifest that repeats it and names the files with their sizes; rejected rows are a file
named by such a hash, with columns of its own; drafts hold a mark. Whatever differs is not leadscore's to delete.
"""

import contextlib
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data.atomic_files import DRAFT_MARK, holds_drafts
from data.errors import DataError

REJECTED_SUFFIX = ".rejected.parquet"
REJECTED_COLUMNS = ("source", "file", "row", "holds", "rules", "reasons", "original")
TRAINING_SETS = "training"
"""The folder of training sets beside the imports."""
_MANIFEST = "manifest.json"
_IMPORT = {"fingerprint", "cutoff_us", "rows", "files", "quality"}
_TRAINING_SET = {"key", "format", "rows_sha256", "catalog_fingerprint", "bytes"}
_TABLES = {"leads.parquet", "activities.parquet", "outcomes.parquet", "rows.parquet", "catalog.json"}
_HASH, _SHORT = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{16}")
_SPILLED = re.compile(r"duckdb_temp_[\w.-]+")
_STAGED = re.compile(
    r"staging\.duckdb(\.wal)?|events/\d+\.events/[\w.-]+\.parquet|(new/|old/)?spill/duckdb_temp_[\w.-]+"
    r"|(new/|old/)?(leads|activities|outcomes|rows)\.parquet|(new|old)/(catalog|manifest)\.json"
)
_ABANDONED_S = 3600


@dataclass(frozen=True, slots=True)
class TableCache:
    """
    Tables that leadscore made, and makes again from their source when they are needed.

    Attributes:
        place: the file or the folder.
        files: what leadscore wrote there; a manifest or a mark comes last, so that it outlives the others.
    """

    place: Path
    files: tuple[Path, ...]

    @property
    def is_draft(self) -> bool:
        """Whether it was never finished, or still is being written."""
        return self.place.is_dir() and self.files[-1].name == DRAFT_MARK

    @property
    def is_abandoned(self) -> bool:
        """Whether the process that was writing it has given up: for an hour it wrote nothing."""
        newest = max((path.lstat().st_mtime for path in (self.place, *self.place.rglob("*"))), default=0)
        return newest < time.time() - _ABANDONED_S

    def delete(self) -> None:
        """
        Delete these files, and the folders that are empty then; anything else in them stays.

        Raises:
            OSError: a file cannot be deleted.
        """
        for path in self.files:
            path.unlink(missing_ok=True)
        folders = {parent for path in self.files for parent in path.parents if parent.is_relative_to(self.place)}
        for folder in sorted(folders, key=lambda each: len(each.parts), reverse=True):
            if folder.is_dir():
                with contextlib.suppress(OSError):  # somebody put something there
                    folder.rmdir()


def caches_in(tables: Path) -> list[TableCache]:
    """
    Return the caches in a playbook's folder of tables.

    Args:
        tables: the folder; what lies deeper than beside imports or beside training sets is nobody's cache.
    """
    folders = [tables, tables / TRAINING_SETS]
    places = [path for folder in folders if is_own_folder(folder, tables) for path in sorted(folder.iterdir())]
    return [cache for place in places if (cache := _cache_at(place)) is not None]


def is_own_folder(folder: Path, tables: Path) -> bool:
    """Return whether a folder is there, and is no link, unless the folder of tables itself is one."""
    return folder.is_dir() and (folder == tables or not folder.is_symlink())


def is_rejects(path: Path) -> bool:
    """Return whether an import wrote a file of rejected rows: by its name and its columns."""
    named = path.name.removesuffix(REJECTED_SUFFIX)
    if named == path.name or not _SHORT.fullmatch(named) or path.is_symlink() or not path.is_file():
        return False
    try:
        return tuple(pq.read_schema(path).names) == REJECTED_COLUMNS
    except (OSError, pa.ArrowException):
        return False


def require_own_rejects(path: Path) -> None:
    """
    Check that writing rejected rows to a file loses nothing.

    Raises:
        DataError: something else stands there.
    """
    if os.path.lexists(path) and not is_rejects(path):
        message = f"{path} is not a file of rejected rows, but these are to be written there: move it away."
        raise DataError(message)


def _cache_at(place: Path) -> TableCache | None:
    if is_rejects(place):
        return TableCache(place, (place,))
    if place.is_symlink() or not place.is_dir():
        return None
    if holds_drafts(place):
        return TableCache(place, (*_matching(place, _STAGED), place / DRAFT_MARK))
    sizes = _sizes_in_manifest(place)
    if sizes is None:
        return None
    named = [place / name for name in sorted(sizes) if os.path.lexists(place / name)]
    if not all(_has_size(path, sizes[path.name]) for path in named):
        return None
    spilled = [place / "spill" / path.name for path in _matching(place / "spill", _SPILLED)]
    return TableCache(place, (*named, *spilled, place / _MANIFEST))


def _sizes_in_manifest(place: Path) -> Mapping[str, int] | None:
    """Return the sizes of the files that a cache's manifest names; None if the folder is no cache."""
    manifest = _manifest_of(place)
    if manifest is None:
        return None
    if manifest.keys() >= _IMPORT:
        digest, sizes = manifest["fingerprint"], manifest["files"]
    elif manifest.keys() >= _TRAINING_SET:
        digest, sizes = manifest["key"], manifest["bytes"]
    else:
        return None
    is_named = isinstance(digest, str) and _HASH.fullmatch(digest) and digest[:16] == place.name
    is_whole = isinstance(sizes, dict) and sizes.keys() <= _TABLES
    return sizes if is_named and is_whole else None


def _manifest_of(place: Path) -> dict[str, Any] | None:
    path = place / _MANIFEST
    if path.is_symlink() or not path.is_file():
        return None
    try:
        manifest = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return manifest if isinstance(manifest, dict) else None


def _has_size(path: Path, size: object) -> bool:
    return path.is_file() and not path.is_symlink() and path.stat().st_size == size


def _matching(folder: Path, names: re.Pattern[str]) -> Iterator[Path]:
    """Yield the files below a folder whose path in it matches; links are not followed."""
    if folder.is_symlink():
        return
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        is_linked = any((folder / part).is_symlink() for part in (inside, *inside.parents))
        if names.fullmatch(inside.as_posix()) and path.is_file() and not is_linked:
            yield path
