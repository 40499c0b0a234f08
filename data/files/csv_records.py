"""
Where the records of a CSV file begin and end, found byte by byte, with the line of each and what is wrong with it.

A quote that is never closed swallows the rest of a file in most readers. Here a record whose quoting cannot be right
costs its own first line, and reading goes on at the next.
"""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

FINE, FEW, MANY, OPEN_QUOTE, AFTER_QUOTE, BAD_BYTE = range(6)
SAYS = {
    FEW: "it has fewer cells than the header",
    MANY: "it has more cells than the header",
    OPEN_QUOTE: "a quote is opened and never closed",
    AFTER_QUOTE: "text stands between a closing quote and the next delimiter",
    BAD_BYTE: "it has a byte that is not UTF-8",
}
"""Fault of a record → its words."""

_QUOTE, _LF, _CR, _SPACE = 0x22, 0x0A, 0x0D, 0x20
_NO_LINE_END, _CR_ALONE = 0, 1
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
        is_plain: whether every record is fine, stands on one line of its own, in order and without a gap, its lines
            end alike, and no quote stands inside an unquoted cell: what any reader reads alike.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    lines: NDArray[np.int64]
    faults: NDArray[np.uint8]
    is_plain: bool


def find_records(
    raw: NDArray[np.uint8], delimiter: int, *, first: int = 0, line: int = 1, cells: int = 0
) -> CsvRecords:
    r"""
    Find the records of a CSV file.

    Args:
        raw: (n,) the bytes of the file [uint8], UTF-8.
        delimiter: between cells, as a byte.
        first: the offset where to begin, such as that after the header.
        line: the number of the line that begins there.
        cells: how many a record has; 0 where any number will do.

    >>> raw = np.frombuffer(b'1,"a\nb"\n2,"c\n3,d\n', dtype=np.uint8)
    >>> found = find_records(raw, ord(","), cells=2)
    >>> found.lines.tolist(), found.faults.tolist()
    ([1, 3, 4], [0, 3, 0])
    """
    return CsvRecords(*_records(raw, delimiter, first, line, cells))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _line_end(raw, at):  # type: ignore[no-untyped-def]
    """Return the offset of the first line end from here, or the file's end."""
    size = raw.size
    while at < size and raw[at] != _LF and raw[at] != _CR:
        at += 1
    return at


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _after_line_end(raw, at):  # type: ignore[no-untyped-def]
    """Return the offset after the line end that stands here."""
    if at < raw.size and raw[at] == _CR:
        at += 1
        return at + 1 if at < raw.size and raw[at] == _LF else at
    return at + 1 if at < raw.size else at


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _closing_quote(raw, at):  # type: ignore[no-untyped-def]
    """Return the offset of the quote that closes a cell whose content begins here, or -1."""
    size = min(raw.size, at + _LONGEST_QUOTED)
    while at < size:
        if raw[at] == _QUOTE:
            if at + 1 < raw.size and raw[at + 1] == _QUOTE:
                at += 2
                continue
            return at
        at += 1
    return -1


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _looks_like_rows(raw, start, end, delimiter, cells):  # type: ignore[no-untyped-def]
    """Return whether most whole lines inside a quoted cell have as many cells as a row, so that the quote is astray."""
    if cells < 2:  # noqa: PLR2004 - a single cell looks like any text
        return False
    alike, lines, marks, at = 0, 0, 0, _after_line_end(raw, _line_end(raw, start))
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
    return alike * 2 > lines


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _lines_within(raw, start, end):  # type: ignore[no-untyped-def]
    """Count the line ends between two offsets."""
    lines, at = 0, start
    while at < end:
        if raw[at] == _LF or raw[at] == _CR:
            lines += 1
            at = _after_line_end(raw, at)
        else:
            at += 1
    return lines


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _is_utf8(raw, start, end):  # type: ignore[no-untyped-def]
    """Return whether bytes are UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF)."""
    at = start
    while at < end:
        byte = raw[at]
        if byte < 0x80:
            at += 1
            continue
        if 0xC2 <= byte <= 0xDF:
            follow, low, high = 1, 0x80, 0xBF
        elif 0xE0 <= byte <= 0xEF:
            follow, low, high = 2, 0xA0 if byte == 0xE0 else 0x80, 0x9F if byte == 0xED else 0xBF
        elif 0xF0 <= byte <= 0xF4:
            follow, low, high = 3, 0x90 if byte == 0xF0 else 0x80, 0x8F if byte == 0xF4 else 0xBF
        else:
            return False
        if at + follow >= end:
            return False
        if not low <= raw[at + 1] <= high:
            return False
        for next_one in range(2, follow + 1):
            if raw[at + next_one] & 0xC0 != 0x80:
                return False
        at += follow + 1
    return True


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _scan(raw, at, delimiter, cells):  # type: ignore[no-untyped-def]
    """
    Return a record's end, its fault and whether it is plain, or its first line's end if its quoting is astray.

    A quoted cell closes before a delimiter, a line end or the file's end, and nowhere else.
    """
    start, found, is_plain, has_high, spans = at, 1, True, False, False
    while True:
        if at < raw.size and raw[at] == _QUOTE:
            closed = _closing_quote(raw, at + 1)
            first_end = _line_end(raw, start)
            if closed < 0:
                return first_end, OPEN_QUOTE, False
            spans = spans or closed > first_end
            at = closed + 1
            if at < raw.size and raw[at] != delimiter and raw[at] != _LF and raw[at] != _CR:
                return first_end, OPEN_QUOTE if spans else AFTER_QUOTE, False
        else:
            while at < raw.size and raw[at] != delimiter and raw[at] != _LF and raw[at] != _CR:
                is_plain = is_plain and raw[at] != _QUOTE
                at += 1
        if at >= raw.size or raw[at] != delimiter:
            break
        found += 1
        at += 1
    if spans and _looks_like_rows(raw, start, at, delimiter, cells):
        return _line_end(raw, start), OPEN_QUOTE, False
    for each in range(start, at):
        if raw[each] >= 0x80:
            has_high = True
            break
    if has_high and not _is_utf8(raw, start, at):
        return at, BAD_BYTE, False
    if cells and found < cells:
        return at, FEW, False
    if cells and found > cells:
        return at, MANY, False
    return at, FINE, is_plain and not spans


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _records(raw, delimiter, first, line, cells):  # type: ignore[no-untyped-def]
    starts, ends = np.empty(_INITIAL, np.int64), np.empty(_INITIAL, np.int64)
    lines, faults = np.empty(_INITIAL, np.int64), np.empty(_INITIAL, np.uint8)
    count, at, is_plain, ending = 0, first, True, _NO_LINE_END
    while at < raw.size:
        end, fault, plain = _scan(raw, at, delimiter, cells)
        after = _after_line_end(raw, end)
        if end == at and cells != 1:
            is_plain = False  # a blank line
        else:
            if count == starts.size:
                starts, ends = _doubled(starts), _doubled(ends)
                lines, faults = _doubled(lines), _doubled(faults)
            starts[count], ends[count], lines[count], faults[count] = at, end, line, fault
            count += 1
            is_plain = is_plain and plain
        if after > end:
            how = _LF if raw[end] == _LF else after - end
            ending = how if ending == _NO_LINE_END else ending
            is_plain = is_plain and how == ending and how != _CR_ALONE
        line += 1 + _lines_within(raw, at, end)
        at = after
    return starts[:count], ends[:count], lines[:count], faults[:count], is_plain


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _doubled(array):  # type: ignore[no-untyped-def]
    longer = np.empty(2 * array.size, array.dtype)
    longer[: array.size] = array
    return longer
