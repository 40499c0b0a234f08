"""The layout of a CSV file: its delimiter, the lines before its header, the names of its columns."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from data.drafting.text_bytes import open_text
from data.errors import IntakeError

_DELIMITERS = ",;\t|"
_RECORDS_LOOKED_AT = 60
_MOST_BEFORE_HEADER = 20
_NO_NAME = re.compile(r"[-+]?\d+([.,]\d+)?|\d{4}-\d\d-\d\d.*|\d{1,2}[./]\d{1,2}[./]\d{2,4}.*|[^@\s]+@[^@\s]+\.\w+")
_SEPARATOR = re.compile(r"sep=(.)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """
    How a CSV file is laid out.

    Attributes:
        delimiter: between cells.
        skip_lines: before the header, a line ``sep=;`` not counted.
        separator_line: whether the first line only names the delimiter, as Excel writes it.
        names: of the columns, told apart where the file repeats one.
    """

    delimiter: str
    skip_lines: int
    separator_line: bool
    names: tuple[str, ...]


def csv_layout(path: Path, shown: str) -> CsvLayout:
    """
    Find the layout of a CSV file in UTF-8, also packed as ``.gz``.

    Raises:
        IntakeError: it is empty, or its first line does not name its columns.
    """
    with open_text(path) as text:
        lines = list(islice(text, _RECORDS_LOOKED_AT))
    told = _SEPARATOR.fullmatch(lines[0]) if lines else None
    lines = lines[1:] if told else lines
    if not any(line.strip() for line in lines):
        message = f"{shown} is empty: export it again, or leave it out."
        raise IntakeError(message)
    delimiter = told[1] if told else max(_DELIMITERS, key=lambda mark: _regularity(lines, mark))
    skipped, cells = _header(lines, delimiter)
    _require_names(cells, shown)
    return CsvLayout(delimiter, skipped, told is not None, told_apart(cells))


def told_apart(cells: Sequence[str]) -> tuple[str, ...]:
    """
    Return names of columns, each once: blank ones by their position, repeated ones with a number.

    >>> told_apart(["id", " ", "Id"])
    ('id', 'column 2', 'Id (2)')
    """
    taken: Counter[str] = Counter()
    names = []
    for position, cell in enumerate(cells, start=1):
        name = cell.strip() or f"column {position}"
        taken[name.lower()] += 1
        names.append(name if taken[name.lower()] == 1 else f"{name} ({taken[name.lower()]})")
    return tuple(names)


def _records(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return []


def _regularity(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    """Return how well a delimiter cuts lines into records of one width: their share, then the width."""
    widths = Counter(len(record) for record in _records(lines, delimiter) if record)
    if not widths:
        return 0, 0
    width, times = max(widths.items(), key=lambda item: (item[0] > 1, item[1], item[0]))
    return (times / widths.total() if width > 1 else 0), width


def _header(lines: Sequence[str], delimiter: str) -> tuple[int, list[str]]:
    """Return how many lines stand before the header, and its cells: it is as wide as the records after it."""
    records = _records(lines, delimiter)
    width = Counter(len(record) for record in records[1:] or records if record).most_common(1)[0][0]
    for number, record in enumerate(records[:_MOST_BEFORE_HEADER]):
        if len(record) >= width and sum(1 for cell in record if cell.strip()) > len(record) / 2:
            return number, record
    return 0, records[0]


def _require_names(cells: Sequence[str], shown: str) -> None:
    values = [cell for cell in cells if _NO_NAME.fullmatch(cell.strip())]
    if values:
        message = (
            f"{shown} has no header: its first line holds {values[0]!r}, and names of columns were expected. "
            "Add a first line that names them."
        )
        raise IntakeError(message)
