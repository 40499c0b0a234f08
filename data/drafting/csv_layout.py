"""The layout of a CSV file: its delimiter, and the lines before its header."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from data.drafting.text_bytes import opened_text
from data.errors import IntakeError
from data.files.csv_file import DELIMITERS

_RARE = "^~"
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
    """

    delimiter: str
    skip_lines: int


def csv_layout(path: Path, encoding: str | None, shown: str) -> CsvLayout:
    """
    Find the layout of a CSV file, packed or not.

    Raises:
        IntakeError: it is empty, or its first line does not name its columns.
    """
    with opened_text(path, encoding) as text:
        lines = list(islice(text, _RECORDS_LOOKED_AT))
    told = _SEPARATOR.fullmatch(lines[0]) if lines else None
    lines = lines[1:] if told else lines
    if not any(line.strip() for line in lines):
        message = f"{shown} is empty: export it again, or leave it out."
        raise IntakeError(message)
    delimiter = told[1] if told else max(DELIMITERS + _RARE, key=lambda mark: _regularity(lines, mark))
    records = _records(lines, delimiter)
    skipped, cells = header_of(records)
    if _values(cells):  # rows may be wider than the header, by empty cells
        skipped, cells = header_of([_filled(record) for record in records])
    _require_names(cells, shown)
    return CsvLayout(delimiter, skipped)


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


def _filled(record: Sequence[str]) -> list[str]:
    """Return a record up to its last cell that is not empty."""
    return list(record[: max((place for place, cell in enumerate(record, start=1) if cell.strip()), default=0)])


def header_of(records: Sequence[list[str]]) -> tuple[int, list[str]]:
    """Return how many records stand before the header, and its cells: it is as wide as the records after it."""
    width = Counter(len(record) for record in records[1:] or records if record).most_common(1)[0][0]
    for number, record in enumerate(records[:_MOST_BEFORE_HEADER]):
        if len(record) >= width and sum(1 for cell in record if cell.strip()) > len(record) / 2:
            return number, record
    return 0, records[0]


def _values(cells: Sequence[str]) -> list[str]:
    """Return the cells that hold values, such as numbers, which name no column."""
    return [cell for cell in cells if _NO_NAME.fullmatch(cell.strip())]


def _require_names(cells: Sequence[str], shown: str) -> None:
    values = _values(cells)
    if values:
        message = (
            f"{shown} has no header: its first line holds {values[0]!r}, and names of columns were expected. "
            "Add a first line that names them."
        )
        raise IntakeError(message)
