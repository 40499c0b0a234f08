"""
Files of a lead: what names the lead in files that were made on this machine.

Tables and training sets are caches: those that hold the lead are deleted, and made again from their source when they
are next needed. Reports and other texts that name it are rewritten with ``(erased)`` in its place. Everything else
that names it is listed, so that somebody takes care of it.
"""

import json
import os
import re
import shutil
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.atomic_files import write_whole
from data.home import Home

PLACEHOLDER = "(erased)"
_TEXTS = {".json", ".jsonl", ".html", ".md", ".csv", ".svg", ".txt", ".yaml", ".yml"}
_SKIPPED = {".py", ".png"}
_BUNDLE = "trees.json"
_JSON_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ABANDONED_S = 3600
_DISTINCTIVE, _LONG = 4, 12


@dataclass(frozen=True, slots=True)
class LeadFiles:
    """
    What became of the files that held a lead.

    Attributes:
        deleted: caches, which are made again from their source.
        rewritten: texts, with ``(erased)`` in place of the lead's id.
        left: files that name it, or may, and were not changed.
    """

    deleted: tuple[str, ...]
    rewritten: tuple[str, ...]
    left: tuple[str, ...]


def erase_from_files(home: Home, name: str, person: Collection[str]) -> LeadFiles:
    """
    Erase a person from what was made of a playbook's history on this machine.

    Args:
        home: where local tables and models are.
        name: the playbook's name.
        person: every id of the person.
    """
    names = LeadNames(person)
    deleted, rewritten, left = list[Path](), list[Path](), list[Path]()
    for place in _caches(home.tables(name)):
        if place.name.startswith(".") and not _is_abandoned(place):
            left.append(place)
        elif place.name.startswith(".") or names.appear_in(place):
            _delete(place)
            deleted.append(place)
    for path in _files(home.models(name), home.registry):
        if names.appear_in(path):
            (rewritten if names.remove_from(path) else left).append(path)
    return LeadFiles(*(tuple(str(path) for path in paths) for paths in (deleted, rewritten, left)))


def _caches(tables: Path) -> list[Path]:
    """Return the caches: imported tables, rejected rows, training sets, and drafts of these."""
    folders = [folder for folder in (tables, tables / "training") if folder.is_dir()]
    paths = [path for folder in folders for path in sorted(folder.iterdir()) if path.name != "training"]
    return [path for path in paths if path.is_dir() or path.suffix == ".parquet"]


def _is_abandoned(place: Path) -> bool:
    """Return whether the process that was making this has given up: for an hour it wrote nothing."""
    newest = max((path.lstat().st_mtime for path in (place, *place.rglob("*"))), default=0)
    return newest < time.time() - _ABANDONED_S


def _delete(place: Path) -> None:
    """Delete a file, or a folder in one step, so that nobody finds half of it."""
    if not place.is_dir():
        place.unlink()
        return
    aside = place.with_name(f".erased-{os.getpid()}-{place.name}")
    place.rename(aside)
    shutil.rmtree(aside)


def _files(*folders: Path) -> Iterator[Path]:
    """Yield each file below these folders once."""
    paths = {path.resolve() for folder in folders if folder.is_dir() for path in folder.rglob("*") if path.is_file()}
    return (path for path in sorted(paths) if path.suffix not in _SKIPPED)


class LeadNames:
    """
    The ids of a person, in all the ways in which files may spell them.

    An id that might as well be a number or a word only counts where it stands alone: as a whole JSON string, or as the
    only content of an HTML element.

    Args:
        person: the ids.
    """

    def __init__(self, person: Collection[str]) -> None:
        self._ids = sorted(person)
        spelled = [form for lead_id in self._ids for form in _spellings(lead_id)]
        distinctive = [form for form in spelled if _is_distinctive(form)]
        self._whole = set(spelled)
        self._alone = re.compile(rf"(?<![\w-])(?:{_any(distinctive)})(?![\w-])") if distinctive else None
        self._element = re.compile(rf">(?:{_any(spelled)})<")

    def appear_in(self, place: Path) -> bool:
        """Return whether a file, or any file of a folder, names the person."""
        if place.is_dir():
            return any(self.appear_in(path) for path in sorted(place.rglob("*")) if path.is_file())
        if place.suffix == ".parquet":
            return self._appear_in_table(place)
        text = _text(place)
        return self._without(text, place.suffix) != text

    def remove_from(self, path: Path) -> bool:
        """Rewrite a text without the person; bundles, whose hashes must hold, and databases stay as they are."""
        if path.suffix not in _TEXTS or (path.parent / _BUNDLE).exists():
            return False
        write_whole(path, self._without(_text(path), path.suffix).encode("utf-8", "surrogateescape"))
        return True

    def _appear_in_table(self, path: Path) -> bool:
        with pq.ParquetFile(path) as file:
            texts = [field.name for field in file.schema_arrow if _is_text(field.type)]
            columns = ["lead_id"] if "lead_id" in texts else texts
            return any(
                self._appear_in_column(name, batch.column(name).cast(pa.string()))
                for batch in file.iter_batches(columns=columns)
                for name in columns
            )

    def _appear_in_column(self, name: str, texts: pa.Array) -> bool:
        if name == "lead_id":
            return bool(pc.any(pc.is_in(texts, value_set=pa.array(self._ids, pa.string()))).as_py())
        # Rejected rows hold whole rows as JSON; deleting one too many does no harm.
        return any(pc.any(pc.match_substring(texts, form)).as_py() for form in sorted(self._whole))

    def _without(self, text: str, suffix: str) -> str:
        if suffix in {".json", ".jsonl"}:
            return _JSON_STRING.sub(self._unquoted, text)
        text = self._element.sub(f">{PLACEHOLDER}<", text)
        return text if self._alone is None else self._alone.sub(PLACEHOLDER, text)

    def _unquoted(self, match: re.Match[str]) -> str:
        text = match.group(1)
        if text in self._whole:
            return f'"{PLACEHOLDER}"'
        return match.group(0) if self._alone is None else f'"{self._alone.sub(PLACEHOLDER, text)}"'


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


def _spellings(lead_id: str) -> set[str]:
    """
    Return the ways in which an id is spelled: as it is, in JSON, in HTML.

    >>> sorted(_spellings("a&b"))
    ['a&amp;b', 'a&b']
    """
    return {lead_id, json.dumps(lead_id)[1:-1], json.dumps(lead_id, ensure_ascii=False)[1:-1], escape(lead_id)}


def _is_distinctive(spelled: str) -> bool:
    """
    Return whether a text can hardly be anything but an id.

    >>> [_is_distinctive(text) for text in ("L000017", "ann@example.com", "350", "call", "L-1")]
    [True, True, False, False, False]
    """
    mixed = any(sign.isdigit() for sign in spelled) and any(sign.isalpha() for sign in spelled)
    return (mixed and len(spelled) >= _DISTINCTIVE) or "@" in spelled or len(spelled) >= _LONG


def _any(forms: Collection[str]) -> str:
    return "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
