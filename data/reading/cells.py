# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""SQL that reads the cells of an export: text, ids, numbers, yes and no, instants, days."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from data.contract import AttributeType
from data.instants import DAY_US
from data.reading.column_readings import ColumnReading
from data.reading.date_formats import instant_macros, reads_clock, reads_day, reads_numbers
from data.reading.id_cells import id_macros, in_one_form
from data.reading.number_notation import finite, shape_macro
from data.sql import listed, literal, quoted
from data.words.row_words import Scalar

YES = ("true", "t", "yes", "y", "1", "1.0")
NO = ("false", "f", "no", "n", "0", "0.0")
NOTHING = ("null", "n/a", "na", "nan", "#n/a", "none", "-", "(not set)")
"""What stands in a cell that holds no number, no instant and neither yes nor no, in small letters."""

NEVER_IN_A_NAME = "\x1f"
_FRACTIONS = {"FLOAT", "DOUBLE"}
_NUMBERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", *_FRACTIONS}
_NUMBERS |= {"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}
_LOCAL = {"TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S"}
_ZONED = "TIMESTAMP WITH TIME ZONE"
_WITH_COLONS = {"iso", "us", "german"}


def macros(zone: str) -> list[str]:
    """Return the SQL macros that the readers of cells use; wall clocks are those of the zone."""
    return [*instant_macros(zone), *id_macros(), shape_macro()]


@dataclass(frozen=True, slots=True)
class Cells:
    """The columns of one export file, DuckDB's type of each, how each is read, and the SQL that reads it."""

    types: Mapping[str, str]
    readings: Mapping[str, ColumnReading] = field(default_factory=dict)
    tidied: frozenset[str] = frozenset()

    def over(self, rows: str, columns: Iterable[str]) -> tuple["Cells", str]:
        """
        Return readers and rows in which the text of some columns is computed once, however often it is looked at.

        Args:
            rows: the file's rows as SQL.
            columns: those that are mapped.
        """
        names = list(dict.fromkeys(columns))
        texts = [f"{self.text(name)} AS {_text_of(name)}" for name in names]
        filled = [f"{_without(_text_of(name), NOTHING)} AS {_filled_of(name)}" for name in names]
        once = f"(SELECT {', '.join(['*', *texts])} FROM {rows})"
        return replace(self, tidied=frozenset(names)), f"(SELECT {', '.join(['*', *filled])} FROM {once})"

    def reading(self, column: str) -> ColumnReading:
        """Return how a column is read."""
        return self.readings.get(column, _AS_ALWAYS)

    def text(self, column: str | None) -> str:
        """Read a cell as text without blanks around it; an empty one, or no column at all, is NULL."""
        if column is None:
            return "NULL::VARCHAR"
        if column in self.tidied:
            return _text_of(column)
        cell, kind = quoted(column), self.types[column]
        if kind in _FRACTIONS:  # many tools turn integers with gaps into fractions: 7.0 is the id 7
            text = f"regexp_replace({cell}::VARCHAR, '[.]0$', '')"
        else:
            text = _trimmed(cell if kind == "VARCHAR" else f"{cell}::VARCHAR")
        return _without(text, self._empty(column))

    def filled(self, column: str | None) -> str:
        """Read a cell as text for a number, an instant, a yes or no; the usual words for nothing are NULL."""
        if column in self.tidied:
            return _filled_of(column)
        return self.text(column) if column is None else _without(self.text(column), NOTHING)

    def id(self, column: str | None, rule: str) -> str:
        """Read a cell as an id in the form of the playbook's rule and Unicode's NFC, so that a lead has one id."""
        return self.text(column) if column is None else in_one_form(self.text(column), rule)

    def given(self, column: str | None) -> str:
        """Test whether a cell holds anything."""
        if column is None:
            return "FALSE"
        cell, kind = quoted(column), self.types[column]
        if kind == "VARCHAR":
            return f"{self.filled(column)} IS NOT NULL"
        if kind in _FRACTIONS:
            return f"NOT isnan(coalesce({cell}, 'nan'))"
        return f"{cell} IS NOT NULL{self._said_to_be_filled(column)}"

    def joined(self, columns: str | Sequence[str]) -> str:
        """Read one column, or several with ``|`` between them; all empty is NULL."""
        names = [columns] if isinstance(columns, str) else list(columns)
        if len(names) == 1:
            return self.text(names[0])
        parts = ", ".join(f"coalesce({self.text(name)}, '')" for name in names)
        return f"nullif(concat_ws('|', {parts}), '{'|' * (len(names) - 1)}')"

    def number(self, column: str | None) -> str:
        """Read a cell as a finite number; anything else is NULL."""
        if column is None:
            return "NULL::DOUBLE"
        text = self.filled(column)
        return self.reading(column).notation.sql(text) if self.types[column] == "VARCHAR" else finite(text)

    def yes_or_no(self, column: str) -> str:
        """Read a cell as a boolean; anything but the words for yes and no is NULL."""
        if self.types[column] == "BOOLEAN":
            return quoted(column)
        said = self.reading(column).writing
        yes = YES if said.yes is None else said.yes
        no = tuple(word for word in (NO if said.no is None else said.no) if word not in yes)
        text = f"lower({self.text(column)})"
        return f"CASE WHEN {text} IN {_lower(yes)} THEN TRUE WHEN {text} IN {_lower(no)} THEN FALSE END"

    def says(self, column: str, value: Scalar) -> str:
        """Test whether a cell says a value: a boolean by the words for yes and no, a number by its size."""
        if isinstance(value, bool):
            return f"{self.yes_or_no(column)} IS {'TRUE' if value else 'FALSE'}"
        if isinstance(value, int | float):
            return f"TRY_CAST({self.text(column)} AS DOUBLE) = {literal(value)}"
        return f"{self.text(column)} = {literal(value)}"

    def attribute(self, column: str, kind: AttributeType) -> str:
        """Read a cell as the value of an attribute; what is none is NULL."""
        match kind:
            case AttributeType.NUMERIC:
                return self.number(column)
            case AttributeType.BOOLEAN:
                return self.yes_or_no(column)
            case AttributeType.CATEGORY:
                return self.text(column)

    def attribute_text(self, column: str, kind: AttributeType) -> str:
        """Read a cell as text where it holds a value of an attribute, readable or not."""
        return self.text(column) if kind is AttributeType.CATEGORY else self.filled(column)

    def instant(self, column: str | None) -> str:
        """Read a cell as an instant [µs], plausible or not; for a day alone, its start; anything else is NULL."""
        if column is None:
            return "NULL::BIGINT"
        kind, cell = self.types[column], quoted(column)
        if kind == _ZONED:
            read = f"CASE WHEN isfinite({cell}) THEN epoch_us({cell}) END"
        elif kind in _LOCAL:
            read = f"CASE WHEN isfinite({cell}::TIMESTAMP) THEN local_us({cell}::TIMESTAMP) END"
        else:
            clocks = [reads_clock(given, self._date_text(column)) for given in self._formats(column)]
            return f"coalesce({', '.join([f'local_us({self.day(column)}::TIMESTAMP)', *clocks])})"
        return f"CASE WHEN {self.given(column)} THEN {read} END" if self._empty(column) else read

    def day(self, column: str | None) -> str:
        """Read a cell that holds a day without a time of day as a DATE; any other is NULL."""
        kind = None if column is None else self.types[column]
        if column is None or kind == _ZONED or kind in _LOCAL:
            return "NULL::DATE"
        if kind == "DATE":
            return f"CASE WHEN {self.given(column)} AND isfinite({quoted(column)}) THEN {quoted(column)} END"
        days = [reads_day(given, self._date_text(column)) for given in self._formats(column)]
        return f"coalesce({', '.join(days)})" if len(days) > 1 else days[0]

    def own_midnight(self, column: str | None) -> str:
        """Read the day of a cell that is midnight by the offset written in it as a DATE; any other is NULL."""
        if column is None or self.reading(column).days != "own":
            return "NULL::DATE"
        text = self.text(column)
        return f"CASE WHEN is_own_midnight({text}) THEN own_day({text}) END"

    def midnight_end(self, column: str | None, *, us: str, own_midnight: str) -> str:
        """
        Return the end of the day that a midnight stands for [µs], NULL where it stands for itself.

        Args:
            column: the column, whose reading says by which clock its midnights are days.
            us: the SQL of the cell's instant, as `instant` read it.
            own_midnight: the SQL of the cell's day, as `own_midnight` read it.
        """
        days = None if column is None else self.reading(column).days
        if days is None:
            return "NULL::BIGINT"
        if days == "zone":
            return f"CASE WHEN is_zone_midnight({us}) THEN day_end(zone_clock({us})::DATE) END"
        # a day that begins by another clock than the zone's is over when it is over by both
        if days == "own":
            return f"CASE WHEN {own_midnight} IS NOT NULL THEN greatest({us} + {DAY_US}, day_end({own_midnight})) END"
        ends = f"greatest({us} + {DAY_US}, day_end(make_timestamp({us} + {days})::DATE))"
        return f"CASE WHEN ({us} + {days}) % {DAY_US} = 0 THEN {ends} END"

    def is_bare_number(self, column: str) -> str:
        """Test whether a cell is a number that no format of the playbook explains."""
        if reads_numbers(self.reading(column).writing.date_formats):
            return "FALSE"
        return f"coalesce(is_bare_number({self._date_text(column)}), FALSE)"

    def is_numeric(self, column: str) -> bool:
        """Return whether the column holds numbers by its type."""
        return self.types[column] in _NUMBERS or self.types[column].startswith("DECIMAL")

    def has_offsets(self, column: str) -> bool:
        """Return whether instants of the column may be those of another clock than the playbook's zone."""
        return self.types[column] in {"VARCHAR", _ZONED}

    def is_iso(self, column: str) -> bool:
        """Return whether the column is text that may be in ISO 8601."""
        return self.types[column] == "VARCHAR" and "iso" in self._formats(column)

    def has_colons(self, column: str) -> bool:
        """Return whether every time of day in the column has a colon after its hour."""
        return self.types[column] == "VARCHAR" and all(given in _WITH_COLONS for given in self._formats(column))

    def content(self, salt: str) -> str:
        """Derive an id from a row's content: the same row, the same id in every run, even with new empty columns."""
        parts = ", ".join(f"{literal(name + '=')} || {quoted(name)}::VARCHAR" for name in sorted(self.types))
        return f"left(md5(concat_ws(chr(31), {literal(salt)}, {parts})), 20)"

    def _formats(self, column: str) -> tuple[str, ...]:
        return self.reading(column).writing.date_formats or ("iso",)

    def _date_text(self, column: str) -> str:
        """Return the text of a cell that may be an instant; a fraction is written out, without an exponent."""
        if self.types[column] in _FRACTIONS:
            written_out = f"regexp_replace(printf('%.6f', {quoted(column)}), '[.]?0+$', '')"
            return f"CASE WHEN isfinite({quoted(column)}) THEN {written_out} END"
        return self.filled(column)

    def _empty(self, column: str) -> Sequence[str]:
        return self.reading(column).writing.empty or ()

    def _said_to_be_filled(self, column: str) -> str:
        """Return the test that a typed cell is none of the words for nothing; a day among them means its midnight."""
        if not self._empty(column):
            return ""
        text = f"regexp_replace({quoted(column)}::VARCHAR, ' 00:00:00([+]00)?$', '')"
        return f" AND {text} NOT IN {_lower(self._empty(column))}"


_AS_ALWAYS = ColumnReading()


def _trimmed(cell: str) -> str:
    """
    Return the SQL of a text without what stands around it, NULL if nothing is left; few cells have any to take off.

    Blanks stand there, or what keeps Excel from reading a number: ``="007"`` is the text 007.
    """
    ends = f"starts_with({cell}, ' ') OR ends_with({cell}, ' ')"
    formula = f"starts_with({cell}, '=\"') AND ends_with({cell}, '\"')"
    content = f"nullif(trim(substr({cell}, 3, length({cell}) - 3)), '')"
    trimmed = f"WHEN {ends} THEN nullif(trim({cell}), '')"
    return f"CASE {trimmed} WHEN {formula} THEN {content} WHEN {cell} <> '' THEN {cell} END"


def _text_of(column: str) -> str:
    return quoted(f"{NEVER_IN_A_NAME}text{NEVER_IN_A_NAME}{column}")


def _filled_of(column: str) -> str:
    return quoted(f"{NEVER_IN_A_NAME}filled{NEVER_IN_A_NAME}{column}")


def _without(text: str, words: Iterable[str]) -> str:
    """Return the SQL of a text that is NULL where it is one of the words, in any letter case."""
    return f"CASE WHEN lower({text}) NOT IN {_lower(words)} THEN {text} END" if words else text


def _lower(words: Iterable[str]) -> str:
    return listed(dict.fromkeys(word.strip().lower() for word in words))
