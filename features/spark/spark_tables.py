"""The contract's tables as Spark reads them."""

from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir


@dataclass(frozen=True, slots=True)
class SparkTables:
    """
    The contract's tables on Spark, as the warehouse has them: instants as integer microseconds, booleans as 1 and 0.

    Attributes:
        session: the session.
        leads: versions of leads.
        activities: activities.
        outcomes: outcomes.
    """

    session: Any
    leads: Any
    activities: Any
    outcomes: Any

    @classmethod
    def of(cls, session: Any, folder: str) -> "SparkTables":
        """
        Return the tables of a folder.

        Args:
            session: the session.
            folder: its address for Spark; it holds ``leads.parquet``, ``activities.parquet`` and ``outcomes.parquet``,
                each a file or a folder of files.
        """
        read = (_as_numbers(session.read.parquet(f"{folder}/{name}.parquet")) for name in cls._names())
        return cls(session, *read)

    @staticmethod
    def _names() -> tuple[str, str, str]:
        return "leads", "activities", "outcomes"

    def known_before(self, as_of: int) -> "SparkTables":
        """Return the tables with what was known before an instant [us since 1970 UTC] alone."""
        known = [getattr(self, name).where(f"known_at < {as_of}") for name in self._names()]
        return SparkTables(self.session, *known)

    def selected(self, expression: ir.Table) -> Any:
        """
        Return the rows of an expression over `unbound_tables`.

        Args:
            expression: reads tables by their names in the contract.
        """
        for name in self._names():
            getattr(self, name).createOrReplaceTempView(name)
        return self.session.sql(ibis.to_sql(expression, dialect="pyspark"))


def unbound_tables() -> tuple[ir.Table, ir.Table, ir.Table]:
    """Return leads, activities and outcomes with the columns that say who is open, for `SparkTables.selected`."""
    leads = ibis.table({"lead_id": "string", "known_at": "int64"}, name="leads")
    did = {"lead_id": "string", "kind": "string", "occurred_at": "int64", "known_at": "int64"}
    reached = {"lead_id": "string", "stage": "string", "reached_at": "int64", "known_at": "int64"}
    return leads, ibis.table(did, name="activities"), ibis.table(reached, name="outcomes")


def quoted_name(name: str) -> str:
    """
    Return the name of a column as Spark reads it whatever it holds.

    >>> quoted_name("a.`b`")
    '`a.``b```'
    """
    return "`" + name.replace("`", "``") + "`"


def _as_numbers(table: Any) -> Any:
    return table.selectExpr(*(_as_number(quoted_name(name), kind) for name, kind in table.dtypes))


def _as_number(name: str, kind: str) -> str:
    match kind:
        case "timestamp" | "timestamp_ntz":
            return f"unix_micros(CAST({name} AS TIMESTAMP)) AS {name}"
        case "boolean":
            return f"CAST({name} AS DOUBLE) AS {name}"
        case _:
            return name
