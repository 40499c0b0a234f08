"""The folder of an export: one Parquet file per table and month, each written whole, by one process at a time."""

import contextlib
import fcntl
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.atomic_files import sync, write_whole
from data.company_identity import CompanyIdentity, company_from_json
from serving.errors import ExportError
from serving.store.epoch import StoreEpoch

FORMAT = "leadscore-export-1"
MANIFEST = "manifest.json"
_LOCK, _DRAFT = ".lock", ".partial"
_ROW_GROUP = 50_000
_MONTH = re.compile(r"(\w+/)?\d{4}-\d{2}\.parquet")
_ANNOUNCED = [-1, -1]
"""Count and checksum of a month whose file is about to be written: no month has them, so it is written again."""
Census = dict[str, dict[str, list[int]]]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock an export for this process; what a killed run left half-written is deleted first."""
    with (folder / _LOCK).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _delete_draft(folder / _DRAFT)
        yield


def _delete_draft(draft: Path) -> None:
    """Delete what a run wrote into its draft, and the folders that are empty then; anything else stays."""
    if draft.is_symlink():
        return
    for path in sorted(draft.rglob("*.parquet")):
        if _MONTH.fullmatch(path.relative_to(draft).as_posix()) and not path.is_symlink():
            path.unlink()
    for folder in (*draft.glob("*"), draft):
        with contextlib.suppress(OSError):  # there is none, or somebody put something there
            folder.rmdir()


@dataclass(frozen=True, slots=True)
class Manifest:
    """
    What an export was made from.

    Attributes:
        playbook: its name.
        company: whose store it was; None in exports of releases that did not say.
        columns: fingerprint of the columns; other columns make every month new.
        erased: how many leads had been erased from the store.
        census: by table and month, count and checksum of the rows in the store.
        store: which store, and in which epoch; None of an export of an earlier release.
    """

    playbook: str
    columns: str
    erased: int
    census: Census
    company: CompanyIdentity | None = None
    store: StoreEpoch | None = None

    @classmethod
    def read(cls, folder: Path) -> "Manifest | None":
        """
        Read the manifest of a folder; None if the folder is empty.

        Raises:
            ExportError: the folder holds something else than an export.
        """
        try:
            content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                message = f"{folder} holds an export in another format: name a new folder."
                raise ExportError(message)
            company = company_from_json(content.get("company"))
            store = StoreEpoch(content["store_id"], content["epoch"]) if "store_id" in content else None
            return cls(content["playbook"], content["columns"], content["erased"], content["census"], company, store)
        except FileNotFoundError:
            if any(not path.name.startswith(".") or path.name == _DRAFT for path in folder.iterdir()):
                message = f"{folder} holds something else than an export: name a new or an empty folder."
                raise ExportError(message) from None
            return None
        except (ValueError, KeyError, TypeError):
            message = f"{folder / MANIFEST} is damaged: delete the folder and export again."
            raise ExportError(message) from None

    def announcing(self, months: Mapping[str, Iterable[str]]) -> "Manifest":
        """Return it with months whose files are about to be written, so that these are known as the export's."""
        tables = {*self.census, *months}
        census = {
            table: {**self.census.get(table, {}), **dict.fromkeys(months.get(table, ()), _ANNOUNCED)}
            for table in tables
        }
        return replace(self, census=census)

    def write(self, folder: Path) -> None:
        """Write it in one step."""
        content = {"format": FORMAT, **asdict(self)}
        content.pop("store")
        if self.store is not None:
            content |= {"store_id": self.store.store_id, "epoch": self.store.number}
        write_whole(folder / MANIFEST, json.dumps(content, indent=1, sort_keys=True))


class ExportDraft:
    """New files of an export, written beside it and moved into place at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: list[tuple[str, str]] = []

    def write(self, table: str, batches: Iterable[pa.RecordBatch], *, schema: pa.Schema, by: str) -> int:
        """Write ordered rows into a file per month, UTC, of the instant in column ``by``; return their number."""
        (self._folder / _DRAFT / table).mkdir(parents=True, exist_ok=True)
        months: dict[str, _Month] = {}
        count = 0
        for batch in batches:
            for month, rows in _by_month(batch, by):
                if month not in months:
                    months[month] = _Month(self._folder / _DRAFT / table / f"{month}.parquet", schema)
                months[month].add(rows)
            count += batch.num_rows
        for month in sorted(months):
            months[month].close()
            self._written.append((table, month))
        return count

    def put(self, tables: Mapping[str, Iterable[str]], *, before: Mapping[str, Iterable[str]]) -> None:
        """
        Move the files into place, and delete those of months without rows; other files in these folders stay.

        Someone who reads in between may miss the newest facts of a lead, but never finds facts without their lead.

        Args:
            tables: by table, in the order in which they are moved, the months that shall exist.
            before: by table, the months that this export has written so far.
        """
        for table in tables:
            (self._folder / table).mkdir(exist_ok=True)
            for month in [month for written, month in self._written if written == table]:
                file = f"{table}/{month}.parquet"
                (self._folder / _DRAFT / file).replace(self._folder / file)
        for table, months in reversed(list(tables.items())):
            for month in {*before.get(table, ())} - {*months}:
                (self._folder / table / f"{month}.parquet").unlink(missing_ok=True)
            sync(self._folder / table)
        _delete_draft(self._folder / _DRAFT)


class _Month:
    """One file being written; rows wait until there are enough for a row group."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self._schema = schema
        self._writer = pq.ParquetWriter(path, schema)
        self._waiting: list[pa.RecordBatch] = []

    def add(self, rows: pa.RecordBatch) -> None:
        self._waiting.append(rows)
        if sum(batch.num_rows for batch in self._waiting) >= _ROW_GROUP:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()
        sync(self._path)

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting, self._schema).combine_chunks())
        self._waiting = []


def _by_month(batch: pa.RecordBatch, by: str) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Split rows by the month, UTC, of an instant in them."""
    instants = np.asarray(batch.column(by).cast(pa.int64()))
    months = instants.astype("datetime64[us]").astype("datetime64[M]")
    for month in np.unique(months):
        yield str(month), batch.filter(pa.array(months == month))


def remove_leads_from(folder: Path, lead_ids: Sequence[str], *, tables: Sequence[str]) -> int:
    """Rewrite the files that hold rows of leads, without these rows, and return how many were removed."""
    unwanted = pa.array(lead_ids, pa.string())
    removed = 0
    with locked(folder):
        manifest = Manifest.read(folder)
        months = {} if manifest is None else manifest.census
        written = [folder / table / f"{month}.parquet" for table in tables for month in sorted(months.get(table, ()))]
        for path in [path for path in written if path.is_file()]:
            leads = pq.read_table(path, columns=["lead_id"])["lead_id"]
            count = pc.sum(pc.is_in(leads, value_set=unwanted)).as_py() or 0
            if count:
                _rewrite(path, folder / _DRAFT, unwanted)
                removed += count
    return removed


def _rewrite(path: Path, draft: Path, unwanted: pa.Array) -> None:
    draft.mkdir(exist_ok=True)
    with pq.ParquetFile(path) as file, pq.ParquetWriter(draft / path.name, file.schema_arrow) as writer:
        for batch in file.iter_batches(_ROW_GROUP):
            writer.write_batch(batch.filter(pc.invert(pc.is_in(batch.column("lead_id"), value_set=unwanted))))
    sync(draft / path.name)
    (draft / path.name).replace(path)
    sync(path.parent)
    _delete_draft(draft)
