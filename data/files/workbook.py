"""A sheet of an Excel workbook, opened: numbers, dates and texts as Excel keeps them, not as it shows them."""

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from data.errors import IntakeError
from data.files.csv_file import unique_names
from data.files.export_file import ExportFile, ImportTools
from data.sql import literal
from data.words.writing import FileWriting

Cell = int | float | str | bool | time | date | datetime | timedelta
_WHOLE = 2**53
_LOOKED_AT = 60


def open_workbook(path: Path, *, shown: str, writing: FileWriting, tools: ImportTools) -> ExportFile:
    """
    Open a sheet of a workbook.

    Args:
        path: the workbook.
        shown: its name in reports.
        writing: which sheet, and the lines around its table.
        tools: where its cells are kept as Parquet.

    Raises:
        IntakeError: it cannot be read, has several sheets of which the playbook names none, or has no header.
    """
    with _opened(path, shown) as book:
        sheet = book.get_sheet_by_name(_sheet(book.sheet_names, writing.sheet, shown))
        rows = sheet.to_python(skip_empty_area=False)
    return _table(rows, shown=shown, writing=writing, tools=tools)


def sheet_names(path: Path, shown: str) -> list[str]:
    """
    Return the names of a workbook's sheets.

    Raises:
        IntakeError: it cannot be read, has macros, or is locked.
    """
    with _opened(path, shown) as book:
        return list(book.sheet_names)


def leading_rows(path: Path, shown: str, sheet: str | None) -> list[list[str]]:
    """
    Return the first rows of a sheet as text, empty cells at their ends left out.

    Raises:
        IntakeError: it cannot be read, has macros, or is locked, or has no such sheet.
    """
    with _opened(path, shown) as book:
        page = book.get_sheet_by_name(_sheet(book.sheet_names, sheet, shown))
        rows = page.to_python(skip_empty_area=False, nrows=_LOOKED_AT)
    texts = [[_text(cell) for cell in cells] for cells in rows]
    widths = [max((place for place, text in enumerate(row, start=1) if text), default=0) for row in texts]
    return [row[:width] for row, width in zip(texts, widths, strict=True)]


@contextmanager
def _opened(path: Path, shown: str) -> Iterator[CalamineWorkbook]:
    if path.suffix.lower() == ".xlsm":
        message = f"{shown} is a workbook with macros: save it as .xlsx."
        raise IntakeError(message)
    try:
        yield CalamineWorkbook.from_path(str(path))
    except PasswordError:
        message = f"{shown} is locked with a password: save it without one."
        raise IntakeError(message) from None
    except CalamineError as error:
        message = f"{shown} cannot be read as a workbook ({error}): save it as .xlsx again."
        raise IntakeError(message) from None


def _sheet(names: Sequence[str], wanted: str | None, shown: str) -> str:
    known = ", ".join(names)
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is None:
        message = f"{shown} has {len(names)} sheets: say which, as sheet: {names[0]}; there are {known}."
        raise IntakeError(message)
    if wanted not in names:
        message = f"{shown} has no sheet {wanted}: there are {known}. Correct sheet in playbook.yaml."
        raise IntakeError(message)
    return wanted


def _table(rows: list[list[Cell]], *, shown: str, writing: FileWriting, tools: ImportTools) -> ExportFile:
    numbered = [
        (number, [_text(cell) for cell in cells])
        for number, cells in enumerate(rows, start=1)
        if number > writing.skip_lines and any(_text(cell) for cell in cells)
    ]
    if not numbered:
        message = f"{shown} has no header: the first row of its table must name the columns."
        raise IntakeError(message)
    header = numbered[0][1]
    width = max(position for position, name in enumerate(header, start=1) if name)
    kept, doubled = unique_names(header[:width])
    last = numbered[-1][0] - writing.footer
    body = [(number, cells) for number, cells in numbered[1:] if number <= last]
    columns = {"_row": pa.array([number for number, _ in body], pa.int64())}
    columns |= {
        name: pa.array([cells[position] for _, cells in body], pa.large_string()) for position, name in enumerate(kept)
    }
    target = tools.new_path("parquet")
    pq.write_table(pa.table(columns), target, compression="none")
    types = dict.fromkeys(kept, "VARCHAR")
    return ExportFile(shown, "xlsx", types, f"read_parquet({literal(str(target))})", len(body), doubled=doubled)


def _text(cell: Cell) -> str:
    """
    Write a cell as text that reads back as the same value.

    >>> _text(7.0), _text(0.5), _text(True), _text(datetime(2026, 3, 1, 12, 30)), _text(date(2026, 3, 1))
    ('7', '0.5', 'true', '2026-03-01 12:30:00', '2026-03-01')
    """
    match cell:
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer() and abs(cell) < _WHOLE:
            return str(int(cell))
        case datetime():
            return str(cell)
        case str():
            return unicodedata.normalize("NFC", cell.strip())
        case _:
            return str(cell)
