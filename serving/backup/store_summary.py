"""What a store holds, in numbers and names: kept with a backup, and compared with the store that it would replace."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, func, select, text

from data.instants import iso, parse
from serving.scorers.deployments import deployments_in_force, scorer_words
from serving.store.epoch import StoreEpoch, epoch_of
from serving.store.store_health import newest_fact_at
from serving.store.tables import (
    activities,
    api_keys,
    deployments,
    lead_versions,
    merges,
    outcomes,
    quarantine,
    receipts,
    routes,
    tombstones,
)

_NEWEST = {
    lead_versions: "known_at",
    activities: "known_at",
    outcomes: "known_at",
    merges: "merged_at",
    quarantine: "received_at",
    receipts: "as_of",
    routes: "routed_at",
    api_keys: "created_at",
    deployments: "deployed_at",
    tombstones: "erased_at",
}
_STEP = text("SELECT version_num FROM alembic_version")


@dataclass(frozen=True, slots=True)
class TableSummary:
    """How many rows a table has, and the instant of the newest [us since 1970 UTC]; None if it has none."""

    rows: int
    newest: int | None


@dataclass(frozen=True, slots=True)
class StoreSummary:
    """
    What a store holds.

    Attributes:
        epoch: which store it is.
        step: the step of its tables.
        newest_fact_at: when it last learned a fact [us since 1970 UTC].
        tables: what can be lost, by table.
        revoked_keys: the ids of keys that open nothing any longer.
        scorers: what has each role, in words.
    """

    epoch: StoreEpoch
    step: str
    newest_fact_at: int | None
    tables: Mapping[str, TableSummary]
    revoked_keys: tuple[str, ...]
    scorers: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON, with instants that people can read."""
        return {
            "store_id": self.epoch.store_id,
            "epoch": self.epoch.number,
            "schema_step": self.step,
            "newest_fact_at": _instant(self.newest_fact_at),
            "tables": {
                name: {"rows": table.rows, "newest": _instant(table.newest)} for name, table in self.tables.items()
            },
            "revoked_keys": list(self.revoked_keys),
            "scorers": dict(self.scorers),
        }

    @classmethod
    def of_json(cls, content: Mapping[str, Any]) -> "StoreSummary":
        """Read what `as_json` wrote."""
        return cls(
            StoreEpoch(str(content["store_id"]), int(content["epoch"])),
            str(content["schema_step"]),
            _parsed(content["newest_fact_at"]),
            {
                name: TableSummary(int(table["rows"]), _parsed(table["newest"]))
                for name, table in content["tables"].items()
            },
            tuple(content["revoked_keys"]),
            dict(content["scorers"]),
        )


def summarise_store(connection: Connection) -> StoreSummary:
    """Count what a store holds."""
    revoked = select(api_keys.c.key_id).where(api_keys.c.revoked_at.is_not(None)).order_by(api_keys.c.key_id)
    in_force = deployments_in_force(connection)
    return StoreSummary(
        epoch_of(connection),
        str(connection.execute(_STEP).scalar_one()),
        newest_fact_at(connection),
        {table.name: _summary(connection, table, instant) for table, instant in _NEWEST.items()},
        tuple(connection.execute(revoked).scalars()),
        {role: scorer_words(deployment.scorer) for role, deployment in in_force.items()},
    )


def rows_since(connection: Connection, name: str, before: TableSummary) -> int:
    """
    Return how many rows of a table are not in an earlier state of the store.

    Those with a later instant count, and so do those that a load brought with an earlier one.
    """
    table, instant = next((table, instant) for table, instant in _NEWEST.items() if table.name == name)
    query = select(func.count()).select_from(table)
    rows = int(connection.execute(query).scalar_one())
    if before.newest is None:
        return rows
    later = int(connection.execute(query.where(table.c[instant] > before.newest)).scalar_one())
    return max(later, rows - before.rows)


def _summary(connection: Connection, table: Table, instant: str) -> TableSummary:
    query = select(func.count(), func.max(table.c[instant])).select_from(table)
    rows, newest = connection.execute(query).one()
    return TableSummary(int(rows), None if newest is None else int(newest))


def _instant(at: int | None) -> str | None:
    return None if at is None else iso(at)


def _parsed(instant: str | None) -> int | None:
    return None if instant is None else parse(instant)
