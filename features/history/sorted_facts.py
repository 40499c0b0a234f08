"""The activities of leads from a Parquet file that lies in their order, as the warehouse writes it: without a join."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.sweep.plan import SweepPlan
from features.sweep.sweep_state import Facts

_NONE = np.empty(0, np.int32)
_TEXTS = ["lead_id", "kind", "subject"]


@dataclass(frozen=True, slots=True)
class SortedActivities:
    """
    A Parquet file with the columns of activities, whose rows ought to lie by lead, then by when they occurred.

    Attributes:
        path: the file.
    """

    path: Path

    @property
    def rows(self) -> int:
        """How many activities it has."""
        return int(pq.read_metadata(self.path).num_rows)

    def facts_of(self, plan: SweepPlan, leads: "pd.Series[str]") -> Facts | None:
        """
        Return the activities of leads, or None where the file turns out not to lie in their order.

        Args:
            plan: of features over the lead.
            leads: (n,) their ids, ascending; each is an entity of the facts.
        """
        table = self._rows(plan, leads)
        lead_id = table["lead_id"].combine_chunks()
        entity = _places(lead_id.dictionary, leads)[_codes(lead_id)]
        wanted = entity >= 0
        if not wanted.all():
            table, entity = table.filter(pa.array(wanted)), entity[wanted]
        occurred = _instants(table["occurred_at"])
        if not _is_sorted(entity, occurred):
            return None
        return Facts(
            start=np.searchsorted(entity, np.arange(len(leads) + 1)).astype(np.int64),
            cell=_cells(plan, table),
            occurred=occurred,
            known=_instants(table["known_at"]),
            value=_numbers(table["value"]) if plan.needs_values else np.empty(0),
            subject=_codes(table["subject"].combine_chunks()) if plan.needs_subjects else _NONE,
            lead=_NONE,
            pair=_NONE,
        )

    def _rows(self, plan: SweepPlan, leads: "pd.Series[str]") -> pa.Table:
        """Read the row groups in which some of the leads may lie."""
        names = ["lead_id", "kind", "occurred_at", "known_at"]
        names += ["subject"] if plan.subjects or plan.needs_subjects else []
        names += ["value"] if plan.needs_values else []
        file = pq.ParquetFile(self.path, read_dictionary=[name for name in _TEXTS if name in names])
        place = file.schema_arrow.get_field_index("lead_id")
        groups = [
            number
            for number in range(file.num_row_groups if len(leads) else 0)
            if _may_hold(file.metadata.row_group(number).column(place), leads.iloc[0], leads.iloc[-1])
        ]
        return file.read_row_groups(groups, columns=names).unify_dictionaries().combine_chunks()


def _may_hold(column: pq.ColumnChunkMetaData, first: str, last: str) -> bool:
    """Return whether ids from ``first`` to ``last`` may be in a row group, by what the file says of it."""
    told = column.statistics
    return told is None or not told.has_min_max or (str(told.min) <= last and first <= str(told.max))


def _places(ids: pa.Array, leads: "pd.Series[str]") -> NDArray[np.int64]:
    """Return the place of each id among the leads; -1 for others."""
    found = pc.index_in(ids.cast(pa.large_string()), value_set=pa.array(leads, pa.large_string()))
    return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), np.int64)


def _codes(column: pa.DictionaryArray) -> NDArray[np.int32]:
    """Return the codes of a column of texts; -1 where there is none."""
    return np.asarray(pc.fill_null(column.indices, -1).to_numpy(zero_copy_only=False), np.int32)


def _instants(column: pa.ChunkedArray) -> NDArray[np.int64]:
    return np.asarray(column.combine_chunks().view(pa.int64()).to_numpy(zero_copy_only=False), np.int64)


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(column.to_numpy(), np.float64)


def _is_sorted(entity: NDArray[np.int64], occurred: NDArray[np.int64]) -> bool:
    later = np.diff(entity)
    return bool((later >= 0).all() and (np.diff(occurred)[later == 0] >= 0).all())


def _cells(plan: SweepPlan, table: pa.Table) -> NDArray[np.int32]:
    """Return the cell of each activity; see `SweepPlan.cell`."""
    width = len(plan.subjects) + 1
    kind = table["kind"].combine_chunks()
    rows = np.array([plan.kind_number(name) * width for name in kind.dictionary.to_pylist()], np.int32)
    if not plan.subjects:
        return rows[_codes(kind)]
    subject = table["subject"].combine_chunks()
    columns = [*(plan.subject_number(name) for name in subject.dictionary.to_pylist()), width - 1]
    return rows[_codes(kind)] + np.array(columns, np.int32)[_codes(subject)]
