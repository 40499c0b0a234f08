"""The facts of a store as Parquet: one file per contract table, all of one moment."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data.arrow_schemas import CONTRACT, LEAD_COLUMNS, lead_schema
from data.atomic_files import scratch_folder
from data.contract import AttributeType
from data.errors import IntakeError
from data.operational_store import FACTS, Moment, store_of
from data.progress import Progress, silent
from data.words.sources import StoreSource
from data.workspace import Workspace


@contextmanager
def copied_store(workspace: Workspace, progress: Progress) -> Iterator[Path | None]:
    """
    Copy the facts of the store that a playbook names, for as long as the block takes.

    Args:
        workspace: the playbook, and where tables and models are kept.
        progress: called with the rows read so far.

    Returns:
        The copy's folder, without a file for a table that has no rows; None where the playbook names no store.

    Raises:
        IntakeError: there is no store, it cannot be read, or it holds no leads, or another company's.
    """
    source = next((source for source in workspace.playbook.business.sources if isinstance(source, StoreSource)), None)
    if source is None:
        yield None
        return
    place, store = workspace.home.tables(workspace.playbook.business.name), store_of(source, workspace)
    shape = Shape(workspace.playbook.business.attribute_types, as_text=True)
    with scratch_folder(place) as copy:
        with store.moment() as moment:
            store.require_company(moment, workspace.playbook.company)
            rows = copy_facts(moment, copy, shape=shape, progress=progress)
        if rows["leads"] == 0:
            message = f"{store.shown} holds no leads yet: load history into it, or send leads to the service."
            raise IntakeError(message)
        for table in [table for table, count in rows.items() if count == 0]:
            (copy / f"{table}.parquet").unlink()
        yield copy


@dataclass(frozen=True, slots=True)
class Shape:
    """
    How rows of the store become columns of the contract.

    Attributes:
        attributes: those of leads that become columns, by type.
        as_text: whether every attribute is written as text, for a reader that checks its type; else a value that does
            not fit its type is left out.
    """

    attributes: Mapping[str, AttributeType]
    as_text: bool = False

    def schema(self, table: str) -> pa.Schema:
        """Return the columns of a contract table."""
        if table != "leads":
            return CONTRACT[table]
        if self.as_text:
            return pa.schema([*LEAD_COLUMNS, *(pa.field(name, pa.string()) for name in self.attributes)])
        return lead_schema(self.attributes)

    def batch(self, table: str, rows: Sequence[tuple[Any, ...]]) -> pa.RecordBatch:
        """Return rows of the store as the contract's columns."""
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        if table == "leads":
            documents = [json.loads(text) for text in columns.pop()]
            columns += [
                [self._value(attributes.get(name), kind) for attributes in documents]
                for name, kind in self.attributes.items()
            ]
        schema = self.schema(table)
        arrays = [pa.array(values, type=field.type) for values, field in zip(columns, schema, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def misfits(self, attributes: str) -> list[str]:
        """Return the attributes in JSON text whose values do not have their type."""
        values = json.loads(attributes)
        return [
            name
            for name, kind in self.attributes.items()
            if values.get(name) is not None and not fits(values[name], kind)
        ]

    def _value(self, value: object, kind: AttributeType) -> object:
        if value is None:
            return None
        if self.as_text:
            return value if isinstance(value, str) else json.dumps(value)
        return value if fits(value, kind) else None


def fits(value: object, kind: AttributeType) -> bool:
    """
    Return whether an attribute's value has its type.

    >>> fits(True, AttributeType.NUMERIC), fits(5.0, AttributeType.NUMERIC)
    (False, True)
    """
    match kind:
        case AttributeType.NUMERIC:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case AttributeType.BOOLEAN:
            return isinstance(value, bool)
        case AttributeType.CATEGORY:
            return isinstance(value, str)


def copy_facts(
    moment: Moment,
    folder: Path,
    *,
    shape: Shape,
    lead_ids: Sequence[str] | None = None,
    progress: Progress = silent,
) -> dict[str, int]:
    """
    Write a store's facts as one Parquet file per contract table.

    Args:
        moment: the store.
        folder: where to; ``leads.parquet``, ``activities.parquet`` and ``outcomes.parquet``.
        shape: the columns.
        lead_ids: only those of these leads; default: all.
        progress: called with the rows read so far.

    Returns:
        Rows by table.
    """
    where = "" if lead_ids is None else moment.of_leads("lead_id")
    parameters = () if lead_ids is None else (json.dumps(list(lead_ids)),)
    counts = dict.fromkeys(FACTS, 0)
    for table in FACTS:
        with pq.ParquetWriter(folder / f"{table}.parquet", shape.schema(table)) as writer:
            for rows in moment.facts(table, where=where, parameters=parameters):
                writer.write_batch(shape.batch(table, rows))
                counts[table] += len(rows)
                progress(f"reading {table} of the store", counts[table], 0)
    return counts
