# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""The facts of a history as sorted columns for the sweep, read from DuckDB a bounded part at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.importing.warehouse import Warehouse
from data.memory_share import memory_bytes
from data.sql import listed, literal, quoted
from features.history.sorted_facts import SortedActivities
from features.sweep.kernel import Moves, Snapshots
from features.sweep.plan import SweepPlan
from features.sweep.sweep_state import Facts, pairs_of

FACTS_AT_ONCE = 8_000_000
"""Facts that are held in memory at once, at most; an account with more is held whole."""
_BYTES_A_FACT = 512  # as columns of the kernel and of the query that reads them, with a share for what else is held

_NOTHING = np.empty(0, np.int32)


def facts_at_once() -> int:
    """Return how many facts may be held in memory at once."""
    return min(FACTS_AT_ONCE, memory_bytes() // _BYTES_A_FACT)


@dataclass(frozen=True, slots=True)
class HistoryTables:
    """
    Where the facts are: tables of a DuckDB connection, with instants as integer microseconds.

    Attributes:
        connection: the connection.
        leads: versions of leads: a table, or a query in brackets.
        activities: activities, likewise.
        sorted_activities: the same activities in a file that lies in the order of leads; None if there is none.
    """

    connection: duckdb.DuckDBPyConnection
    leads: str = "leads"
    activities: str = "activities"
    sorted_activities: SortedActivities | None = None

    @classmethod
    def of(cls, warehouse: Warehouse) -> "HistoryTables":
        """Return the tables of a warehouse; its sorted file stands in for the whole table, never for a part or more."""
        leads, activities = (
            f"({warehouse.connection.compile(table)})" for table in (warehouse.leads, warehouse.activities)
        )
        is_whole = warehouse.activities.equals(warehouse.connection.table("activities"))
        in_order = SortedActivities(warehouse.folder / "activities.parquet") if is_whole else None
        return cls(warehouse.connection.con, leads, activities, in_order)

    def frame(self, query: str, **frames: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of a query, which may read frames by their names."""
        for name, frame in frames.items():
            self.connection.register(name, frame)
        try:
            rows: pd.DataFrame = self.connection.sql(query).to_arrow_table().to_pandas()
            return rows
        finally:
            for name in frames:
                self.connection.unregister(name)

    def columns_of_leads(self) -> list[str]:
        """Return the names of the columns of the leads."""
        return list(self.connection.sql(f"SELECT * FROM {self.leads} LIMIT 0").columns)


@dataclass(frozen=True, eq=False)
class HistoryPart:
    """What one call of the sweep works on."""

    facts: Facts
    snapshots: Snapshots
    moves: Moves


def newest_versions(tables: HistoryTables, snapshots: pd.DataFrame, attributes: list[str]) -> pd.DataFrame:
    """
    Return the newest version of each snapshot's lead with ``known_at < as_of``, in their order; nulls if there is none.

    Args:
        tables: the history.
        snapshots: (n, 2) ``lead_id``, ``as_of``.
        attributes: those to return beside ``account_id`` and ``created_at``.
    """
    columns = ", ".join(f"l.{quoted(name)}" for name in ["account_id", "created_at", *attributes])
    asked = snapshots[["lead_id", "as_of"]].assign(row=np.arange(len(snapshots)))
    versions = f"(SELECT * FROM {tables.leads} WHERE {id_range('lead_id', snapshots['lead_id'])})"
    return tables.frame(
        f"SELECT {columns} FROM asked AS s ASOF LEFT JOIN {versions} AS l"
        " ON s.lead_id = l.lead_id AND s.as_of > l.known_at ORDER BY s.row",
        asked=asked,
    )


def id_range(column: str, ids: "pd.Series[str] | pd.Index[str]") -> str:
    """Return the SQL of a column being between the first and the last of some ids: tables lie in the order of leads."""
    return f"{column} BETWEEN {literal(ids.min())} AND {literal(ids.max())}" if len(ids) else "FALSE"


def lead_parts(tables: HistoryTables, plan: SweepPlan, snapshots: pd.DataFrame) -> Iterator[HistoryPart]:
    """
    Yield the facts of the snapshots' leads, so many leads at a time as fit.

    Args:
        tables: the history.
        plan: of features over the lead.
        snapshots: (n, 2) ``lead_id``, ``as_of``.
    """
    entity, leads = pd.factorize(snapshots["lead_id"], sort=True)
    wanted = pd.DataFrame({"lead_id": leads, "entity": np.arange(len(leads), dtype=np.int32), "lead": np.int32(0)})
    of_snapshots = SortedSnapshots.of(entity, snapshots["as_of"].to_numpy(), np.arange(len(snapshots)), None)
    for low, high, found in _facts_of_leads(tables, plan, wanted):
        yield HistoryPart(found, of_snapshots.part(low, high), _no_moves(high - low))


def account_parts(
    tables: HistoryTables,
    plan: SweepPlan,
    snapshots: pd.DataFrame,
    accounts: "pd.Series[Any]",
    *,
    most_colleagues: int | None,
) -> Iterator[HistoryPart]:
    """
    Yield the facts of all leads that ever belonged to the snapshots' accounts, so many accounts at a time as fit.

    Args:
        tables: the history.
        plan: of features over the account.
        snapshots: (n, 2) ``lead_id``, ``as_of``.
        accounts: (n,) the account of each at its instant; null for none.
        most_colleagues: an account with more other leads than this at an instant is none.
    """
    rows = np.flatnonzero(accounts.notna().to_numpy())
    entity, names = pd.factorize(accounts.iloc[rows], sort=True)
    moves = _moves(tables, pd.DataFrame({"account_id": names, "entity": np.arange(len(names), dtype=np.int32)}))
    if most_colleagues is not None:
        kept = _members_at(moves, entity, snapshots["as_of"].to_numpy()[rows]) <= most_colleagues + 1
        rows, entity = rows[kept], entity[kept]
        moves = moves[moves["entity"].isin(entity)]
    members = moves.drop_duplicates(["entity", "lead_id"])[["lead_id", "entity", "lead"]]
    own = pd.DataFrame({"lead_id": snapshots["lead_id"].to_numpy()[rows], "entity": entity})
    lead = own.merge(members, on=["lead_id", "entity"], how="left", validate="many_to_one")["lead"].to_numpy(np.int32)
    of_snapshots = SortedSnapshots.of(entity, snapshots["as_of"].to_numpy()[rows], rows, lead)
    for low, high, found in _facts(tables, plan, members, len(names), of_account=True):
        yield HistoryPart(found, of_snapshots.part(low, high), _moves_between(moves, low, high))


def _members_at(moves: pd.DataFrame, entity: NDArray[np.int64], as_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many leads belong to each account at an instant: those that joined before it and have not left."""
    joined, of_move = moves["joins"].to_numpy(np.int64), moves["entity"].to_numpy(np.int64)
    change = np.concatenate([np.zeros(len(as_of), np.int64), 2 * joined - 1])
    entities, at = np.concatenate([entity, of_move]), np.concatenate([as_of, moves["moved_at"].to_numpy(np.int64)])
    order = np.lexsort((change != 0, at, entities))  # at the same instant, what is asked comes before what changes
    running = np.empty(len(order), np.int64)
    running[order] = np.cumsum(change[order])
    of_account = np.bincount(of_move, weights=2 * joined - 1, minlength=int(entities.max(initial=-1)) + 1)
    before = np.cumsum(of_account.astype(np.int64)) - of_account.astype(np.int64)
    return running[: len(as_of)] - before[entity]


@dataclass(frozen=True, eq=False)
class SortedSnapshots:
    """
    All snapshots, sorted by entity and instant.

    Attributes:
        entity: (n,) the lead or account of each, from 0.
        whole: all of them, without where those of each entity begin.
    """

    entity: NDArray[np.int64]
    whole: Snapshots

    @classmethod
    def of(
        cls,
        entity: NDArray[np.int64],
        as_of: NDArray[np.int64],
        row: NDArray[np.int64],
        lead: NDArray[np.int32] | None,
    ) -> "SortedSnapshots":
        """
        Sort snapshots.

        Args:
            entity: (n,) the lead or account of each, from 0.
            as_of: (n,) [us since 1970 UTC].
            row: (n,) the row of the result that each is written to.
            lead: (n,) the number of its lead within the account; None in a sweep over leads.
        """
        order = np.lexsort((as_of, entity))
        sorted_lead = _NOTHING if lead is None else lead[order]
        return cls(entity[order], Snapshots(_NOTHING.astype(np.int64), as_of[order], row[order], sorted_lead))

    def part(self, low: int, high: int) -> Snapshots:
        """Return the snapshots of the entities from ``low`` to ``high``."""
        start = np.searchsorted(self.entity, np.arange(low, high + 1))
        inside = slice(start[0], start[-1])
        lead = self.whole.lead[inside] if len(self.whole.lead) else self.whole.lead
        return Snapshots(start - start[0], self.whole.as_of[inside], self.whole.row[inside], lead)


def _facts_of_leads(tables: HistoryTables, plan: SweepPlan, wanted: pd.DataFrame) -> Iterator[tuple[int, int, Facts]]:
    """Yield the facts of leads ``low`` to ``high``, from a sorted file where there is one."""
    if tables.sorted_activities is None:
        yield from _facts(tables, plan, wanted, len(wanted))
        return
    parts = -(-tables.sorted_activities.rows // facts_at_once())
    bounds = np.unique(np.linspace(0, len(wanted), max(1, parts) + 1).astype(np.int64)).tolist()
    for low, high in pairwise(bounds):
        found = tables.sorted_activities.facts_of(plan, wanted["lead_id"].iloc[low:high])
        if found is None:  # the file does not lie in the order that its columns promise
            found = _read(tables, plan, wanted.iloc[low:high], low, high, used="TRUE", of_account=False)
        yield low, high, found


def _facts(
    tables: HistoryTables, plan: SweepPlan, members: pd.DataFrame, entities: int, *, of_account: bool = False
) -> Iterator[tuple[int, int, Facts]]:
    """Yield the facts of entities ``low`` to ``high``: those of their members that belong to a group of the plan."""
    used = f"a.kind NOT IN {listed(plan.never_use)}" if plan.never_use else "TRUE"
    ((in_all,),) = tables.connection.sql(f"SELECT count(*) FROM {tables.activities} AS a").fetchall()
    if in_all <= facts_at_once():
        yield 0, entities, _read(tables, plan, members, 0, entities, used=used, of_account=of_account)
        return
    counted = tables.frame(
        f"SELECT m.entity, count(*) AS facts FROM {tables.activities} AS a JOIN members AS m USING (lead_id)"
        f" WHERE {used} GROUP BY m.entity",
        members=members,
    )
    load = np.zeros(entities + 1, np.int64)
    load[counted["entity"].to_numpy() + 1] = counted["facts"].to_numpy()
    for low, high in _ranges(np.cumsum(load)):
        inside = members[(members["entity"] >= low) & (members["entity"] < high)]
        yield low, high, _read(tables, plan, inside, low, high, used=used, of_account=of_account)


def _ranges(loaded: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield ranges of entities with at most so many facts as are held at once, but at least one entity each."""
    low, entities = 0, len(loaded) - 1
    while low < entities:
        high = int(np.searchsorted(loaded, loaded[low] + facts_at_once(), side="right")) - 1
        high = min(max(high, low + 1), entities)
        yield low, high
        low = high


def _read(
    tables: HistoryTables,
    plan: SweepPlan,
    members: pd.DataFrame,
    low: int,
    high: int,
    *,
    used: str,
    of_account: bool,
) -> Facts:
    columns = ["m.entity", "a.occurred_at", "a.known_at", f"{_cell(plan)} AS cell"]
    columns += ["m.lead"] if of_account else []
    columns += ["a.value"] if plan.needs_values else []
    columns += ["a.subject"] if plan.needs_subjects else []
    rows = tables.frame(
        f"SELECT {', '.join(columns)} FROM {tables.activities} AS a JOIN members AS m USING (lead_id)"
        f" WHERE {used} AND {id_range('a.lead_id', members['lead_id'])} ORDER BY m.entity, a.occurred_at",
        members=members,
    )
    lead = rows["lead"].to_numpy(np.int32) if of_account else _NOTHING
    subject = pd.factorize(rows["subject"])[0].astype(np.int32) if plan.needs_subjects else _NOTHING
    return Facts(
        start=np.searchsorted(rows["entity"].to_numpy(), np.arange(low, high + 1)).astype(np.int64),
        cell=rows["cell"].to_numpy(np.int32),
        occurred=rows["occurred_at"].to_numpy(np.int64),
        known=rows["known_at"].to_numpy(np.int64),
        value=rows["value"].to_numpy(np.float64, na_value=np.nan) if plan.needs_values else np.empty(0),
        subject=subject,
        lead=lead,
        pair=pairs_of(lead, subject) if of_account and plan.needs_subjects else _NOTHING,
    )


def _cell(plan: SweepPlan) -> str:
    """Return the SQL of a fact's cell; see `SweepPlan.cell`."""
    return (
        f"({_number('a.kind', plan.kinds)} * {len(plan.subjects) + 1} + {_number('a.subject', plan.subjects)})::INTEGER"
    )


def _number(column: str, numbers: dict[str, int]) -> str:
    cases = " ".join(f"WHEN {literal(name)} THEN {number}" for name, number in numbers.items())
    return f"CASE {column} {cases} ELSE {len(numbers)} END" if cases else "0"


def _moves(tables: HistoryTables, accounts: pd.DataFrame) -> pd.DataFrame:
    """Return when leads joined and left accounts: ``entity``, ``lead_id``, ``lead``, ``moved_at``, ``joins``."""
    return tables.frame(
        "WITH changed AS ("
        " SELECT lead_id, account_id, known_at, lag(account_id) OVER by_lead AS before,"
        f" row_number() OVER by_lead AS version FROM {tables.leads}"
        f" WHERE lead_id IN (SELECT lead_id FROM {tables.leads} SEMI JOIN wanted USING (account_id))"
        " WINDOW by_lead AS (PARTITION BY lead_id ORDER BY known_at)"
        " QUALIFY version = 1 OR account_id IS DISTINCT FROM before),"
        " moved AS ("
        " SELECT lead_id, account_id, known_at AS moved_at, 1 AS joins FROM changed WHERE account_id IS NOT NULL"
        " UNION ALL SELECT lead_id, before, known_at, 0 FROM changed WHERE before IS NOT NULL)"
        " SELECT w.entity, lead_id, moved_at, joins,"
        " (dense_rank() OVER (PARTITION BY w.entity ORDER BY lead_id) - 1)::INTEGER AS lead"
        " FROM moved JOIN wanted AS w USING (account_id) ORDER BY w.entity, moved_at, lead_id, joins",
        wanted=accounts,
    )


def _moves_between(moves: pd.DataFrame, low: int, high: int) -> Moves:
    entity = moves["entity"].to_numpy()
    start = np.searchsorted(entity, np.arange(low, high + 1))
    inside = moves.iloc[start[0] : start[-1]]
    leads = np.zeros(high - low, np.int64)
    np.maximum.at(leads, inside["entity"].to_numpy() - low, inside["lead"].to_numpy(np.int64) + 1)
    return Moves(
        start=(start - start[0]).astype(np.int64),
        at=inside["moved_at"].to_numpy(np.int64),
        lead=inside["lead"].to_numpy(np.int32),
        joins=inside["joins"].to_numpy(np.uint8),
        leads=leads,
    )


def _no_moves(entities: int) -> Moves:
    nothing = np.zeros(entities + 1, np.int64)
    return Moves(nothing, nothing[:0], _NOTHING, np.empty(0, np.uint8), nothing[:-1])
