# ruff: noqa: S608 - this is SQL of our own, whose only values are numbers
"""
Export: the store as Parquet in the contract's columns, one file per month, so that models can be trained on it.

A late fact belongs to the month in which it became known, and so does loaded history or a receipt stored after its
score. So each month of each table is counted and summed in the store, and the months that changed since the last export
are written again. An erasure changes every month. A folder belongs to one epoch of one store: what a restored store has
lost must not be overwritten by what it has left.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.markup import escape
from sqlalchemy import Connection

from data.arrow_schemas import INSTANT
from data.atomic_files import write_whole
from data.company_identity import CompanyIdentity
from data.instants import DAY_US, from_us, to_us
from data.operational_store import FACTS, Moment, OperationalStore
from data.progress import Progress, silent
from data.store_copy import Shape
from data.words.playbook import Business
from models.receipt import displayed
from serving.errors import ExportError
from serving.feedback.export_folder import Census, ExportDraft, Manifest, locked, remove_leads_from
from serving.store.database import Database
from serving.store.epoch import StoreEpoch, epoch_of
from serving.store.state import read_state, write_state
from serving.store.store_company import company_of_store

SOURCES = """\
# What the service saw, as history to learn from: paste this into a playbook.
folder: {folder}
sources:
  - {{file: leads/*.parquet, holds: leads, midnights: instants, columns: {{account_id: account_id, known_at: known_at}}}}
  - {{file: activities/*.parquet, holds: activities, midnights: instants, machines: marked, columns: {{activity_id: activity_id, kind: kind, known_at: known_at, subject: subject, value: value}}}}
  - {{file: outcomes/*.parquet, holds: outcomes, midnights: instants, columns: {{outcome_id: outcome_id, known_at: known_at, amount: amount, reason: reason}}}}
"""  # noqa: E501 - one source a line, as in the playbooks
_EXPORTS = "exports"
_FIRST_US = to_us(datetime(1900, 1, 1, tzinfo=UTC))
_PRIME = 1_000_000_007
_RECEIPTS = pa.schema(
    [
        pa.field("receipt_id", pa.string(), nullable=False),
        pa.field("lead_id", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("as_of", INSTANT, nullable=False),
        pa.field("scorer", pa.string(), nullable=False),
        pa.field("points", pa.float64(), nullable=False),
        pa.field("threshold", pa.float64(), nullable=False),
        pa.field("score", pa.int64(), nullable=False),
        pa.field("grade", pa.string()),
        pa.field("probability", pa.float64()),
        pa.field("degraded", pa.bool_()),
    ]
)
_ROUTES = pa.schema(
    [
        pa.field("route_id", pa.int64(), nullable=False),
        pa.field("lead_id", pa.string(), nullable=False),
        pa.field("routed_at", INSTANT, nullable=False),
        pa.field("points", pa.float64(), nullable=False),
        pa.field("score", pa.int64(), nullable=False),
        pa.field("grade", pa.string(), nullable=False),
        pa.field("threshold", pa.float64(), nullable=False),
        pa.field("scorer", pa.string()),
    ]
)
_SERVED = {
    "receipts": "SELECT receipt_id, lead_id, role, as_of, scorer, points, threshold, content FROM receipts",
    "routes": "SELECT id, lead_id, routed_at, points, score, grade, threshold, scorer FROM routes",
}
_KEY = {"receipts": "receipt_id", "routes": "id"}
_SCHEMAS = {"receipts": _RECEIPTS, "routes": _ROUTES}
_TIME = dict.fromkeys(FACTS, "known_at") | {"receipts": "as_of", "routes": "routed_at"}
TABLES = tuple(_TIME)


@dataclass(frozen=True, slots=True)
class ExportResult:
    """
    What an export wrote.

    Attributes:
        folder: where it is.
        rows: rows in the store, by table.
        written: rows of the months that were written, by table.
        months: how many files were written.
        misfits: by attribute, versions of leads whose value has another type than the playbook says and was left out.
    """

    folder: str
    rows: dict[str, int]
    written: dict[str, int]
    months: int
    misfits: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return the counts."""
        return asdict(self)

    def show(self, console: Console) -> None:
        """Print them."""
        rows = ", ".join(f"{count:,} {table}" for table, count in self.rows.items())
        written = sum(self.written.values())
        console.print(f"{escape(self.folder)} holds {rows}.", soft_wrap=True)
        console.print(f"Written now: {written:,} rows in {self.months:,} files; the other months have not changed.")
        for name, count in self.misfits.items():
            text = f"{count:,} versions of leads have another type of {name} than the playbook says; it was left out."
            console.print(escape(text), soft_wrap=True)
        console.print(f"To train on it, copy into a playbook: {escape(self.folder)}/sources.yaml.", soft_wrap=True)


def export(database: Database, business: Business, out: Path, *, progress: Progress = silent) -> ExportResult:
    """
    Write the store into a folder that is new, empty, or an export of this playbook, or bring that up to date.

    The store remembers the folder, so that erasing a lead finds it.

    Raises:
        ExportError: the folder holds something else, another company's export, one of another store or epoch, or more
            than the store.
    """
    folder = out.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with database.reading() as connection:
        company, store = company_of_store(connection), epoch_of(connection)
    _manifest_of(folder, business, company, store)
    with database.writing() as connection:  # before the folder is locked, so that nothing ever waits for both
        _remember_folder(connection, folder)
    with locked(folder):
        before = _manifest_of(folder, business, company, store)
        before.write(folder)
        url = database.url.render_as_string(hide_password=False)
        with OperationalStore(url).moment() as moment:
            return _Export(moment, Shape(business.attribute_types), folder).write(before, progress)


def _manifest_of(folder: Path, business: Business, company: CompanyIdentity | None, store: StoreEpoch) -> Manifest:
    """Return the manifest of the folder, or that of an export that has just begun."""
    manifest = Manifest.read(folder) or Manifest(business.name, "", 0, {}, company)
    if company is not None and manifest.company is not None:
        if not company.is_same_as(manifest.company):
            raise ExportError(company.refusal(manifest.company, f"The export {folder}"))
    elif manifest.playbook != business.name:
        message = f"{folder} holds the export of the playbook {manifest.playbook}: name another folder."
        raise ExportError(message)
    if manifest.store not in {None, store}:
        message = (
            f"{folder} holds an export of {manifest.store}, and this is {store}: it would overwrite what only that"
            " folder holds; name another folder."
        )
        raise ExportError(message)
    return replace(manifest, playbook=business.name, company=company, store=store)


class _Export:
    """One run of an export, on one snapshot of the store."""

    def __init__(self, moment: Moment, shape: Shape, folder: Path) -> None:
        self._moment = moment
        self._shape = shape
        self._folder = folder

    def write(self, before: Manifest, progress: Progress) -> ExportResult:
        """Write the months that changed."""
        census = {table: self._months(table) for table in TABLES}
        now = replace(before, columns=self._columns(), erased=self._erased(), census=census)
        _require_no_less(self._folder, before, now)
        is_new = (before.columns, before.erased) != (now.columns, now.erased)
        stale = {table: self._stale(table, {} if is_new else before.census, now.census[table]) for table in TABLES}
        draft, written, misfits = ExportDraft(self._folder), dict.fromkeys(TABLES, 0), dict[str, int]()
        for table, months in stale.items():
            if months:
                batches = self._with_progress(self._batches(table, months, misfits), f"exporting {table}", progress)
                written[table] = draft.write(table, batches, schema=self._schema(table), by=_TIME[table])
        announced = before.announcing(stale)
        announced.write(self._folder)
        draft.put(now.census, before=announced.census)
        write_whole(self._folder / "sources.yaml", SOURCES.format(folder=json.dumps(str(self._folder))))
        now.write(self._folder)
        rows = {table: sum(count for count, _ in months.values()) for table, months in now.census.items()}
        return ExportResult(str(self._folder), rows, written, sum(len(months) for months in stale.values()), misfits)

    def _stale(self, table: str, before: Census, now: Mapping[str, list[int]]) -> list[str]:
        """Return the months that changed, or whose file is gone."""
        then = before.get(table, {})
        existing = {path.stem for path in (self._folder / table).glob("*.parquet")}
        return [month for month, summed in now.items() if month not in existing or then.get(month) != summed]

    def _months(self, table: str) -> dict[str, list[int]]:
        """Count and sum every month of a table."""
        time = _TIME[table]
        query = (
            f"SELECT ({time} - ({_FIRST_US})) / {DAY_US}, count(*), sum({time} % {_PRIME})"
            f" FROM ({self._relation(table)}) AS t GROUP BY 1 ORDER BY 1"
        )
        months: dict[str, list[int]] = {}
        for day, count, total in (row for rows in self._moment.rows(query) for row in rows):
            month = months.setdefault(f"{from_us(_FIRST_US + int(day) * DAY_US):%Y-%m}", [0, 0])
            month[0] += int(count)
            month[1] = (month[1] + int(total)) % _PRIME
        return months

    def _relation(self, table: str) -> str:
        return self._moment.relation(table) if table in FACTS else _SERVED[table]

    def _batches(self, table: str, months: Sequence[str], misfits: dict[str, int]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of months in the contract's columns, or in those of receipts and routes."""
        where = " OR ".join(f"({_within(_TIME[table], month)})" for month in months)
        if table in FACTS:
            for rows in self._moment.facts(table, where=where):
                if table == "leads":
                    self._count_misfits(rows, misfits)
                yield self._shape.batch(table, rows)
            return
        order = f"{_KEY[table]}{self._moment.binary if table == 'receipts' else ''}"
        query = f"SELECT * FROM ({_SERVED[table]}) AS t WHERE {where} ORDER BY {_TIME[table]}, {order}"
        schema, columns_of = _SCHEMAS[table], _receipt if table == "receipts" else _route
        for rows in self._moment.rows(query):
            columns = zip(*(columns_of(row) for row in rows), strict=True)
            arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _count_misfits(self, rows: Sequence[tuple[Any, ...]], misfits: dict[str, int]) -> None:
        for *_, text in rows:
            for name in self._shape.misfits(text):
                misfits[name] = misfits.get(name, 0) + 1

    def _schema(self, table: str) -> pa.Schema:
        return self._shape.schema(table) if table in FACTS else _SCHEMAS[table]

    def _columns(self) -> str:
        schemas = "\n".join(str(self._schema(table)) for table in TABLES)
        return hashlib.sha256(schemas.encode()).hexdigest()

    def _erased(self) -> int:
        rows = next(self._moment.rows("SELECT count(*) FROM tombstones"))
        return int(rows[0][0])

    @staticmethod
    def _with_progress(batches: Iterator[pa.RecordBatch], what: str, progress: Progress) -> Iterator[pa.RecordBatch]:
        done = 0
        for batch in batches:
            yield batch
            done += batch.num_rows
            progress(what, done, 0)


def _require_no_less(folder: Path, before: Manifest, now: Manifest) -> None:
    """
    Check that the store did not go back within its epoch, as when a copy was put in its place by hand.

    Raises:
        ExportError: it holds fewer erasures, or fewer facts of a month without another erasure.
    """
    facts = [(before.census.get(table, {}), now.census[table]) for table in FACTS]
    fewer = any(new.get(month, [0])[0] < count for then, new in facts for month, (count, _) in then.items())
    if now.erased < before.erased or (now.erased == before.erased and fewer):
        message = (
            f"{folder} holds more of {now.store} than the store does, which was put back without `leadscore restore`:"
            " name another folder."
        )
        raise ExportError(message)


def _within(time: str, month: str) -> str:
    """
    Return the SQL condition that an instant lies in a month, UTC.

    >>> _within("known_at", "1970-01")
    'known_at >= 0 AND known_at < 2678400000000'
    """
    start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return f"{time} >= {to_us(start)} AND {time} < {to_us(end)}"


def _receipt(row: tuple[Any, ...]) -> tuple[Any, ...]:
    *columns, text = row
    content, points = json.loads(text), columns[5]
    return (*columns, displayed(points), content.get("grade"), content.get("probability"), content.get("degraded"))


def _route(row: tuple[Any, ...]) -> tuple[Any, ...]:
    *columns, scorer = row
    return (*columns, json.loads(scorer).get("fingerprint"))


def _remember_folder(connection: Connection, folder: Path) -> None:
    """Remember where an export is."""
    known = [str(path) for path in exports_of(connection)]
    if str(folder) not in known:
        write_state(connection, _EXPORTS, json.dumps([*known, str(folder)]))


def exports_of(connection: Connection) -> list[Path]:
    """Return the folders that the store was ever exported to."""
    folders = read_state(connection, _EXPORTS)
    return [Path(name) for name in json.loads(folders)] if folders else []


def remove_leads(folder: Path, *lead_ids: str) -> int | None:
    """
    Remove leads, though not their accounts, from an export, and return how many rows; None if it no longer exists.

    It waits while the export is being written. Call it after the erasure is committed: an export that begins later no
    longer finds the leads.
    """
    return remove_leads_from(folder, lead_ids, tables=TABLES) if folder.is_dir() else None
