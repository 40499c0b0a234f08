"""SQL that reads the cells of an export: text, numbers, instants, days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from data.sql import literal, quoted

_EARLIEST = "TIMESTAMP '1900-01-01'"
_LATEST = "TIMESTAMP '9999-12-30'"
_DAY = r"\d{4}-\d{1,2}-\d{1,2}"
_BASIC_DAY = r"(19|20)\d{6}"
_CLOCK = _DAY + r"[T ]\d{1,2}:\d{2}(:\d{2}([.]\d+)?)?"
_OFFSET = r"( ?[Zz]| ?UTC| ?[+-]\d{2}(:?\d{2})?)"

YES = ("true", "t", "yes", "y", "1", "1.0")
NO = ("false", "f", "no", "n", "0", "0.0")

_NUMBERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE"}
_NUMBERS |= {"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}
_LOCAL = {"TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S"}


def macros(zone: str) -> list[str]:
    r"""
    Return the SQL macros that read text as instants; wall clocks are those of the zone.

    An instant without an offset is a wall clock of the zone. A number counts seconds, milli-, micro- or nanoseconds
    since 1970; its size says which (each unit covers 1973 to 5138). Eight digits that are a date are a date.
    What is before 1900 or after 9999 is a placeholder, not an instant.
    """
    local = "epoch_us(t)" if zone == "UTC" else f"epoch_us(timezone({literal(zone)}, t))"
    counted = (
        "CASE WHEN n < 1e8 THEN NULL WHEN n < 1e11 THEN round(n * 1e6)::BIGINT"
        " WHEN n < 1e14 THEN round(n * 1e3)::BIGINT"
        " WHEN n < 1e17 THEN round(n)::BIGINT WHEN n < 1e20 THEN round(n / 1e3)::BIGINT END"
    )
    day = (
        f"CASE WHEN length(t) > 10 THEN NULL WHEN regexp_full_match(t, '{_DAY}') THEN TRY_CAST(t AS DATE)"
        f" WHEN regexp_full_match(t, '{_BASIC_DAY}') THEN TRY_CAST(try_strptime(t, '%Y%m%d') AS DATE) END"
    )
    tidy = "replace(replace(t, 'z', 'Z'), ' +', '+')"
    clock = (
        f"CASE WHEN regexp_full_match(t, '{_CLOCK}{_OFFSET}') THEN epoch_us(TRY_CAST({tidy} AS TIMESTAMPTZ))"
        f" WHEN regexp_full_match(t, '{_CLOCK}') THEN local_us(TRY_CAST(t AS TIMESTAMP))"
        " ELSE counted_us(TRY_CAST(t AS DOUBLE)) END"
    )
    return [
        f"local_us(t) AS {local}",
        f"plausible(us) AS CASE WHEN us BETWEEN epoch_us({_EARLIEST}) AND epoch_us({_LATEST}) THEN us END",
        f"counted_us(n) AS {counted}",
        f"as_day(t) AS {day}",
        f"as_clock(t) AS {clock}",
    ]


@dataclass(frozen=True, slots=True)
class Cells:
    """The columns of one export file, DuckDB's type of each, and the SQL that reads them."""

    types: Mapping[str, str]

    def text(self, column: str | None) -> str:
        """Read a cell as text without blanks around it; an empty one, or no column at all, is NULL."""
        if column is None:
            return "NULL::VARCHAR"
        cell, kind = quoted(column), self.types[column]
        if kind in {"FLOAT", "DOUBLE"}:  # many tools turn integers with gaps into fractions: 7.0 is the id 7
            return f"regexp_replace({cell}::VARCHAR, '[.]0$', '')"
        return f"nullif(trim({cell if kind == 'VARCHAR' else f'{cell}::VARCHAR'}), '')"

    def id(self, column: str | None) -> str:
        """Read a cell as an id, in Unicode's form NFC: an é has one spelling, and a lead one id."""
        return self.text(column) if column is None else f"nfc_normalize({self.text(column)})"

    def given(self, column: str | None) -> str:
        """Test whether a cell holds anything."""
        if column is None:
            return "FALSE"
        cell, kind = quoted(column), self.types[column]
        if kind in {"FLOAT", "DOUBLE"}:
            return f"NOT isnan(coalesce({cell}, 'nan'))"
        return f"{self.text(column) if kind == 'VARCHAR' else cell} IS NOT NULL"

    def joined(self, columns: str | Sequence[str]) -> str:
        """Read one column, or several with ``|`` between them; all empty is NULL."""
        names = [columns] if isinstance(columns, str) else list(columns)
        if len(names) == 1:
            return self.text(names[0])
        parts = ", ".join(f"coalesce({self.text(name)}, '')" for name in names)
        return f"nullif(concat_ws('|', {parts}), '{'|' * (len(names) - 1)}')"

    def number(self, column: str | None) -> str:
        """Read a cell as a finite number; anything else is NULL."""
        return finite(self.text(column))

    def day(self, column: str | None) -> str:
        """Read a cell that holds a day without a time of day; any other is NULL."""
        kind = self.types[column] if column is not None else None
        if column is None or (kind not in {"VARCHAR", "DATE"}):
            return "NULL::DATE"
        return quoted(column) if kind == "DATE" else f"as_day({self.text(column)})"

    def instant(self, column: str | None) -> str:
        """Read a cell as an instant in microseconds; for a day alone, its start; anything else is NULL."""
        if column is None:
            return "NULL::BIGINT"
        kind, cell = self.types[column], quoted(column)
        if kind == "TIMESTAMP WITH TIME ZONE":
            return f"plausible(CASE WHEN isfinite({cell}) THEN epoch_us({cell}) END)"
        if kind in _LOCAL:
            return f"plausible(CASE WHEN isfinite({cell}::TIMESTAMP) THEN local_us({cell}::TIMESTAMP) END)"
        if kind in _NUMBERS or kind.startswith("DECIMAL"):
            return f"counted_us({cell}::DOUBLE)"
        clock = f"as_clock({self.text(column)})" if kind == "VARCHAR" else "NULL::BIGINT"
        return f"plausible(coalesce(local_us({self.day(column)}::TIMESTAMP), {clock}))"

    def content(self, salt: str) -> str:
        """Derive an id from a row's content: the same row, the same id in every run, even with new empty columns."""
        parts = ", ".join(f"{literal(name + '=')} || {quoted(name)}::VARCHAR" for name in sorted(self.types))
        return f"left(md5(concat_ws(chr(31), {literal(salt)}, {parts})), 20)"


def finite(text: str) -> str:
    """
    Read text as a finite number; ``nan``, ``inf`` and words are NULL.

    >>> finite("x")
    'CASE WHEN isfinite(TRY_CAST(x AS DOUBLE)) THEN TRY_CAST(x AS DOUBLE) END'
    """
    number = f"TRY_CAST({text} AS DOUBLE)"
    return f"CASE WHEN isfinite({number}) THEN {number} END"
