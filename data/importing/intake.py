# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""A company's exports into staged contract rows, by the mapping of its playbook."""

from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import duckdb
import pyarrow as pa
from pydantic import Field, TypeAdapter

from data.errors import IntakeError
from data.files.export_file import ExportFile, ImportTools
from data.importing.contract_mapping import (
    activities_of,
    activity_rows,
    event_rows,
    lead_change_rows,
    lead_rows,
    leads_of_events,
    outcome_rows,
    outcomes_in_leads,
    outcomes_of,
)
from data.importing.exports import FileOpener, find_files, reading
from data.importing.quality import JoinCount
from data.importing.row_selection import SelectedRows, select_rows
from data.importing.staging import STAGED, Part, StagingRules, create_tables, word_meanings
from data.importing.wide_changes import with_attribute_columns
from data.progress import tracked
from data.reading.cells import macros
from data.reading.source_readings import readings_of
from data.sql import listed
from data.words.located_yaml import nearest
from data.words.playbook import Business, Playbook
from data.words.row_words import Lookup
from data.words.source_columns import mapped_columns, shared_columns
from data.words.sources import (
    ActivitySource,
    EventLogSource,
    FileSource,
    LeadChangeSource,
    LeadSource,
    OutcomeSource,
    StoreSource,
)

_FILE_SOURCE: TypeAdapter[FileSource] = TypeAdapter(Annotated[FileSource, Field(discriminator="holds")])
_BROKEN_ROWS = "CREATE TABLE broken (_part USMALLINT, _file USMALLINT, line BIGINT, content VARCHAR, why VARCHAR)"


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """A source with its files, those in which rows are looked up, and the folder from which reports name them."""

    source: FileSource
    folder: Path
    paths: tuple[Path, ...]
    looked_up: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Export:
    """A source of the playbook with its files, opened."""

    source: FileSource
    files: tuple[ExportFile, ...]
    joins: tuple[JoinCount, ...] = ()


@dataclass(frozen=True, slots=True)
class StagedRows:
    """Every row of every source, typed and marked with its faults, in the tables of one DuckDB connection."""

    connection: duckdb.DuckDBPyConnection
    parts: tuple[Part, ...]
    exports: tuple[Export, ...]

    def files_of(self, part: Part) -> tuple[ExportFile, ...]:
        """Return the files that a part was read from."""
        return self.exports[part.export_index].files


def source_files(playbook: Playbook, store: Path | None = None) -> list[SourceFiles]:
    """
    Find the files of each source, in the playbook's order.

    Args:
        playbook: the playbook, and where its exports are.
        store: where the facts of the store that the playbook names were copied to, as Parquet.

    Raises:
        IntakeError: files are missing; says which, and where they were looked for.
    """
    files, missing = [], []
    for source in playbook.business.sources:
        if isinstance(source, StoreSource):
            files += [] if store is None else list(_files_of(store))
            continue
        try:
            paths = find_files(playbook.exports_folder, source)
            others = [path for lookup in source.via for path in find_files(playbook.exports_folder, lookup)]
            files.append(SourceFiles(source, playbook.exports_folder, tuple(paths), tuple(others)))
        except IntakeError as error:
            missing.append(str(error))
    if missing:
        raise IntakeError("\n".join(missing))
    return files


def _files_of(store: Path) -> Iterator[SourceFiles]:
    """Yield the tables that were copied from a store as sources; their columns have the contract's names."""
    for table, names in STAGED.items():
        path = store / f"{table}.parquet"
        if path.exists():
            columns = {name: name for name in names}
            about = {"file": f"{table} of the store", "format": "parquet", "holds": table, "columns": columns}
            about["midnights"] = "instants"
            about |= {"machines": "marked"} if table == "activities" else {}
            yield SourceFiles(_FILE_SOURCE.validate_python(about), store, (path,))


def stage(playbook: Playbook, tools: ImportTools, *, now_us: int, store: Path | None = None) -> StagedRows:
    """
    Read every source into staged rows; none is dropped, those with a fault are marked.

    Args:
        playbook: the playbook, and where its exports are.
        tools: the connection to stage in.
        now_us: the present instant [µs]; facts after it are faults.
        store: where the facts of the store that the playbook names were copied to.

    Raises:
        IntakeError: a file is missing, damaged or empty, or lacks a column that the playbook names.
    """
    rules = StagingRules(playbook.business, now_us)
    for statement in [f"CREATE MACRO {macro}" for macro in macros(playbook.business.timezone)]:
        tools.connection.execute(statement)
    exports = _understood(_opened(playbook, tools, store), playbook.business, tools)
    for statement in [*create_tables(playbook.business), _BROKEN_ROWS]:
        tools.connection.execute(statement)
    parts: list[Part] = []
    for number, export in enumerate(exports):
        parts += _stage_export(export, export_index=number, first=len(parts), rules=rules, tools=tools)
    return StagedRows(tools.connection, tuple(parts), exports)


def _opened(playbook: Playbook, tools: ImportTools, store: Path | None) -> tuple[Export, ...]:
    exports, mistakes, opener = [], [], FileOpener(tools)
    for found in source_files(playbook, store):
        source = found.source
        selected = list(_selected(found, playbook.business, opener, tools))
        files = [with_attribute_columns(each.file, source, playbook.business) for each in selected]
        wanted = dict.fromkeys([*mapped_columns(source, playbook.business), *source.written])
        made = shared_columns(source, playbook.business)
        mistakes += [mistake for file in files for mistake in _unknown_columns(wanted, file, made)]
        exports.append(Export(source, tuple(files), tuple(join for each in selected for join in each.joins)))
    if mistakes:
        raise IntakeError("\n".join(mistakes))
    return tuple(exports)


def _selected(found: SourceFiles, business: Business, opener: FileOpener, tools: ImportTools) -> Iterator[SelectedRows]:
    """Open the files of a source, and yield each with the rows that the source selects."""

    def find(lookup: Lookup) -> list[ExportFile]:
        paths = find_files(found.folder, lookup)
        return [file for path in paths for file in opener.open(path, lookup, folder=found.folder)]

    columns = found.source.columns
    repeated_id = getattr(columns, "activity_id", None) or getattr(columns, "outcome_id", None)
    for path in found.paths:
        for file in opener.open(path, found.source, folder=found.folder):
            yield select_rows(file, found.source, find=find, playbook=business, repeated_id=repeated_id, tools=tools)


def _understood(exports: Sequence[Export], business: Business, tools: ImportTools) -> tuple[Export, ...]:
    """Resolve how each column is read, from the playbook and from all that the files of its source hold."""
    understood: list[Export] = []
    mistakes: list[str] = []
    for export in tracked(exports, "looking at columns", tools.progress):
        found = readings_of(export.source, export.files, business=business, connection=tools.connection)
        mistakes += found.mistakes
        files = tuple(replace(file, readings=found.columns) for file in export.files)
        understood.append(replace(export, files=files))
    if mistakes:
        raise IntakeError("\n".join(mistakes))
    return tuple(understood)


def _unknown_columns(wanted: Iterable[str], file: ExportFile, made: Container[str]) -> list[str]:
    known = [name for name in file.types if name not in made]
    return [
        f"{file.shown} has no column {name}; {nearest(name, known)} Correct the source's mapping in playbook.yaml."
        for name in wanted
        if name not in file.types
    ] + [
        f"{file.shown} has more than one column {name}: rename one of them, or map another column in playbook.yaml."
        for name in wanted
        if name in file.doubled
    ]


def _stage_export(
    export: Export, *, export_index: int, first: int, rules: StagingRules, tools: ImportTools
) -> list[Part]:
    source, shown = export.source, tuple(file.shown for file in export.files)
    main = Part(
        first, source.file, "events" if isinstance(source, EventLogSource) else source.holds, shown, export_index
    )
    parts = [main]
    for number, file in enumerate(tracked(export.files, f"reading {source.file}", tools.progress)):
        with reading(file.shown, file.format):
            derived = _stage_file(export, main, file=file, file_number=number, rules=rules, connection=tools.connection)
        parts = [main, *derived]
    if isinstance(source, EventLogSource):
        parts.append(_tell_apart(source, main, rules=rules, connection=tools.connection))
    if isinstance(source, LeadSource) and source.snapshot_date is not None:  # its rows are made after all are checked
        parts.append(Part(first + len(parts), source.file, "leads", shown, export_index, derived=True))
    return parts


def _stage_file(
    export: Export,
    main: Part,
    *,
    file: ExportFile,
    file_number: int,
    rules: StagingRules,
    connection: duckdb.DuckDBPyConnection,
) -> list[Part]:
    """Stage one file; return the parts it holds besides the main one."""
    source, derived = export.source, []
    _insert(connection, main, _rows_of(source, main, file=file, file_number=file_number, rules=rules))
    if isinstance(source, LeadSource) and source.outcome is not None:
        derived.append(Part(main.number + 1, source.file, "outcomes", main.files, main.export_index, derived=True))
        _insert(
            connection,
            derived[0],
            outcomes_in_leads(source, derived[0], file=file, file_number=file_number, rules=rules),
        )
    _collect_broken_lines(connection, main, file=file, file_number=file_number)
    return derived


def _rows_of(source: FileSource, part: Part, *, file: ExportFile, file_number: int, rules: StagingRules) -> str:
    match source:
        case LeadSource():
            return lead_rows(source, part, file=file, file_number=file_number, rules=rules)
        case LeadChangeSource():
            return lead_change_rows(source, part, file=file, file_number=file_number, rules=rules)
        case ActivitySource():
            return activity_rows(source, part, file=file, file_number=file_number, rules=rules)
        case OutcomeSource():
            return outcome_rows(source, part, file=file, file_number=file_number, rules=rules)
        case EventLogSource():
            return event_rows(source, part, file=file, file_number=file_number, rules=rules)


def _insert(connection: duckdb.DuckDBPyConnection, part: Part, rows: str) -> None:
    table = f"events_{part.number}" if part.holds == "events" else part.holds
    exists = connection.execute(f"SELECT count(*) FROM duckdb_tables() WHERE table_name = '{table}'").fetchall() != [
        (0,)
    ]
    connection.execute(f"INSERT INTO {table} BY NAME {rows}" if exists else f"CREATE TABLE {table} AS {rows}")


def _tell_apart(
    source: EventLogSource, part: Part, *, rules: StagingRules, connection: duckdb.DuckDBPyConnection
) -> Part:
    """Split a log's events into activities and outcomes; derive the leads."""
    events = f"events_{part.number}"
    stages = listed(source.outcomes)
    reached = f"SELECT * FROM {events} WHERE word IN {stages}"
    others = f"SELECT * FROM {events} WHERE word IS NULL OR word NOT IN {stages}"
    words = word_meanings(source.kinds, all_known=rules.business.activities)
    leads = Part(part.number + 1, source.file, "leads", part.files, part.export_index, derived=True)
    statements = {
        "activities": activities_of(others, words, ignore=source.ignore, rules=rules),
        "outcomes": outcomes_of(reached, source.outcomes, ignore=(), rules=rules),
        "leads": leads_of_events(source, leads, events=events, rules=rules),
    }
    for table, rows in statements.items():
        connection.execute(f"INSERT INTO {table} BY NAME {rows}")
    return leads


def _collect_broken_lines(
    connection: duckdb.DuckDBPyConnection, part: Part, *, file: ExportFile, file_number: int
) -> None:
    """Record the lines that could not be read: they are rows, too."""
    if file.broken_lines.num_rows:
        with _seen_as(connection, "broken_lines", file.broken_lines):
            columns = f"{part.number}, {file_number}, line, content, why"
            connection.execute(f"INSERT INTO broken SELECT {columns} FROM broken_lines")


@contextmanager
def _seen_as(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> Iterator[None]:
    connection.register(name, table)
    try:
        yield
    finally:
        connection.unregister(name)
