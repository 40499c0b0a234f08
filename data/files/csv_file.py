"""A CSV file of an export, opened: its header found, its records read or named as broken."""

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import IntakeError
from data.files.csv_cells import read_cells
from data.files.csv_records import FINE, MANY, SAYS, Bytes, CsvRecords, Offsets, count_cells, find_records, first_record
from data.files.export_file import BROKEN_LINES, ExportFile, ImportTools
from data.files.raw_text import utf8_bytes
from data.sql import literal
from data.words.writing import FileWriting

DELIMITERS = ",;\t|"
NEVER_IN_TEXT = 0x1F
_SEPARATOR_LINE = "sep="
_LONGEST_SHOWN = 1_000
_MOST = 0.5


def open_csv(path: Path, *, shown: str, writing: FileWriting, tools: ImportTools) -> ExportFile:
    """
    Open a CSV file.

    Args:
        path: the file, packed or not.
        shown: its name in reports.
        writing: how the playbook says that it is written.
        tools: where its cells are kept as Parquet.

    Raises:
        IntakeError: it has no header, or is not in the encoding that the playbook says.
    """
    raw = utf8_bytes(path, writing.encoding, shown=shown, tools=tools)
    at, line, separator = _skip(raw, writing.skip_lines)
    header_line = line
    names, delimiter, at, line = _header(
        raw, at, line=line, delimiter=writing.delimiter or separator, shown=shown, skipped=writing.skip_lines
    )
    kept, doubled = unique_names(names)
    fewest = 1 if writing.short_rows == "fill" else _last_named(names)
    records = find_records(raw, ord(delimiter), first=at, line=line, fewest=fewest, cells=len(names))
    _require_wide_header(names, records, header_line, shown)
    return _opened(
        raw, _without_footer(records, writing.footer), names=kept, doubled=doubled, delimiter=ord(delimiter),
        shown=shown, tools=tools,
    )  # fmt: skip


def open_lines(path: Path, *, shown: str, writing: FileWriting, tools: ImportTools) -> ExportFile:
    """
    Open a text file as one column ``_line``: each line that is not blank, whatever it says.

    Args:
        path: the file, packed or not.
        shown: its name in reports.
        writing: how the playbook says that it is written.
        tools: where its lines are kept as Parquet.

    Raises:
        IntakeError: it is not in the encoding that the playbook says.
    """
    raw = utf8_bytes(path, writing.encoding, shown=shown, tools=tools)
    records = find_records(raw, NEVER_IN_TEXT, fewest=1, cells=1)
    return _opened(
        raw, records, names=["_line"], doubled=frozenset(), delimiter=NEVER_IN_TEXT, shown=shown, tools=tools
    )


def unique_names(cells: Sequence[str]) -> tuple[list[str], frozenset[str]]:
    """
    Name the columns of a header, each once: blank ones by their position, those that differ in case alone by a number.

    Returns:
        The names; and those that the header has more than once.

    >>> names, doubled = unique_names(["id", "Note", " ", "note"])
    >>> names, sorted(doubled)
    (['id', 'Note', 'column 3', 'note (2)'], ['Note', 'note'])
    """
    names = [cell.strip() or f"column {position}" for position, cell in enumerate(cells, start=1)]
    counted = Counter(name.lower() for name in names)
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name.lower()] += 1
        number = seen[name.lower()]
        unique.append(name if number == 1 else f"{name} ({number})")
    return unique, frozenset(name for name in names if counted[name.lower()] > 1)


def _skip(raw: Bytes, lines: int) -> tuple[int, int, str | None]:
    """Return where the header begins, its line, and the delimiter that a line such as ``sep=;`` before it names."""
    at, line, separator = 0, 1, None
    while at < raw.size:
        text, after = _line(raw, at)
        if text.strip().lower().startswith(_SEPARATOR_LINE) and len(text.strip()) == len(_SEPARATOR_LINE) + 1:
            separator = text.strip()[-1]
        elif text.lower().startswith(_SEPARATOR_LINE) and text[len(_SEPARATOR_LINE) :] == "\t":
            separator = "\t"
        elif lines > 0:
            lines -= 1
        elif text.strip():
            break
        at, line = after, line + 1
    return at, line, separator


def _line(raw: Bytes, at: int) -> tuple[str, int]:
    """Return the text of the line that begins here, and where the next one begins."""
    window = raw[at : at + (1 << 20)].tobytes()
    ends = [position for position in (window.find(b"\n"), window.find(b"\r")) if position >= 0]
    end = min(ends, default=len(window))
    after = end + (2 if window[end : end + 2] == b"\r\n" else 1)
    return window[:end].decode(errors="replace"), at + after


def _header(
    raw: Bytes, at: int, *, line: int, delimiter: str | None, shown: str, skipped: int
) -> tuple[list[str], str, int, int]:
    """Return the columns, the delimiter, and where the first row begins: its offset and its line."""
    chosen = delimiter or max(DELIMITERS, key=lambda mark: count_cells(raw, ord(mark), at))
    end, after, taken = first_record(raw, ord(chosen), at)
    try:
        text = raw[at:end].tobytes().decode()
    except UnicodeDecodeError:
        message = (
            f"{shown} is not UTF-8 (line {line}, its header): say its encoding in playbook.yaml, such as encoding:"
            " cp1252 for files that Excel wrote on Windows."
        )
        raise IntakeError(message) from None
    try:
        cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=chosen), [])
    except csv.Error:
        message = f"{shown} has no header: the {len(text):,} characters of its line {line} are no names of columns."
        raise IntakeError(message) from None
    names = [unicodedata.normalize("NFC", name.strip()) for name in cells]
    if not any(names):
        where = f" after the {skipped} lines to skip" if skipped else ""
        message = f"{shown} has no header{where}: the first line of a CSV file must name its columns."
        raise IntakeError(message)
    return names, chosen, after, line + taken


def _last_named(names: Sequence[str]) -> int:
    """Return how many cells a row must have: up to the last column that has a name."""
    return max(position for position, name in enumerate(names, start=1) if name)


def _require_wide_header(names: Sequence[str], records: CsvRecords, line: int, shown: str) -> None:
    """Refuse a line of text in the place of the header: one cell, where most rows have several."""
    if len(names) == 1 and records.faults.size and np.mean(records.faults == MANY) > _MOST:
        message = (
            f"{shown}: line {line} has one cell, and most rows have several: say delimiter in playbook.yaml, or"
            " skip_lines if the header stands below."
        )
        raise IntakeError(message)


def _without_footer(records: CsvRecords, lines: int) -> CsvRecords:
    """Leave out what begins on the last lines, blank ones counted, but for those at the end of the file."""
    last = int(records.lines[-1]) if records.lines.size else 0
    left = int(np.searchsorted(records.lines, last - lines, side="right"))
    cut = (records.starts[:left], records.ends[:left], records.lines[:left], records.faults[:left])
    return CsvRecords(*cut, records.combines)


def _opened(
    raw: Bytes,
    records: CsvRecords,
    *,
    names: list[str],
    doubled: frozenset[str],
    delimiter: int,
    shown: str,
    tools: ImportTools,
) -> ExportFile:
    """Keep the cells of the records that are fine as Parquet, and name the others."""
    target = tools.new_path("parquet")
    schema = pa.schema([("_row", pa.int64()), *((name, pa.large_string()) for name in names)])
    fine: Offsets = np.flatnonzero(records.faults == FINE)
    with pq.ParquetWriter(target, schema, compression="none", use_dictionary=False, write_statistics=False) as file:
        for columns in read_cells(raw, records, fine, delimiter=delimiter, cells=len(names)):
            file.write_table(pa.table(columns, schema=schema))
    return ExportFile(
        shown, "csv", dict.fromkeys(names, "VARCHAR"), f"read_parquet({literal(str(target))})", int(fine.size),
        broken_lines=_broken_lines(raw, records), doubled=doubled,
    )  # fmt: skip


def _broken_lines(raw: Bytes, records: CsvRecords) -> pa.Table:
    wrong = np.flatnonzero(records.faults != FINE)
    ends = np.minimum(records.ends[wrong], records.starts[wrong] + _LONGEST_SHOWN)
    spans = zip(records.starts[wrong], ends, strict=True)
    content = [raw[start:end].tobytes().decode(errors="replace") for start, end in spans]
    why = [SAYS[int(fault)] for fault in records.faults[wrong]]
    return pa.table([records.lines[wrong], content, why], schema=BROKEN_LINES)
