# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""The rows of a source that its playbook selects: looked up in other files, columns derived, others left out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from data.errors import IntakeError
from data.files.export_file import ExportFile, ImportTools
from data.importing.name_dates import date_in_name
from data.importing.quality import JoinCount
from data.reading.cells import Cells
from data.reading.column_readings import ColumnReading, writing_of
from data.reading.id_cells import in_one_form
from data.sql import literal, quoted
from data.words.business import Business
from data.words.located_yaml import nearest
from data.words.row_words import CellCondition, CellTest, DerivedCase, Lookup, RowWords, Scalar
from data.words.writing import FileWriting

Finder = Callable[[Lookup], Sequence[ExportFile]]
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class SelectedRows:
    """A file whose rows are those that the playbook selects, and what its lookups met."""

    file: ExportFile
    joins: tuple[JoinCount, ...]


def select_rows(
    file: ExportFile, words: RowWords, *, find: Finder, playbook: Business, repeated_id: str | None, tools: ImportTools
) -> SelectedRows:
    """
    Return a file with the rows that its source selects, and with the columns that are looked up or derived.

    Args:
        file: the file, opened.
        words: what the source says about its rows.
        find: opens the files of a lookup.
        playbook: by its ids rule keys compare, and its words say how cells are written.
        repeated_id: the column with the row's own id, which is numbered where a lookup repeats the row.
        tools: the connection to work in.

    Raises:
        IntakeError: a column is unknown or already there, a key matches several rows where that is not expected, or the
            name of the file does not hold one date where it should.
    """
    for name, given in words.from_name.items():
        file = _dated(file, name, given)
    if not (words.via or words.derived or words.where):
        return SelectedRows(file, ())
    selected, joins = _stored(_worded(file, words, playbook), tools), []
    for lookup in words.via:
        there = [_worded(other, lookup, playbook) for other in find(lookup)]
        rule = lookup.ids or playbook.ids
        selected, join = _looked_up(selected, lookup, there, ids=rule, repeated_id=repeated_id, tools=tools)
        joins.append(join)
    for name, cases in words.derived.items():
        selected = _derived(selected, name, cases)
    if words.where is not None:
        _require_columns(selected, words.where)
        selected = replace(selected, rows=_filtered(selected.rows, conditions_met(selected.cells, words.where)))
    stored = _stored(selected, tools)
    kept, distinct = tools.connection.execute(f"SELECT count(*), count(DISTINCT _row) FROM {stored.rows}").fetchall()[0]
    return SelectedRows(replace(stored, count=kept, skipped=file.count - distinct), tuple(joins))


def _dated(file: ExportFile, name: str, given: str) -> ExportFile:
    """Return a file with the date in its name as a column; that of a file in an archive is its own."""
    require_new(file, name)
    day = f"DATE '{date_in_name(PurePosixPath(file.shown).name, given)}'"
    rows = f"(SELECT *, {day} AS {quoted(name)} FROM {file.rows})"
    return replace(file, rows=rows, types={**file.types, name: "DATE"}, original=file.as_json)


def _worded(file: ExportFile, words: FileWriting, playbook: Business) -> ExportFile:
    """Return a file whose cells are read by the words for them; what profiles find out comes later."""
    return replace(file, readings={name: ColumnReading(writing_of(name, words, playbook)) for name in file.types})


def conditions_met(cells: Cells, conditions: Mapping[str, CellCondition]) -> str:
    """Return the SQL of whether a row meets all conditions; an empty cell meets only ``given: false`` and ``not``."""
    return " AND ".join(f"({_met(cells, column, test)})" for column, test in conditions.items())


def _met(cells: Cells, column: str, test: CellCondition) -> str:
    if isinstance(test, CellTest):
        parts = []
        if test.starts_with is not None:
            parts.append(f"coalesce(starts_with({cells.text(column)}, {literal(test.starts_with)}), FALSE)")
        if test.given is not None:
            parts.append(f"{cells.text(column)} IS {'NOT ' if test.given else ''}NULL")
        if test.is_not is not None:
            parts.append(f"NOT ({_met(cells, column, test.is_not)})")
        return " AND ".join(parts)
    values = test if isinstance(test, tuple) else (test,)
    return " OR ".join(f"coalesce({cells.says(column, value)}, FALSE)" for value in values)


def _filtered(rows: str, condition: str) -> str:
    return f"(SELECT * FROM {rows} WHERE {condition})"


def _derived(file: ExportFile, name: str, cases: Sequence[DerivedCase]) -> ExportFile:
    require_new(file, name)
    parts = []
    for case in cases:
        _require_columns(file, {**(case.when or {}), **({case.column: True} if case.column else {})})
        value = file.cells.text(case.column) if case.column else literal(_word(case.value))
        parts.append(f"WHEN {conditions_met(file.cells, case.when) if case.when else 'TRUE'} THEN {value}")
    rows = f"(SELECT *, CASE {' '.join(parts)} END AS {quoted(name)} FROM {file.rows})"
    return replace(file, rows=rows, types={**file.types, name: "VARCHAR"})


def _word(value: Scalar | None) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _looked_up(
    file: ExportFile,
    lookup: Lookup,
    there: Sequence[ExportFile],
    *,
    ids: str,
    repeated_id: str | None,
    tools: ImportTools,
) -> tuple[ExportFile, JoinCount]:
    """Return a file whose rows have what was looked up for them."""
    _require_columns(file, lookup.match)
    for name in lookup.take:
        require_new(file, name)
    theirs = " UNION ALL ".join(_keyed(other, lookup, number, ids) for number, other in enumerate(there))
    ours = ", ".join(f"{file.cells.id(column, ids)} AS _key_{at}" for at, column in enumerate(lookup.match))
    same = " AND ".join(f"f.{name} = t.{name}" for name in _key_names(lookup).split(", "))
    nth = f"row_number() OVER (PARTITION BY {_key_names(lookup)} ORDER BY _at, _there) AS _nth"
    tools.connection.execute(f"CREATE OR REPLACE TEMP TABLE looked_up AS SELECT *, {nth} FROM ({theirs})")
    tools.connection.execute(f"CREATE OR REPLACE TEMP TABLE own_keys AS SELECT {ours} FROM {file.rows}")
    join = _counted(file, lookup, there, tools)
    if lookup.several == "refuse":
        _require_one(lookup, there, tools)
    chosen = "looked_up" if lookup.several == "each" else "(SELECT * FROM looked_up WHERE _nth = 1)"
    kind = "JOIN" if lookup.unmet == "ignore" else "LEFT JOIN"
    taken = ", ".join(f"t.{quoted(name)}" for name in lookup.take)
    renumbered = ""
    if lookup.several == "each" and repeated_id is not None and repeated_id in file.types:
        text = file.cells.text(repeated_id)
        renumbered = (
            f" REPLACE (CASE WHEN t._nth > 1 THEN {text} || '-' || t._nth ELSE {text} END AS {quoted(repeated_id)})"
        )
    keyed = f"(SELECT *, {ours} FROM {file.rows}) AS f"
    ours = f"f.* EXCLUDE ({_key_names(lookup)}){renumbered}"
    rows = f"(SELECT {ours}, {taken} FROM {keyed} {kind} {chosen} AS t ON {same})"
    types = {**file.types, **dict.fromkeys(lookup.take, "VARCHAR")}
    if renumbered and repeated_id is not None:
        types[repeated_id] = "VARCHAR"
    return _stored(replace(file, rows=rows, types=types), tools), join


def _keyed(other: ExportFile, lookup: Lookup, number: int, ids: str) -> str:
    """Return the keys and the taken columns of a file in which others are looked up."""
    _require_columns(other, {**dict.fromkeys(lookup.match.values(), True), **dict.fromkeys(lookup.take.values(), True)})
    keys = {
        f"_key_{position}": _key(other, lookup, column, ids) for position, column in enumerate(lookup.match.values())
    }
    taken = {name: other.cells.text(column) for name, column in lookup.take.items()}
    columns = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in {**keys, **taken}.items())
    met = ""
    if lookup.where is not None:
        _require_columns(other, lookup.where)
        met = f" WHERE {conditions_met(other.cells, lookup.where)}"
    return f"SELECT {number} AS _at, _row AS _there, {columns} FROM {other.rows}{met}"


def _key(other: ExportFile, lookup: Lookup, column: str, ids: str) -> str:
    """Return the SQL of a key there; a list of keys, with or without brackets, makes a row for each."""
    if column not in lookup.split:
        return other.cells.id(column, ids)
    without_brackets = f"trim({other.cells.text(column)}, '[]{{}}() ')"
    each = f"unnest(string_split({without_brackets}, {literal(lookup.split[column])}))"
    return in_one_form(f"nullif(trim({each}, '\" '), '')", ids)


def _key_names(lookup: Lookup) -> str:
    return ", ".join(f"_key_{position}" for position in range(len(lookup.match)))


def _counted(file: ExportFile, lookup: Lookup, there: Sequence[ExportFile], tools: ImportTools) -> JoinCount:
    """Count the rows whose keys, in the table ``own_keys``, meet a row of the table ``looked_up``."""
    names = _key_names(lookup)
    shown = f"concat_ws('|', {names})"
    given = " AND ".join(f"{name} IS NOT NULL" for name in names.split(", "))
    keyed = f"SELECT {names}, count(*) AS n FROM own_keys WHERE {given} GROUP BY ALL"
    marked = f"SELECT *, ({names}) IN (SELECT ({names}) FROM looked_up WHERE {given}) AS known FROM ({keyed})"
    tools.connection.execute(f"CREATE OR REPLACE TEMP TABLE counted_keys AS {marked}")
    counts = "SELECT coalesce(sum(n), 0)::BIGINT, coalesce(sum(n) FILTER (known), 0)::BIGINT FROM counted_keys"
    rows, met = tools.connection.execute(counts).fetchall()[0]
    unmet = f"SELECT DISTINCT {shown} FROM counted_keys WHERE NOT known ORDER BY 1 LIMIT {_SHOWN}"
    stand = f"SELECT DISTINCT {shown} FROM looked_up ORDER BY 1 LIMIT {_SHOWN}"
    examples, theirs = ([key for (key,) in tools.connection.execute(keys).fetchall()] for keys in (unmet, stand))
    files = ", ".join(other.shown for other in there)
    return JoinCount(
        file=file.shown,
        there=files,
        keys=tuple(lookup.match),
        rows=rows,
        met=met,
        examples=tuple(examples),
        theirs=tuple(theirs),
    )


def _require_one(lookup: Lookup, there: Sequence[ExportFile], tools: ImportTools) -> None:
    shown = f"concat_ws('|', {_key_names(lookup)})"
    query = f"SELECT {shown} FROM looked_up WHERE _nth > 1 AND _key_0 IS NOT NULL LIMIT 1"
    for (key,) in tools.connection.execute(query).fetchall():
        files, columns = ", ".join(other.shown for other in there), ", ".join(lookup.match.values())
        message = (
            f"{files} has several rows with {columns} {key}: say several: first (the first row counts) or several: each"
            " (the row is repeated for each) in the source's via."
        )
        raise IntakeError(message)


def _stored(file: ExportFile, tools: ImportTools) -> ExportFile:
    """Keep a file's rows as they are now, so that what is read twice is joined once."""
    target = literal(str(tools.new_path("parquet")))
    columns = ", ".join(["_row", *(quoted(name) for name in file.types)])
    marks = f"{file.as_json} AS _original, {file.broken} AS _is_broken"
    tools.connection.execute(f"COPY (SELECT {columns}, {marks} FROM {file.rows}) TO {target} (FORMAT parquet)")
    return replace(file, rows=f"read_parquet({target})", original="_original", broken="_is_broken")


def _require_columns(file: ExportFile, wanted: Mapping[str, object]) -> None:
    for name in wanted:
        if name in file.doubled:
            message = f"{file.shown} has more than one column {name}: rename one of them, or name another column."
            raise IntakeError(message)
        if name not in file.types:
            message = f"{file.shown} has no column {name}; {nearest(name, file.types)} Correct playbook.yaml."
            raise IntakeError(message)


def require_new(file: ExportFile, name: str) -> None:
    """
    Refuse a new column whose name the file has already.

    Raises:
        IntakeError: it has it, in whatever letter case.
    """
    if name.lower() in {known.lower() for known in file.types}:
        message = f"{file.shown} already has a column {name}: give the new column in playbook.yaml another name."
        raise IntakeError(message)
