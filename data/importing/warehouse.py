# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""The contract tables for training: Parquet on this machine, queried by DuckDB through Ibis."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pandas as pd

from data.atomic_files import new_folder, scratch_folder
from data.duckdb_settings import interruptible, memory_limit, without_bars
from data.errors import DataError, QualityError
from data.files.export_file import ImportTools
from data.importing.cross_checks import check_together
from data.importing.full_dumps import versions_of_dumps
from data.importing.intake import StagedRows, source_files, stage
from data.importing.lead_histories import versions_with_changes
from data.importing.machine_marks import mark_machines
from data.importing.made_ids import number_repeats
from data.importing.money_conversion import convert_money
from data.importing.quality import QualityReport
from data.importing.rejects import report_of, write_rejected
from data.importing.staging import STAGED, contract_columns
from data.importing.time_outliers import period_of, period_report
from data.instants import now_us as present_us
from data.progress import Progress, silent
from data.sql import literal, quoted
from data.store_copy import copied_store
from data.table_caches import REJECTED_SUFFIX, require_own_rejects
from data.words.playbook import ActivityKind, Business, Playbook
from data.words.sources import LeadSource
from data.words.writing import CellWriting
from data.workspace import Workspace

INTAKE = 4
"""Raised whenever the same exports would be read otherwise than before, so that no older tables are reused."""

MANIFEST = "manifest.json"
_SPILL = "spill"
_FILES = {MANIFEST, _SPILL, *(f"{table}.parquet" for table in STAGED)}
_INSTANTS = {"created_at", "known_at", "occurred_at", "reached_at"}
_ORDER = {
    "leads": "lead_id, known_at",
    "activities": "lead_id, occurred_at, known_at, activity_id",
    "outcomes": "lead_id, reached_at, known_at, outcome_id",
}


@dataclass(frozen=True)
class Warehouse:
    """
    The contract tables of one import; instants are microseconds since 1970 [int64].

    Attributes of leads are float64 (numbers; yes and no as 1 and 0) or text. Activities lie sorted by lead and time.

    Attributes:
        folder: where the tables lie.
        fingerprint: the hash of all that decides what they hold.
        begin_us: where facts begin in mass; see `data.importing.history_period`.
        cutoff_us: where they end in mass. The tables also hold facts from before the begin and after the end.
        rows: table → number of its rows.
        quality: what became of the rows of the exports.
    """

    folder: Path
    fingerprint: str
    begin_us: int
    cutoff_us: int
    rows: dict[str, int]
    quality: QualityReport

    @classmethod
    def open(cls, folder: Path) -> "Warehouse":
        """
        Open the tables of a finished import.

        Raises:
            DataError: the folder does not hold one.
        """
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            sizes = {name: (folder / name).stat().st_size for name in manifest["files"]}
            warehouse = cls(
                folder,
                manifest["fingerprint"],
                manifest["begin_us"],
                manifest["cutoff_us"],
                manifest["rows"],
                QualityReport(**manifest["quality"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"{folder} does not hold imported tables ({error}): import the history again."
            raise DataError(message) from None
        if sizes != manifest["files"]:
            message = f"{folder} was changed after it was imported: delete it and import the history again."
            raise DataError(message)
        return warehouse

    @classmethod
    def of_tables(cls, folder: Path) -> "Warehouse":
        """
        Open contract tables that no import has checked.

        Args:
            folder: holds ``leads.parquet``, ``activities.parquet`` and ``outcomes.parquet``.
        """
        unjudged = QualityReport(playbook="", sources=(), violations=(), most_rejected=1.0)
        return cls(folder, "", begin_us=0, cutoff_us=0, rows={}, quality=unjudged)

    @cached_property
    def connection(self) -> Any:
        """The Ibis backend of this warehouse: one DuckDB connection in memory with a view on each table."""
        backend = ibis.duckdb.connect(memory_limit=memory_limit(), temp_directory=str(self.folder / _SPILL))
        without_bars(backend.con)
        for table in STAGED:
            backend.raw_sql(f"CREATE VIEW {table} AS {_view(self.folder / f'{table}.parquet')}")
        return backend

    @property
    def leads(self) -> ibis.Table:
        """The versions of leads with their attributes."""
        return self.connection.table("leads")

    @property
    def activities(self) -> ibis.Table:
        """The activities."""
        return self.connection.table("activities")

    @property
    def outcomes(self) -> ibis.Table:
        """The outcomes."""
        return self.connection.table("outcomes")

    def frame(self, table: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return a whole table, or some columns of it, as a frame, in the order it lies in."""
        chosen = self.connection.table(table)
        frame: pd.DataFrame = (chosen if columns is None else chosen.select(*columns)).execute()
        return frame

    def snapshots_table(self, frame: pd.DataFrame, name: str = "snapshots") -> ibis.Table:
        """
        Add snapshots to the tables, so that an expression can use both.

        Args:
            frame: (n, 2 or more) ``lead_id`` [text], ``as_of`` [int64 µs].
            name: what to call it; a table of that name is replaced.
        """
        return self.connection.create_table(name, obj=frame, temp=True, overwrite=True)


def import_history(workspace: Workspace, *, progress: Progress = silent, now_us: int | None = None) -> Warehouse:
    """
    Read a company's exports into contract tables, or reuse the tables if nothing has changed.

    Args:
        workspace: the playbook, and where tables and models are kept.
        progress: called with the progress so far.
        now_us: the present instant [µs]; default: the clock's.

    Raises:
        IntakeError: an export is missing, damaged, empty, or lacks a column that the playbook names; or the store
            that it names cannot be read.
        QualityError: a source has more rejected rows than the playbook allows.
    """
    with copied_store(workspace, progress) as store:
        fingerprint = fingerprint_of(workspace.playbook, store, progress=progress)
        target = workspace.home.tables(workspace.playbook.business.name) / fingerprint[:16]
        if (unchanged := _unchanged(target)) is not None:
            return unchanged
        rejected = target.with_name(f"{target.name}{REJECTED_SUFFIX}")
        require_own_rejects(rejected)
        reading = ImportRequest(workspace.playbook, store, fingerprint, now_us or present_us(), rejected, progress)
        with (
            scratch_folder(target.parent) as scratch,
            new_folder(target, overwrite=True, only=_FILES) as draft,
        ):
            _import(reading, draft, scratch=scratch)
    return Warehouse.open(target)


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What to import, as of when: the playbook, the copy of its store, the fingerprint; where rejected rows go."""

    playbook: Playbook
    store: Path | None
    fingerprint: str
    now_us: int
    rejected: Path
    progress: Progress


def _unchanged(target: Path) -> Warehouse | None:
    """Return the tables that stand there, unless they are damaged or have rejected rows that time may have mended."""
    try:
        warehouse = Warehouse.open(target)
    except DataError:
        return None
    return None if any(violation.rule == "future" for violation in warehouse.quality.violations) else warehouse


def fingerprint_of(playbook: Playbook, store: Path | None = None, *, progress: Progress = silent) -> str:
    """
    Return the sha256 of all that decides what the tables hold: the playbook's mapping and the files' content.

    Args:
        playbook: the playbook, and where its exports are.
        store: where the facts of the store that the playbook names were copied to.
        progress: called with the progress so far.
    """
    paths = [
        (source.folder, path) for source in source_files(playbook, store) for path in (*source.paths, *source.looked_up)
    ]
    digests = []
    for done, (inside, path) in enumerate(paths):
        progress("looking for changes", done, len(paths))
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        digests.append((path.relative_to(inside).as_posix(), digest))
    progress("looking for changes", len(paths), len(paths))
    text = json.dumps([INTAKE, _relevant(playbook.business), digests], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _relevant(business: Business) -> dict[str, Any]:
    has_dumps = any(isinstance(source, LeadSource) and source.snapshot_date for source in business.sources)
    decisive = {"type", "values", *(["as_of_creation"] if has_dumps else [])}
    return {
        "timezone": business.timezone,
        "ids": [business.ids, business.account_ids],
        "written": {name: getattr(business, name) for name in CellWriting.model_fields},
        "goal": business.goal.stage,
        "sources": [source.model_dump(mode="json", exclude={"database"}) for source in business.sources],
        "activities": {name: _row_rules(kind) for name, kind in business.activities.items()},
        "attributes": {name: attribute.model_dump(include=decisive) for name, attribute in business.attributes.items()},
        "money": business.model_dump(mode="json", include={"currency", "rates"}),
        "machines": [rule.model_dump() for rule in business.machines],
        "stages": list(business.stages),
        "most_rejected": business.most_rejected,
    }


def _row_rules(kind: ActivityKind) -> tuple[bool | list[str], str | None, bool]:
    """Return what decides how rows of a kind are kept: any subject or those listed, the unit of values, if money."""
    return kind.subject or sorted(kind.subjects), kind.value, kind.money


def _import(reading: ImportRequest, draft: Path, *, scratch: Path) -> None:
    playbook, progress = reading.playbook.business, reading.progress
    with _import_tools(scratch, progress) as tools:
        staged = stage(reading.playbook, tools, now_us=reading.now_us, store=reading.store)
        number_repeats(staged)
        check_together(staged, playbook, progress)
        versions_of_dumps(staged, playbook)
        changes = {"machines": mark_machines(staged, playbook), "money": convert_money(staged, playbook)}
        report = report_of(staged, playbook).model_copy(update=changes)
        rejected = reading.rejected
        report = _with_rejected_rows(staged, report, rejected)
        _require_quality(report)
        _require_leads(report)
        versions_with_changes(staged, playbook)
        rows = _write_tables(staged, playbook, draft, progress)
        period = period_of(staged, now_us=reading.now_us)
        report = report.model_copy(update={"period": period_report(staged, period, playbook, now_us=reading.now_us)})
    files = {path.name: path.stat().st_size for path in sorted(draft.iterdir())}
    manifest = {
        "fingerprint": reading.fingerprint,
        "begin_us": period.begin_us,
        "cutoff_us": period.end_us,
        "rows": rows,
        "files": files,
        "quality": report.model_dump(mode="json"),
    }
    (draft / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


@contextmanager
def _import_tools(scratch: Path, progress: Progress) -> Iterator[ImportTools]:
    spill, events = scratch / "spill", scratch / "events"
    events.mkdir()
    settings: dict[str, Any] = {"memory_limit": memory_limit(), "temp_directory": str(spill)}
    with duckdb.connect(str(scratch / "staging.duckdb"), config=settings) as connection, interruptible():
        without_bars(connection)
        yield ImportTools(connection, events, progress)


def _with_rejected_rows(staged: StagedRows, report: QualityReport, path: Path) -> QualityReport:
    path.unlink(missing_ok=True)
    return report.model_copy(update={"rejected_rows": str(path)}) if write_rejected(staged, path) else report


def _require_quality(report: QualityReport) -> None:
    if report.complaints:
        details = f"\nRejected rows with reasons: {report.rejected_rows}" if report.rejected_rows else ""
        raise QualityError("\n".join(report.complaints) + details, report)


def _require_leads(report: QualityReport) -> None:
    if not any(count.kept for count in report.sources if count.holds == "leads"):
        message = "No lead is left: see the rejected rows, and correct the export or its mapping."
        raise QualityError(message, report)


def _write_tables(staged: StagedRows, business: Business, target: Path, progress: Progress) -> dict[str, int]:
    rows = {}
    for done, table in enumerate(STAGED):
        progress("writing tables", done, len(STAGED))
        names = contract_columns(table, business)
        columns = ", ".join(
            f"make_timestamptz({name}) AS {name}" if name in _INSTANTS else quoted(name) for name in names
        )
        valid = f"SELECT {columns} FROM {table} WHERE _faults = '' ORDER BY {_ORDER[table]}"
        path = literal(str(target / f"{table}.parquet"))
        rows[table] = staged.connection.execute(f"COPY ({valid}) TO {path} (FORMAT parquet)").fetchall()[0][0]
    progress("writing tables", len(STAGED), len(STAGED))
    return rows


def _view(path: Path) -> str:
    table = duckdb.read_parquet(str(path))
    columns = ", ".join(_as_numbers(name, str(kind)) for name, kind in zip(table.columns, table.types, strict=True))
    return f"SELECT {columns} FROM read_parquet({literal(str(path))})"


def _as_numbers(name: str, kind: str) -> str:
    """Return instants as microseconds and booleans as 1 and 0, so that engines compute with numbers alone."""
    if name in _INSTANTS:
        return f"epoch_us({name}) AS {name}"
    return f"{quoted(name)}::DOUBLE AS {quoted(name)}" if kind == "BOOLEAN" else quoted(name)
