"""The records of a JSON document or of JSON lines, nested objects made flat: ``properties.email`` is a column."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from data.drafting.text_bytes import PlainText, open_text

_LOOKED_AT = 2_000
_MOST_COLUMNS = 1_000


@dataclass(frozen=True, slots=True)
class JsonRecords:
    """
    Records as JSON lines.

    Attributes:
        path: the file of lines.
        names: of the columns.
        is_lines: whether the export itself holds lines.
        records: the name under which a document holds its list, if it does.
    """

    path: Path
    names: tuple[str, ...]
    is_lines: bool
    records: str | None = None


def json_records(text: PlainText, scratch: Path) -> JsonRecords:
    """
    Find the records of a JSON file.

    Args:
        text: JSON lines, a list, or an object that holds a list.
        scratch: folder for a copy as flat lines, where the file is no such.

    Raises:
        ValueError: it is not JSON, or holds no list of objects.
    """
    with open_text(text.path) as lines:
        head = _objects(islice(lines, _LOOKED_AT))
    if head is None or len(head) == 1:
        return _document(text, scratch)
    if any(isinstance(value, dict) for record in head for value in record.values()):
        with open_text(text.path) as lines:
            path = _write_lines(map(_object, lines), scratch)
        return JsonRecords(path, _names(map(flat, head)), is_lines=True)
    return JsonRecords(text.path, _names(head), is_lines=True)


def flat(record: Any) -> dict[str, Any]:
    """
    Return a record with the values of nested objects under names with points.

    >>> flat({"id": 1, "properties": {"email": "a@b.de"}})
    {'id': 1, 'properties.email': 'a@b.de'}
    """
    values: dict[str, Any] = {}
    for name, value in record.items() if isinstance(record, dict) else ():
        if isinstance(value, dict):
            values |= {f"{name}.{inner}": each for inner, each in flat(value).items()}
        else:
            values[name] = value
    return values


def _objects(lines: Iterable[str]) -> list[dict[str, Any]] | None:
    """Return the objects of some lines; None where they are not JSON lines."""
    objects = [_object(line) for line in lines if line.strip()]
    found = [each for each in objects if isinstance(each, dict)]
    return found if len(found) > len(objects) / 2 else None


def _object(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _names(records: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    names = dict.fromkeys(name for record in records for name in record if name and name.isprintable())
    return tuple(islice(names, _MOST_COLUMNS))


def _document(text: PlainText, scratch: Path) -> JsonRecords:
    with open_text(text.path) as file:
        content = json.load(file)
    place, records = _list_in(content)
    path = _write_lines(records, scratch)
    return JsonRecords(path, _names(map(flat, islice(records, _LOOKED_AT))), is_lines=False, records=place)


def _list_in(content: Any) -> tuple[str | None, list[Any]]:
    if isinstance(content, list):
        return None, content
    lists = (
        {name: each for name, each in content.items() if isinstance(each, list)} if isinstance(content, dict) else {}
    )
    if not lists:
        return None, [content]
    name = max(lists, key=lambda each: len(lists[each]))
    return name, lists[name]


def _write_lines(records: Iterable[Any], scratch: Path) -> Path:
    path = scratch / f"{len(list(scratch.iterdir()))}.jsonl"
    with path.open("w", encoding="utf-8") as target:
        target.writelines(_lines(records))
    return path


def _lines(records: Iterable[Any]) -> Iterator[str]:
    return (json.dumps(flat(record)) + "\n" for record in records if isinstance(record, dict))
