"""
Which part each snapshot and each fact goes to, so that every part can be swept by itself.

A snapshot goes to the part of its account at its instant, or of its lead where it has none. A fact goes wherever a
snapshot needs it: to the part of its own lead's snapshots, and to that of each account its lead ever belonged to. So a
lead that changes accounts is copied, and no part asks another for anything.
"""

from dataclasses import dataclass
from typing import Any

from features.catalog import Catalog
from features.spark.spark_tables import SparkTables
from features.sweep.plan import compile_plan

FACTS_OF_A_PART = 500_000
"""Activities in a part, on average: what a worker holds at once. An account that counts is never divided."""

_FEWEST_PARTS = 4
_NO_LIMIT = 2**62

_HOMES = """
SELECT lead_id, max_by(account_id, known_at) AS account_id FROM {leads} GROUP BY lead_id
"""
_CROWDED = """
SELECT account_id, true AS alone FROM {homes} WHERE account_id IS NOT NULL
GROUP BY account_id HAVING count(*) > {most}
"""
_PLACED = """
SELECT lead_id, coalesce(alone, false) AS alone, IF(alone, NULL, account_id) AS account_id,
  CAST(pmod(xxhash64(IF(alone, lead_id, coalesce(account_id, lead_id))), {parts}) AS INT) AS part
FROM {asked} JOIN {homes} USING (lead_id) LEFT JOIN {crowded} USING (account_id)
"""
_WANTED = """
WITH members AS (SELECT DISTINCT lead_id, account_id FROM {leads} WHERE account_id IS NOT NULL),
accounts AS (SELECT DISTINCT account_id, part FROM {placed} WHERE account_id IS NOT NULL)
SELECT lead_id, part FROM {placed}
UNION
SELECT m.lead_id, a.part FROM members AS m JOIN accounts AS a ON m.account_id = a.account_id
"""
_FACTS = "SELECT w.part AS part, f.* FROM {wanted} AS w JOIN {facts} AS f ON w.lead_id = f.lead_id"


@dataclass(frozen=True, slots=True)
class PlacedFacts:
    """
    Snapshots and what they need to know, each row with its ``part``.

    Attributes:
        leads: versions of leads, and the snapshots, which alone have ``as_of`` and ``alone``: whether their account is
            none, since it has too many leads.
        activities: what the leads did.
    """

    leads: Any
    activities: Any


def placed_facts(tables: SparkTables, asked: Any, catalog: Catalog) -> PlacedFacts:
    """
    Return leads with the facts that a catalog's features of them are made of, placed in parts.

    Args:
        tables: the contract's tables, with what is known at the instant alone.
        asked: ``lead_id`` of those to describe; unique rows, all of them known.
        catalog: the features.
    """
    sql, leads, activities = tables.session.sql, tables.leads, tables.activities
    parts = max(_FEWEST_PARTS, activities.count() // FACTS_OF_A_PART)
    tables.session.conf.set("spark.sql.shuffle.partitions", str(parts))
    account = "account_id" if catalog.needs_account else "CAST(NULL AS STRING) AS account_id"
    homes = sql(_HOMES, leads=leads.selectExpr("lead_id", account, "known_at"))
    crowded = sql(_CROWDED, homes=homes, most=_most_members(catalog))
    placed = sql(_PLACED, asked=asked, homes=homes, crowded=crowded, parts=parts)
    wanted = sql(_WANTED, placed=placed, leads=leads)
    known = ["account_id", "created_at", "known_at", *catalog.attribute_names]
    done = ["kind", "occurred_at", "known_at", *_columns_read(catalog)]
    versions = sql(_FACTS, wanted=wanted, facts=leads.select("lead_id", *known))
    return PlacedFacts(
        versions.unionByName(placed.drop("account_id"), allowMissingColumns=True),
        sql(_FACTS, wanted=wanted, facts=activities.select("lead_id", *done)),
    )


def _most_members(catalog: Catalog) -> int:
    return _NO_LIMIT if catalog.most_colleagues is None else catalog.most_colleagues + 1


def _columns_read(catalog: Catalog) -> list[str]:
    """Return those columns of activities that not every catalog looks at, as far as this one does."""
    plans = [compile_plan(catalog, over) for over in ("lead", "account")]
    return [
        *(["subject"] if any(plan.subjects or plan.needs_subjects for plan in plans) else []),
        *(["value"] if any(plan.needs_values for plan in plans) else []),
    ]
