"""The names of a person: every id, in all the ways in which files may spell it."""

import json
import re
from collections.abc import Collection
from html import escape
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.atomic_files import write_whole

PLACEHOLDER = "(erased)"
_JSON_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_DISTINCTIVE, _LONG = 4, 12


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
        self.spellings = frozenset(form for lead_id in self._ids for form in _spellings(lead_id))
        distinctive = [form for form in self.spellings if _is_distinctive(form)]
        self._alone = re.compile(rf"(?<![\w-])(?:{_any(distinctive)})(?![\w-])") if distinctive else None
        self._element = re.compile(rf">(?:{_any(self.spellings)})<")

    def appear_in(self, place: Path) -> bool:
        """Return whether a file, or any file of a folder, names the person."""
        if place.is_dir():
            return any(self.appear_in(path) for path in sorted(place.rglob("*")) if path.is_file())
        if place.suffix == ".parquet":
            return self._appear_in_table(place)
        text = _text(place)
        return self._without(text, place.suffix) != text

    def remove_from(self, path: Path) -> None:
        """Rewrite a text without the person."""
        write_whole(path, self._without(_text(path), path.suffix).encode("utf-8", "surrogateescape"))

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
        return any(pc.any(pc.match_substring(texts, form)).as_py() for form in sorted(self.spellings))

    def _without(self, text: str, suffix: str) -> str:
        if suffix in {".json", ".jsonl"}:
            return _JSON_STRING.sub(self._unquoted, text)
        text = self._element.sub(f">{PLACEHOLDER}<", text)
        return text if self._alone is None else self._alone.sub(PLACEHOLDER, text)

    def _unquoted(self, match: re.Match[str]) -> str:
        text = match.group(1)
        if text in self.spellings:
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
