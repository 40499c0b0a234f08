"""Whatever is written in a supported way reads back equal, or its column is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.instants import to_us
from data.reading.cells import Cells, macros
from data.reading.column_profiles import profile_file
from data.reading.column_readings import ColumnReading
from data.reading.number_notation import NumberNotation, notation_of
from data.words.writing import CellWriting

ZONE = "Europe/Berlin"
NOTATIONS = [(decimal, thousands) for decimal in ".," for thousands in ("", ".", ",", " ", "'") if decimal != thousands]


@pytest.fixture(scope="module")
def connection():
    opened = duckdb.connect()
    opened.execute("SET threads = 1")
    for macro in macros(ZONE):
        opened.execute(f"CREATE MACRO {macro}")
    return opened


def written(number, decimal, thousands):
    """Write a number: its thousands apart, its decimals, if it has any, after the mark."""
    whole, _, rest = f"{number:,f}".partition(".")
    rest = rest.rstrip("0")
    return whole.replace(",", thousands) + (decimal + rest if rest else "")


def numbers_of(connection, cells, said):
    """Read a column of numbers as an import does; a refusal is None."""
    connection.register("t", pa.table({"_row": range(1, len(cells) + 1), "n": pa.array(cells, pa.string())}))
    readers = Cells({"n": "VARCHAR"}, {"n": ColumnReading(said)})
    found = profile_file(connection, readers, "t", instants=(), numbers=["n"], zone=ZONE)
    notation = notation_of(said, found.numbers["n"])
    if not isinstance(notation, NumberNotation):
        return None
    known = replace(readers, readings={"n": ColumnReading(said, notation)})
    return [value for (value,) in connection.execute(f"SELECT {known.number('n')} FROM t ORDER BY _row").fetchall()]


NUMBERS = st.lists(
    st.decimals(-9_999_999, 9_999_999, places=3) | st.integers(-9_999_999, 9_999_999).map(Decimal),
    min_size=1,
    max_size=5,
)


@settings(deadline=None, max_examples=60)
@given(numbers=NUMBERS, marks=st.sampled_from(NOTATIONS), sign=st.sampled_from(["", "€", "$ "]), says=st.booleans())
def test_numbers_read_back_equal_or_their_column_is_refused(connection, numbers, marks, sign, says):
    decimal, thousands = marks
    only_said = thousands in {" ", "'"}
    said = CellWriting(decimal=decimal if says else None, thousands=thousands or None if says or only_said else None)
    read = numbers_of(connection, [sign + written(number, decimal, thousands) for number in numbers], said)
    assert read == pytest.approx([float(number) for number in numbers]) if says or read is not None else True


@pytest.mark.parametrize(
    "cell", ["1_000", "12,34.5", "1,23,456", "1.2.3", "inf", "nan", "0x1F", "1 000", "12 %", "5 EUR", "--3", "1,"]
)
def test_what_is_no_number_is_none(connection, cell):
    assert numbers_of(connection, [cell, "7.5"], CellWriting()) in ([None, 7.5], None)


FORMATS = {
    "us": ["%m/%d/%Y %H:%M:%S.%f", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y, %I:%M %p", "%m/%d/%Y"],
    "german": ["%d.%m.%Y %H:%M:%S.%f", "%d.%m.%Y %H:%M", "%d.%m.%Y, %H:%M", "%d.%m.%Y"],
    "iso": ["%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y%m%d"],
    **{
        each: [each]
        for each in ("%d/%m/%y %H:%M", "%Y%m%d%H%M%S", "%d-%b-%Y", "%B %d, %Y %I:%M:%S %p", "%Y-%j", "%H.%M %d.%m.%Y")
    },
}
WAYS = [(name, way) for name, ways in FORMATS.items() for way in ways]
MOMENTS = st.datetimes(datetime(1975, 1, 1), datetime(2060, 1, 1))  # noqa: DTZ001 - wall clocks


def instants_of(connection, cell, *formats):
    said = CellWriting(date_format=formats)
    readers = Cells({"c": "VARCHAR"}, {"c": ColumnReading(said)})
    once, rows = readers.over("(SELECT ? AS c)", ["c"])
    read = f"SELECT {once.instant('c')} AS us, {once.day('c')} IS NOT NULL AS is_day FROM {rows}"
    return connection.execute(f"SELECT plausible(us), is_day FROM ({read})", [cell]).fetchall()[0]


@settings(deadline=None, max_examples=150)
@given(moment=MOMENTS, way=st.sampled_from(WAYS))
def test_instants_read_back_equal_in_every_named_format(connection, moment, way):
    """A wall clock is one of the playbook's zone; of those that summer time skips or repeats, another test tells."""
    named, pattern = way
    cell = moment.strftime(pattern)
    wall = datetime.strptime(cell, pattern).replace(tzinfo=ZoneInfo(ZONE))
    us, is_day = instants_of(connection, cell, named)
    assert is_day == ("%H" not in pattern and "%I" not in pattern)
    if wall.utcoffset() == (wall - timedelta(hours=2)).utcoffset() == (wall + timedelta(hours=2)).utcoffset():
        assert us == to_us(wall.astimezone(UTC))


@settings(deadline=None, max_examples=60)
@given(
    moment=MOMENTS,
    offset=st.integers(-12, 14),
    pattern=st.sampled_from(["%Y-%m-%dT%H:%M:%S.%f%z", "%d.%m.%Y %H:%M:%S %z"]),
)
def test_instants_with_an_offset_read_back_equal(connection, moment, offset, pattern):
    cell = moment.strftime(pattern.replace("%z", f"{'-' if offset < 0 else '+'}{abs(offset):02}:00"))
    meant = moment if "%f" in pattern else moment.replace(microsecond=0)
    assert instants_of(connection, cell, pattern) == (to_us(meant.replace(tzinfo=UTC)) - offset * 3_600_000_000, False)


@settings(deadline=None, max_examples=60)
@given(us=st.integers(100_000_000_000_000, 2_800_000_000_000_000), unit=st.sampled_from(["s", "ms", "us", "ns"]))
def test_epochs_read_back_equal_in_their_unit_and_in_no_other(connection, us, unit):
    cell = {"s": f"{us / 1e6:.6f}", "ms": f"{us // 1000}.{us % 1000:03}", "us": str(us), "ns": f"{us}000"}[unit]
    for other in ("s", "ms", "us", "ns"):
        read, _ = instants_of(connection, cell, f"epoch_{other}")
        assert read is None if other != unit else abs(read - us) <= (1 if unit == "s" else 0)


@pytest.mark.parametrize(
    "cell", ["1.77E+12", "202603141705", "1772362800", "31.02.2026", "2026-02-30", "13/14/2026", "26-03-01"]
)
def test_nothing_becomes_another_instant(connection, cell):
    assert instants_of(connection, cell, "iso", "us", "german")[0] is None
    assert instants_of(connection, "1.77E+12", "epoch_ms")[0] is None


def test_several_formats_are_tried_in_turn(connection):
    for cell in ("2026-03-14", "3/14/2026", "14.3.2026"):
        assert instants_of(connection, cell, "us", "iso", "german") == (
            to_us(datetime(2026, 3, 13, 23, tzinfo=UTC)),
            True,
        )
