"""
The same table as six locales write it, in every layout of a file: read back equal by the playbook's words for it.

Where the playbook leaves a word out, a column is refused, or a cell is right or nothing; never another value.
"""

import csv
import io
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.files.export_file import ImportTools
from data.importing.exports import open_files
from data.instants import to_us
from data.progress import silent
from data.reading.cells import macros
from data.words.sources import LeadSource
from data.words.writing import CellWriting
from tests.data.cell_reading import read_columns

ZONE = "Europe/Berlin"
FEWEST = 2_000
ENCODINGS = {
    "utf-8": {}, "utf-8-sig": {}, "utf-16": {}, "utf-16-le": {"encoding": "utf-16-le"},
    "utf-16-be": {"encoding": "utf-16-be"}, "cp1252": {"encoding": "cp1252"}, "iso8859-15": {"encoding": "iso8859-15"},
}  # fmt: skip
LAYOUTS = list(
    itertools.product(
        ENCODINGS, ",;\t|", ["\n", "\r\n", "\r"], [csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]
    )
)
NUMBERS = {
    "mixed": [1234.5, -12.25, 1_200_000.0, 0.5, 7.0, None, 45_000.0],
    "thousands": [1200.0, 12_500.0, 45_000.0, 999_000.0, 1000.0, -3000.0, None],
    "decimals": [1.5, 22.25, None, 0.75, 100.5, -3.5, 8.0],
    "three decimals": [1.234, 12.345, -100.001, 999.999, None, 1.5, 7.125],
    "three alone": [1.234, 12.345, -100.001, 999.999, None, 3.375, 2.625],
}
SHARES = [0.125, 1.0, 0.005, None, 0.0, 0.75, 12.5]
TRUTHS = [True, False, None, True, True, False, None]
MOMENTS = [
    datetime(2026, month, day, hour, 7, tzinfo=ZoneInfo(ZONE))
    for month, day, hour in ((1, 2, 9), (2, 28, 23), (3, 4, 0), (5, 6, 12), (7, 31, 13), (9, 10, 5), (10, 11, 17))
]


@dataclass(frozen=True)
class Locale:
    """How a locale writes numbers, shares, amounts, moments, yes and no; and what a playbook says of each."""

    decimal: str
    thousands: str
    moments: Mapping[str, str]
    yes: str
    no: str
    percent: str = "{}%"
    amount: str = "{}"
    amounts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def numbers(self) -> dict[str, Any]:
        return {"decimal": self.decimal, "thousands": self.thousands or None}

    def number(self, value: float) -> str:
        whole, _, rest = f"{value:,.4f}".rstrip("0").partition(".")
        apart = whole.replace(",", NBSP if self.thousands == " " else self.thousands)
        return apart + (self.decimal + rest if rest else "")


NBSP = "\u00a0"
LOCALES = {
    "german": Locale(
        ",", ".", {"%d.%m.%Y %H:%M": "german", "%d.%m.%Y": "german", "%d.%m.%y": "%d.%m.%y"}, "ja", "nein", "{} %",
        "{} €",
    ),
    "swiss": Locale(
        ".", "'", {"%d.%m.%Y %H:%M:%S": "german", "%d/%m/%Y": "%d/%m/%Y"}, "Ja", "Nein", "{}%", "CHF {}",
        {"currency_signs": ("CHF",)},
    ),
    "french": Locale(
        ",", " ", {"%d/%m/%Y %H:%M": "%d/%m/%Y %H:%M", "%d/%m/%Y": "%d/%m/%Y"}, "oui", "non", f"{{}}{NBSP}%",
        f"{{}}{NBSP}€",
    ),
    "us": Locale(
        ".", ",", {"%m/%d/%Y %I:%M %p": "us", "%m/%d/%Y": "us", "%b %d, %Y %I:%M %p": "%b %d, %Y %I:%M %p"}, "Y", "N",
        "{}%", "${}",
    ),
    "uk": Locale(
        ".", ",", {"%d/%m/%Y %H:%M": "%d/%m/%Y %H:%M", "%d-%b-%Y": "%d-%b-%Y"}, "yes", "no", "{} %", "£{}"
    ),
    "iso": Locale(
        ".", "", {"%Y-%m-%dT%H:%M:%S%z": "iso", "%Y-%m-%d": "iso", "%Y%m%d%H%M": "%Y%m%d%H%M"}, "true", "false", "{}%",
        "EUR {}", {"currency_signs": ("EUR",)},
    ),
}  # fmt: skip


@dataclass(frozen=True)
class WrittenColumn:
    """A column as a locale writes it: its cells, what they mean, and what the playbook may say of it."""

    reads: str
    cells: list[str]
    means: list[Any]
    said: CellWriting


def columns_of(locale, numbers=NUMBERS, shares=SHARES, truths=TRUTHS, moments=MOMENTS) -> dict[str, WrittenColumn]:
    """Return the columns of a locale: numbers of each set, shares, amounts, moments, yes and no."""
    columns = {name: _written("number", values, locale.number, **locale.numbers) for name, values in numbers.items()}
    share = lambda value: locale.percent.format(locale.number(value * 100))  # noqa: E731 - as short as what it is beside
    columns["shares"] = _written("number", shares, share, percent=True, **locale.numbers)
    amount = lambda value: locale.amount.format(locale.number(value))  # noqa: E731
    columns["amounts"] = _written("number", numbers["mixed"], amount, **locale.amounts, **locale.numbers)
    columns["truth"] = _written(
        "truth", truths, lambda value: locale.yes if value else locale.no, yes=(locale.yes,), no=(locale.no,)
    )
    for pattern, name in locale.moments.items():
        columns[pattern] = _written("moment", moments, lambda at, p=pattern: at.strftime(p), date_format=name)
        meant = [_as_written(moment, pattern) for moment in moments]
        columns[pattern] = replace(columns[pattern], means=meant)
    return columns


def _written(reads: str, values: list[Any], write: Callable[[Any], str], **said: Any) -> WrittenColumn:
    cells = ["" if value is None else write(value) for value in values]
    return WrittenColumn(reads, cells, values, CellWriting(**said))


def _as_written(moment: datetime, pattern: str) -> int:
    """Return what the text of a moment still says of it [µs]."""
    read = datetime.strptime(moment.strftime(pattern), pattern)  # noqa: DTZ007 - the zone comes next
    return to_us((read if read.tzinfo else read.replace(tzinfo=ZoneInfo(ZONE))).astimezone(UTC))


COLUMNS = {(name, kind): column for name, locale in LOCALES.items() for kind, column in columns_of(locale).items()}


def names_of(columns):
    return {key: f"c{at}" for at, key in enumerate(columns)}


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        for macro in macros(ZONE):
            connection.execute(f"CREATE MACRO {macro}")
        yield ImportTools(connection, tmp_path_factory.mktemp("scratch"), silent)


def opened(folder, layout, tools, columns=COLUMNS):
    """Write all columns side by side in one file of a layout, and open it."""
    encoding, delimiter, line_end, quoting = layout
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerow(names_of(columns).values())
    writer.writerows(zip(*(column.cells for column in columns.values()), strict=True))
    (folder / "t.csv").write_bytes(stream.getvalue().encode(encoding))
    source = LeadSource(file="t.csv", holds="leads", **ENCODINGS[encoding])
    (file,) = open_files(folder / "t.csv", source, folder=folder, tools=tools)
    return file


def read(file, tools, columns=COLUMNS, *, says):
    """Read every column as an import does; a column that is refused is None."""
    names = names_of(columns)
    wanted = {names[key]: (each.reads, each.said if says else CellWriting()) for key, each in columns.items()}
    found = read_columns(file, wanted, tools.connection, ZONE)
    return {key: found[names[key]] for key in columns}


def texts_of(file, tools):
    """Return the cells of a file as text, column by column."""
    names = ", ".join(f"coalesce({name}, '')" for name in names_of(COLUMNS).values())
    table = tools.connection.execute(f"SELECT {names} FROM {file.rows} ORDER BY _row").fetchall()
    return tuple(zip(*table, strict=True))


def test_every_layout_of_every_locale_has_the_cells_that_were_written(tmp_path, tools):
    """What cells mean is a function of their text alone, so that each of these combinations reads as the one below."""
    written = tuple(tuple(column.cells) for column in COLUMNS.values())
    for layout in LAYOUTS:
        file = opened(tmp_path, layout, tools)
        assert (texts_of(file, tools), file.broken_lines.num_rows) == (written, 0), layout
    assert len(LAYOUTS) * len(COLUMNS) * 2 >= FEWEST


def test_every_locale_reads_back_equal_by_the_words_of_the_playbook(tmp_path, tools):
    values = read(opened(tmp_path, LAYOUTS[0], tools), tools, says=True)
    for key, column in COLUMNS.items():
        assert values[key] == pytest.approx(column.means, abs=1e-9), key


def test_without_the_words_a_column_is_refused_or_a_cell_is_right_or_nothing(tmp_path, tools):
    values = read(opened(tmp_path, LAYOUTS[0], tools), tools, says=False)
    for key, column in COLUMNS.items():
        pairs = zip(column.cells, values[key] or column.means, column.means, strict=True)
        wrong = [
            (cell, value)
            for cell, value, meant in pairs
            if value is not None and value != pytest.approx(meant, abs=1e-9)
        ]
        assert wrong == [], key
    assert [key for key, value in values.items() if value is None] == [
        (locale, numbers)
        for locale, sets in {
            "german": ("thousands", "three alone"),
            "swiss": ("three alone",),
            "french": ("three alone",),
            "us": ("thousands", "three alone"),
            "uk": ("thousands", "three alone"),
            "iso": ("three alone",),
        }.items()
        for numbers in sets
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    locale=st.sampled_from(list(LOCALES.values())),
    layout=st.sampled_from(LAYOUTS),
    numbers=st.lists(st.none() | st.integers(-(10**9), 10**9).map(lambda n: n / 1000), min_size=3, max_size=3),
    truths=st.lists(st.none() | st.booleans(), min_size=3, max_size=3),
    moments=st.lists(st.datetimes(datetime(2000, 1, 1), datetime(2068, 1, 1)), min_size=3, max_size=3),  # noqa: DTZ001
)
def test_any_table_of_any_locale_reads_back_equal_in_any_layout(
    tmp_path_factory, tools, locale, layout, numbers, truths, moments
):
    zoned = [moment.replace(hour=12, tzinfo=ZoneInfo(ZONE)) for moment in moments]
    columns = columns_of(locale, {"any": numbers, "mixed": numbers}, numbers, truths, zoned)
    columns["beside"] = WrittenColumn(
        "number", ["7"] * 3, [7.0] * 3, CellWriting()
    )  # else a record may be a blank line
    file = opened(tmp_path_factory.mktemp("t"), layout, tools, columns)
    for key, values in read(file, tools, columns, says=True).items():
        assert values == pytest.approx(columns[key].means, abs=1e-9), key
