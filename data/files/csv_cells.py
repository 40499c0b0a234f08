"""The cells of CSV records as columns of text: quotes taken off, doubled quotes made single, in Unicode's form NFC."""

from collections.abc import Iterator
from unicodedata import normalize

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.compiled_loops import compiled_when_called
from data.files.csv_records import Bytes, CsvRecords, Offsets, find_records

_QUOTE = 0x22
_CELLS_AT_ONCE = 2_000_000


def read_cells(
    raw: Bytes, records: CsvRecords, which: Offsets, *, delimiter: int, cells: int
) -> Iterator[list[pa.Array]]:
    r"""
    Yield the cells of records, some thousand records at a time.

    Args:
        raw: (n,) the bytes of the file [uint8], UTF-8.
        records: where its records are.
        which: (m,) the records to read, all of them fine [int64].
        delimiter: between cells, as a byte.
        cells: how many each record has.

    Yields:
        The lines that the records begin on, then one array of text for each column.

    >>> from data.files.csv_records import find_records
    >>> raw = np.frombuffer(b'1,"a ""b"" c"\n', dtype=np.uint8)
    >>> [lines, ids, words] = next(read_cells(raw, find_records(raw, 44), np.array([0]), delimiter=44, cells=2))
    >>> lines.to_pylist(), words.to_pylist()
    ([1], ['a "b" c'])
    """
    at_once = max(1, _CELLS_AT_ONCE // cells)
    for first in range(0, which.size, at_once):
        some = which[first : first + at_once]
        begins, ends, doubled = _bounds(raw, records.starts[some], records.ends[some], delimiter, cells)
        columns = [_text(raw, begins[cell], ends[cell], doubled[cell]) for cell in range(cells)]
        composed = [_composed(column) for column in columns] if records.combines else columns
        yield [pa.array(records.lines[some]), *composed]


def compile_loops() -> None:
    """Compile the loops that read CSV files, or load what was compiled before, so that the first file need not wait."""
    raw = np.frombuffer(b'1,"a"', dtype=np.uint8)
    list(read_cells(raw, find_records(raw, ord(",")), np.zeros(1, np.int64), delimiter=ord(","), cells=2))


def _composed(column: pa.Array) -> pa.Array:
    """Return text in Unicode's form NFC; Arrow's own utf8_normalize leaves it in pieces."""
    return pa.array([normalize("NFC", text) for text in column.to_pylist()], pa.large_string())


def _text(raw: Bytes, begins: Offsets, ends: Offsets, doubled: NDArray[np.int32]) -> pa.Array:
    offsets = np.zeros(begins.size + 1, dtype=np.int64)
    np.cumsum(ends - begins - doubled, out=offsets[1:])
    text = np.empty(int(offsets[-1]), dtype=np.uint8)
    _copy(raw, begins, ends, doubled, offsets, text)
    return pa.Array.from_buffers(pa.large_string(), begins.size, [None, pa.py_buffer(offsets), pa.py_buffer(text)])


@compiled_when_called
def _bounds(
    raw: Bytes, starts: Offsets, ends: Offsets, delimiter: int, cells: int
) -> tuple[Offsets, Offsets, NDArray[np.int32]]:
    """Return where each cell's content begins and ends, and how many doubled quotes it has: (cells, records) each."""
    begins, stops = np.zeros((cells, starts.size), np.int64), np.zeros((cells, starts.size), np.int64)
    doubled = np.zeros((cells, starts.size), np.int32)
    for record in range(starts.size):
        at, end = starts[record], ends[record]
        for cell in range(cells):
            if at < end and raw[at] == _QUOTE:
                at += 1
                begins[cell, record] = at
                while True:
                    if raw[at] == _QUOTE:
                        if at + 1 < end and raw[at + 1] == _QUOTE:
                            doubled[cell, record] += 1
                            at += 1
                        else:
                            break
                    at += 1
                stops[cell, record] = at
                at += 1
            else:
                begins[cell, record] = at
                while at < end and raw[at] != delimiter:
                    at += 1
                stops[cell, record] = at
            at += 1
    return begins, stops, doubled


@compiled_when_called
def _copy(
    raw: Bytes, begins: Offsets, ends: Offsets, doubled: NDArray[np.int32], offsets: Offsets, text: Bytes
) -> None:
    """Copy each cell's content to where its text begins, one quote for each doubled one."""
    for cell in range(begins.size):
        at, to = begins[cell], offsets[cell]
        if doubled[cell] == 0:
            for each in range(at, ends[cell]):
                text[to] = raw[each]
                to += 1
            continue
        while at < ends[cell]:
            text[to] = raw[at]
            to += 1
            at += 2 if raw[at] == _QUOTE else 1
