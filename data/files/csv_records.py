"""
Where the records of a CSV file begin and end, found byte by byte, with the line of each and what is wrong with it.

A quote that is never closed swallows the rest of a file in most readers. Here a record whose quoting cannot be right
costs its own first line, and reading goes on at the next.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.compiled_loops import compiled_when_called

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int64]

FINE, FEW, MANY, OPEN_QUOTE, AFTER_QUOTE, BAD_BYTE = range(6)
SAYS = {
    FEW: "it has fewer cells than the header",
    MANY: "it has more cells than the header",
    OPEN_QUOTE: "a quote is opened and never closed",
    AFTER_QUOTE: "text stands between a closing quote and the next delimiter",
    BAD_BYTE: "it has a byte that is not UTF-8",
}
"""Fault of a record → its words."""

_QUOTE, _LF, _CR = 0x22, 0x0A, 0x0D
_ASCII_ENDS, _FOLLOWS = 0x80, 0xC0
_PLAIN, _COMBINED, _NOT_UTF8 = range(3)
_COMBINING = (0xCC, 0xCD)
"""First bytes of the characters U+0300 to U+036F, which combine with the one before."""

_LONGEST_QUOTED = 1 << 20
_INITIAL = 1024


@dataclass(frozen=True, slots=True)
class CsvRecords:
    """
    The records of a file, blank lines left out.

    Attributes:
        starts: (n,) offset of each record's first byte [int64].
        ends: (n,) offset after its last byte, its line end not included [int64].
        lines: (n,) the line it begins on, as an editor numbers them; the first of the file is 1 [int64].
        faults: (n,) what is wrong with it, `FINE` for nothing [uint8].
        combines: whether any character may combine with the one before it, so that text can be spelled in two ways.
    """

    starts: Offsets
    ends: Offsets
    lines: Offsets
    faults: Bytes
    combines: bool


def find_records(
    raw: Bytes, delimiter: int, *, first: int = 0, line: int = 1, fewest: int = 0, cells: int = 0
) -> CsvRecords:
    r"""
    Find the records of a CSV file.

    Args:
        raw: (n,) the bytes of the file [uint8], UTF-8.
        delimiter: between cells, as a byte.
        first: the offset where to begin, such as that after the header.
        line: the number of the line that begins there.
        fewest: how many cells a record must have.
        cells: how many it may have, empty ones at its end not counted; 0 where any number will do.

    >>> raw = np.frombuffer(b'1,"a\nb"\n2,"c\n3,d\n', dtype=np.uint8)
    >>> found = find_records(raw, ord(","), fewest=2, cells=2)
    >>> found.lines.tolist(), found.faults.tolist()
    ([1, 3, 4], [0, 3, 0])
    """
    return CsvRecords(*_records(raw, delimiter, first, line, (fewest, cells)))


def first_record(raw: Bytes, delimiter: int, first: int) -> tuple[int, int, int]:
    r"""
    Find one record, whatever its cells.

    Returns:
        The offset of its end, that of what follows its line end, and the number of lines it takes.

    >>> first_record(np.frombuffer(b'"a\nb",c\n1,2\n', dtype=np.uint8), ord(","), 0)
    (7, 8, 2)
    """
    end, breaks, _, _ = _scan(raw, first, delimiter, (0, 0))
    return int(end), int(_after_line_end(raw, end)), int(1 + breaks)


def count_cells(raw: Bytes, delimiter: int, first: int) -> int:
    """
    Count the cells of one record; 0 where its quotes cannot be right with this delimiter.

    >>> raw = np.frombuffer(b'"a, b";c', dtype=np.uint8)
    >>> count_cells(raw, ord(";"), 0), count_cells(raw, ord(","), 0)
    (2, 0)
    """
    _, _, _, found, fault = _cells_end(raw, first, delimiter)
    return int(found) if fault == FINE else 0


@compiled_when_called
def _line_end(raw: Bytes, at: int) -> int:
    """Return the offset of the first line end from here, or the file's end."""
    while at < raw.size and raw[at] != _LF and raw[at] != _CR:
        at += 1
    return at


@compiled_when_called
def _after_line_end(raw: Bytes, at: int) -> int:
    """Return the offset after the line end that stands here."""
    if at >= raw.size:
        return at
    if raw[at] == _CR and at + 1 < raw.size and raw[at + 1] == _LF:
        return at + 2
    return at + 1


@compiled_when_called
def _closing_quote(raw: Bytes, at: int) -> tuple[int, int]:
    """Return the offset of the quote that closes a cell whose content begins here, or -1; and the line ends before."""
    last, breaks = min(raw.size, at + _LONGEST_QUOTED), 0
    while at < last:
        if raw[at] == _QUOTE:
            if at + 1 >= raw.size or raw[at + 1] != _QUOTE:
                return at, breaks
            at += 1
        elif raw[at] == _LF or (raw[at] == _CR and (at + 1 >= raw.size or raw[at + 1] != _LF)):
            breaks += 1
        at += 1
    return -1, 0


@compiled_when_called
def _looks_like_rows(raw: Bytes, start: int, end: int, delimiter: int, cells: int) -> bool:
    """Return whether most whole lines after a record's first have as many cells as a row: then a quote is astray."""
    alike, lines, marks = 0, 0, 0
    at = _after_line_end(raw, _line_end(raw, start))
    while at < end:
        if raw[at] == delimiter:
            marks += 1
        if raw[at] == _LF or raw[at] == _CR:
            lines += 1
            alike += marks == cells - 1
            marks = 0
            at = _after_line_end(raw, at)
        else:
            at += 1
    return cells > 1 and alike * 2 > lines


@compiled_when_called
def _following(raw: Bytes, at: int) -> tuple[int, int, int]:
    """Return how many bytes follow the first of a character, and between what the second lies (RFC 3629); 0 if none."""
    byte = raw[at]
    if 0xC2 <= byte <= 0xDF:  # noqa: PLR2004 - the bytes are those of the table in RFC 3629, section 4
        return 1, 0x80, 0xBF
    if 0xE0 <= byte <= 0xEF:  # noqa: PLR2004
        return 2, 0xA0 if byte == 0xE0 else 0x80, 0x9F if byte == 0xED else 0xBF  # noqa: PLR2004
    if 0xF0 <= byte <= 0xF4:  # noqa: PLR2004
        return 3, 0x90 if byte == 0xF0 else 0x80, 0x8F if byte == 0xF4 else 0xBF  # noqa: PLR2004
    return 0, 0, 0


@compiled_when_called
def _spelling(raw: Bytes, start: int, end: int) -> int:
    """Return how text is spelled: plainly, with characters that may combine with the one before, or not as UTF-8."""
    highest = np.uint8(0)
    for at in range(start, end):
        highest |= raw[at]
    if highest < _ASCII_ENDS:
        return _PLAIN
    spelled, at = _PLAIN, start
    while at < end:
        if raw[at] < _ASCII_ENDS:
            at += 1
            continue
        follow, low, high = _following(raw, at)
        if follow == 0 or at + follow >= end or not low <= raw[at + 1] <= high:
            return _NOT_UTF8
        for position in range(at + 2, at + follow + 1):
            if raw[position] & _FOLLOWS != _ASCII_ENDS:
                return _NOT_UTF8
        if raw[at] == _COMBINING[0] or raw[at] == _COMBINING[1]:
            spelled = _COMBINED
        at += follow + 1
    return spelled


@compiled_when_called
def _cells_end(raw: Bytes, start: int, delimiter: int) -> tuple[int, int, int, int, int]:
    """
    Read cells up to the end of a record.

    A quoted cell closes before a delimiter, a line end or the file's end, and nowhere else.

    Returns:
        Its end, the line ends inside, the number of its cells up to the last that is not empty, the number of all, and
        a fault of its quotes, in which case the end is that of its first line.
    """
    at, found, filled, breaks = start, 1, 0, 0
    while True:
        begins = at
        if at < raw.size and raw[at] == _QUOTE:
            closed, more = _closing_quote(raw, at + 1)
            if closed < 0:
                return _line_end(raw, start), 0, filled, found, OPEN_QUOTE
            breaks += more
            at = closed + 1
            if at < raw.size and raw[at] != delimiter and raw[at] != _LF and raw[at] != _CR:
                return _line_end(raw, start), 0, filled, found, OPEN_QUOTE if breaks else AFTER_QUOTE
        else:
            while at < raw.size and raw[at] != delimiter and raw[at] != _LF and raw[at] != _CR:
                at += 1
        if at > begins:
            filled = found
        if at >= raw.size or raw[at] != delimiter:
            return at, breaks, filled, found, FINE
        found += 1
        at += 1


@compiled_when_called
def _scan(raw: Bytes, start: int, delimiter: int, bounds: tuple[int, int]) -> tuple[int, int, int, bool]:
    """Return a record's end, the line ends inside, its fault, and whether characters combine."""
    fewest, cells = bounds
    end, breaks, filled, found, fault = _cells_end(raw, start, delimiter)
    if fault != FINE:
        return end, breaks, fault, False
    if breaks and _looks_like_rows(raw, start, end, delimiter, cells):
        return _line_end(raw, start), 0, OPEN_QUOTE, False
    spelled = _spelling(raw, start, end)
    if spelled == _NOT_UTF8:
        return end, breaks, BAD_BYTE, False
    if found < fewest:
        return end, breaks, FEW, False
    if cells and filled > cells:
        return end, breaks, MANY, False
    return end, breaks, FINE, spelled == _COMBINED


@compiled_when_called
def _records(
    raw: Bytes, delimiter: int, first: int, line: int, bounds: tuple[int, int]
) -> tuple[Offsets, Offsets, Offsets, Bytes, bool]:
    starts, ends = np.empty(_INITIAL, np.int64), np.empty(_INITIAL, np.int64)
    lines, faults = np.empty(_INITIAL, np.int64), np.empty(_INITIAL, np.uint8)
    count, at, any_combined = 0, first, False
    while at < raw.size:
        end, breaks, fault, combined = _scan(raw, at, delimiter, bounds)
        if end > at:
            if count == starts.size:
                starts, ends = np.append(starts, starts), np.append(ends, ends)
                lines, faults = np.append(lines, lines), np.append(faults, faults)
            starts[count], ends[count], lines[count], faults[count] = at, end, line, fault
            count += 1
            any_combined = any_combined or combined
        line += 1 + breaks
        at = _after_line_end(raw, end)
    return starts[:count], ends[:count], lines[:count], faults[:count], any_combined
