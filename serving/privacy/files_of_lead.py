"""
Traces: what of a lead stands in files that were made from it, on this machine.

Tables and training sets are caches: those that hold the lead are deleted, and made anew from their source when they are
next needed. Reports and other texts that name it are written anew with ``(erased)`` in its place. What can be neither
is named, so that somebody sees to it.
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

from data.home import Home

PUT_IN = "(erased)"
_TEXTS = {".json", ".jsonl", ".html", ".md", ".csv", ".svg", ".txt", ".yaml", ".yml"}
_PASSED_OVER = {".py", ".png"}
_BUNDLE = "trees.json"
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ABANDONED_S = 3600
_TELLING, _LONG = 4, 12


@dataclass(frozen=True, slots=True)
class LeadFiles:
    """
    What became of the files that held a lead.

    Attributes:
        deleted: caches; they are made anew from their source.
        rewritten: texts, with ``(erased)`` in place of the lead's id.
        left: files that name it, or may, and that are not changed from here.
    """

    deleted: tuple[str, ...]
    rewritten: tuple[str, ...]
    left: tuple[str, ...]


def erase_from_files(home: Home, name: str, person: Collection[str]) -> LeadFiles:
    """
    Take a person out of what was made of a playbook's history on this machine.

    Args:
        home: where local tables and models stand.
        name: of the playbook.
        person: every id of the person.
    """
    who = LeadNames(person)
    deleted, rewritten, left = list[Path](), list[Path](), list[Path]()
    for place in _caches(home.tables(name)):
        if place.name.startswith(".") and not _is_abandoned(place):
            left.append(place)
        elif place.name.startswith(".") or who.stand_in(place):
            _delete(place)
            deleted.append(place)
    for path in _files(home.models(name), home.registry):
        if who.stand_in(path):
            (rewritten if who.taken_out_of(path) else left).append(path)
    return LeadFiles(*(tuple(str(path) for path in paths) for paths in (deleted, rewritten, left)))


def _caches(tables: Path) -> list[Path]:
    """Give what can be made anew: imported tables, rejected rows, training sets, and what is being made of these."""
    folders = [folder for folder in (tables, tables / "training") if folder.is_dir()]
    found = [path for folder in folders for path in sorted(folder.iterdir()) if path.name != "training"]
    return [path for path in found if path.is_dir() or path.suffix == ".parquet"]


def _is_abandoned(place: Path) -> bool:
    """Say whether whoever was making this has given up: for an hour nothing was written to it."""
    newest = max((path.lstat().st_mtime for path in (place, *place.rglob("*"))), default=0)
    return newest < time.time() - _ABANDONED_S


def _delete(place: Path) -> None:
    """Delete a file, or a folder in one step, so that nobody ever finds half of it."""
    if not place.is_dir():
        place.unlink()
        return
    aside = place.with_name(f".erased-{os.getpid()}-{place.name}")
    place.rename(aside)
    shutil.rmtree(aside)


def _files(*folders: Path) -> Iterator[Path]:
    """Give each file below these folders once."""
    found = {path.resolve() for folder in folders if folder.is_dir() for path in folder.rglob("*") if path.is_file()}
    return (path for path in sorted(found) if path.suffix not in _PASSED_OVER)


class LeadNames:
    """
    The ids of a person, as they may be written in files.

    An id that could as well be a number or a word is only looked for where it stands alone: as a whole text of JSON, or
    as all that an element of HTML holds.

    Args:
        person: the ids.
    """

    def __init__(self, person: Collection[str]) -> None:
        self._ids = sorted(person)
        spelled = [form for one in self._ids for form in _spellings(one)]
        telling = [form for form in spelled if _is_telling(form)]
        self._whole = set(spelled)
        self._alone = re.compile(rf"(?<![\w-])(?:{_any(telling)})(?![\w-])") if telling else None
        self._element = re.compile(rf">(?:{_any(spelled)})<")

    def stand_in(self, place: Path) -> bool:
        """Say whether a file, or one of a folder, names the person."""
        if place.is_dir():
            return any(self.stand_in(path) for path in sorted(place.rglob("*")) if path.is_file())
        if place.suffix == ".parquet":
            return self._stand_in_table(place)
        text = _text(place)
        return self._without(text, place.suffix) != text

    def taken_out_of(self, path: Path) -> bool:
        """Write a text anew without the person; a bundle, whose hashes must hold, or a database stays as it is."""
        if path.suffix not in _TEXTS or (path.parent / _BUNDLE).exists():
            return False
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_bytes(self._without(_text(path), path.suffix).encode("utf-8", "surrogateescape"))
        draft.replace(path)
        return True

    def _stand_in_table(self, path: Path) -> bool:
        with pq.ParquetFile(path) as file:
            texts = [field.name for field in file.schema_arrow if _is_text(field.type)]
            columns = ["lead_id"] if "lead_id" in texts else texts
            return any(
                self._stand_in_column(name, batch.column(name).cast(pa.string()))
                for batch in file.iter_batches(columns=columns)
                for name in columns
            )

    def _stand_in_column(self, name: str, texts: pa.Array) -> bool:
        if name == "lead_id":
            return bool(pc.any(pc.is_in(texts, value_set=pa.array(self._ids, pa.string()))).as_py())
        # Rejected rows hold whole rows as JSON; one too many that is deleted does no harm.
        return any(pc.any(pc.match_substring(texts, form)).as_py() for form in sorted(self._whole))

    def _without(self, text: str, suffix: str) -> str:
        if suffix in {".json", ".jsonl"}:
            return _QUOTED.sub(self._unquoted, text)
        text = self._element.sub(f">{PUT_IN}<", text)
        return text if self._alone is None else self._alone.sub(PUT_IN, text)

    def _unquoted(self, found: re.Match[str]) -> str:
        said = found.group(1)
        if said in self._whole:
            return f'"{PUT_IN}"'
        return found.group(0) if self._alone is None else f'"{self._alone.sub(PUT_IN, said)}"'


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


def _spellings(lead_id: str) -> set[str]:
    """
    Give the ways in which an id is written: as it is, in JSON, in HTML.

    >>> sorted(_spellings("a&b"))
    ['a&amp;b', 'a&b']
    """
    return {lead_id, json.dumps(lead_id)[1:-1], json.dumps(lead_id, ensure_ascii=False)[1:-1], escape(lead_id)}


def _is_telling(spelled: str) -> bool:
    """
    Say whether text can hardly be anything else than an id.

    >>> [_is_telling(text) for text in ("L000017", "ann@example.com", "350", "call", "L-1")]
    [True, True, False, False, False]
    """
    mixed = any(sign.isdigit() for sign in spelled) and any(sign.isalpha() for sign in spelled)
    return (mixed and len(spelled) >= _TELLING) or "@" in spelled or len(spelled) >= _LONG


def _any(forms: Collection[str]) -> str:
    return "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
