"""Records of CSV files: found as Python's own reader finds them, damage named where it stands."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.files.csv_cells import read_cells
from data.files.csv_records import AFTER_QUOTE, BAD_BYTE, FEW, FINE, MANY, OPEN_QUOTE, find_records, first_record


def split(raw, *, cells, delimiter=","):
    found = find_records(np.frombuffer(raw, dtype=np.uint8), ord(delimiter), fewest=cells, cells=cells)
    return list(zip(found.lines.tolist(), found.faults.tolist(), strict=True))


def cells_of(raw, *, cells, delimiter=","):
    array = np.frombuffer(raw, dtype=np.uint8)
    records = find_records(array, ord(delimiter), fewest=cells, cells=cells)
    fine = np.flatnonzero(records.faults == FINE)
    parts = list(read_cells(array, records, fine, delimiter=ord(delimiter), cells=cells))
    columns = [[text for part in parts for text in part[cell + 1].to_pylist()] for cell in range(cells)]
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"1,a\n2,b\n", [(1, FINE), (2, FINE)]),
        (b"1,a\r\n2,b\r\n", [(1, FINE), (2, FINE)]),
        (b"1,a\r2,b", [(1, FINE), (2, FINE)]),
        (b"1,a\r\n2,b\n\n3,c\r4,d", [(1, FINE), (2, FINE), (4, FINE), (5, FINE)]),
        (b'1,"a\nb"\n2,c\n', [(1, FINE), (3, FINE)]),
        (b'1,"a\r\nb\rc"\n2,c\n', [(1, FINE), (4, FINE)]),
        (b'1,5" pipe\n', [(1, FINE)]),
        (b'1,"a" b\n2,c\n', [(1, AFTER_QUOTE), (2, FINE)]),
        (b"1\n2,c\n", [(1, FEW), (2, FINE)]),
        (b"1,a,,\n2,b,,x\n", [(1, FINE), (2, MANY)]),
        (b"1,\xe9\n2,\xc3\xa9\n", [(1, BAD_BYTE), (2, FINE)]),
        (b"3,\xed\xa0\x80\n4,\xf0\x9f\x98\x80\n", [(1, BAD_BYTE), (2, FINE)]),
        (b'1,"open\n2,b\n3,c\n', [(1, OPEN_QUOTE), (2, FINE), (3, FINE)]),
        (b'1,"open\n2,"b"\n3,c\n', [(1, OPEN_QUOTE), (2, FINE), (3, FINE)]),
        (b'1,"open\n2,b\n3,c\n4,"\n5,e\n', [(1, OPEN_QUOTE), (2, FINE), (3, FINE), (4, OPEN_QUOTE), (5, FINE)]),
        (b'"', [(1, OPEN_QUOTE)]),
        (b"", []),
    ],
)  # fmt: skip
def test_damage_costs_the_line_it_stands_on(raw, expected):
    assert split(raw, cells=2) == expected


def test_a_quote_left_open_in_a_long_file_costs_one_line():
    lines = [b"%d,2026-01-01,Ulm" % number for number in range(1000)]
    lines[499] = b'500,2026-01-01,"Ulm'
    found = split(b"\n".join(lines), cells=3)
    assert found == [(n + 1, OPEN_QUOTE if n == 499 else FINE) for n in range(1000)]


def test_the_header_may_span_lines():
    raw = np.frombuffer(b'"a\nb",c\n1,2\n', dtype=np.uint8)
    assert first_record(raw, ord(","), 0) == (7, 8, 2)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00\x1f\r", exclude_categories=["Mn"]), max_size=8)


@settings(max_examples=300, deadline=None)
@given(
    table=st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=6),
    delimiter=st.sampled_from(",;\t|"),
    ending=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_what_python_writes_is_read_back(table, delimiter, ending, quoting):
    """An independent writer; a cell whose lines look like rows is the one thing that is refused, never misread."""
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator=ending, quoting=quoting).writerows(table)
    raw = stream.getvalue().encode()
    faults = [fault for _, fault in split(raw, cells=3, delimiter=delimiter)]
    kept = cells_of(raw, cells=3, delimiter=delimiter)
    if all(fault == FINE for fault in faults):
        assert kept == table
    else:
        assert set(faults) - {FINE} <= {OPEN_QUOTE, FEW, MANY, AFTER_QUOTE}
        assert any(cell.count(delimiter) for row in table for cell in row)


@settings(max_examples=300, deadline=None)
@given(raw=st.binary(max_size=60) | st.text('a,";\n\r', max_size=40).map(str.encode))
def test_any_bytes_are_split_into_records_that_cover_them(raw):
    array = np.frombuffer(raw, dtype=np.uint8)
    found = find_records(array, ord(","), fewest=2, cells=2)
    bounds = list(zip(found.starts.tolist(), found.ends.tolist(), strict=True))
    assert all(start < end for start, end in bounds)
    gaps = [raw[end:start] for (_, end), (start, _) in zip([(0, 0), *bounds], [*bounds, (len(raw), 0)], strict=True)]
    assert all(not gap.strip(b"\r\n") for gap in gaps), "what is in no record is line ends"
    for start, end, fault in zip(found.starts, found.ends, found.faults, strict=True):
        if fault == FINE:
            raw[start:end].decode()
