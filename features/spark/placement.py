# ruff: noqa: S608 - this is SQL over views of our own; nothing in it comes from outside
"""
Which part each lead and each fact goes to, so that every part can be swept by itself.

A lead goes to the part that its account at the instant hashes to; one without an account, to that of its own id.
A fact goes wherever it is needed: to the part of its lead, and to that of each account its lead ever belonged to. So a
lead that changes accounts is copied, and no part asks another for anything.
"""

from dataclasses import dataclass
from typing import Any

from data.lifecycle.lead_lifecycle import LAST_STAGE
from features.catalog import Catalog
from features.spark.spark_tables import SparkTables, quoted_name
from features.sweep.plan import compile_plan

FACTS_OF_A_PART = 500_000
"""Activities in a part, on average: what a worker holds at once. An account that counts is never divided."""

_FEWEST_PARTS = 4
_NO_LIMIT = 2**62

_HOMES = """
SELECT lead_id, max_by(account_id, known_at) AS account_id, collect_set(account_id) AS accounts
FROM leadscore_versions GROUP BY lead_id
"""
_CROWDED = """
SELECT account_id, true AS alone FROM leadscore_homes WHERE account_id IS NOT NULL
GROUP BY account_id HAVING count(*) > {most}
"""
_PLACED = """
SELECT h.lead_id, h.accounts, a.lead_id IS NOT NULL AS asked, a.stage, coalesce(c.alone, false) AS alone,
  IF(c.alone, NULL, h.account_id) AS account_id
FROM leadscore_homes AS h LEFT JOIN leadscore_asked AS a ON h.lead_id = a.lead_id
LEFT JOIN leadscore_crowded AS c ON h.account_id = c.account_id
"""
_PART = "CAST(pmod(xxhash64(coalesce(account_id, lead_id)), {parts}) AS INT) AS _part"
_WANTED = f"""
WITH counted AS (SELECT DISTINCT account_id FROM leadscore_placed WHERE asked AND account_id IS NOT NULL),
members AS (SELECT lead_id, explode(accounts) AS account_id FROM leadscore_placed)
SELECT lead_id, {_PART} FROM leadscore_placed WHERE asked
UNION
SELECT lead_id, {_PART} FROM members LEFT SEMI JOIN counted USING (account_id)
"""
_ASKED = f"SELECT lead_id, alone AS _alone, stage AS {LAST_STAGE}, {_PART} FROM leadscore_placed WHERE asked"
_FACTS = """
SELECT w._part AS _part, f.* FROM leadscore_wanted AS w JOIN leadscore_{facts} AS f ON w.lead_id = f.lead_id
"""


@dataclass(frozen=True, slots=True)
class PlacedFacts:
    """
    Leads to describe and what they need to know, each row with its ``_part``.

    Attributes:
        leads: versions of leads, and the leads to describe, which alone have ``_alone``: whether their account is
            none, since it has too many leads, and `LAST_STAGE`.
        activities: what the leads did.
    """

    leads: Any
    activities: Any


def placed_facts(tables: SparkTables, asked: Any, catalog: Catalog) -> PlacedFacts:
    """
    Return leads with the facts that a catalog's features of them are made of, placed in parts.

    Args:
        tables: the contract's tables, with what is known at the instant alone.
        asked: ``lead_id`` of those to describe, and their last ``stage``; unique rows, all of them known.
        catalog: the features.
    """
    session, leads, activities = tables.session, tables.leads, tables.activities
    parts = max(_FEWEST_PARTS, activities.count() // FACTS_OF_A_PART)
    session.conf.set("spark.sql.shuffle.partitions", str(parts))
    account = "account_id" if catalog.needs_account else "CAST(NULL AS STRING) AS account_id"

    def name(view: str, table: Any) -> None:
        table.createOrReplaceTempView(f"leadscore_{view}")

    name("asked", asked)
    name("versions", leads.selectExpr("lead_id", account, "known_at"))
    name("homes", session.sql(_HOMES))
    name("crowded", session.sql(_CROWDED.format(most=_most_members(catalog))))
    name("placed", session.sql(_PLACED).persist())
    name("wanted", session.sql(_WANTED.format(parts=parts)).persist())
    name(
        "leads",
        leads.select("lead_id", "account_id", "created_at", "known_at", *map(quoted_name, catalog.attribute_names)),
    )
    name("activities", activities.select("lead_id", "kind", "occurred_at", "known_at", *_columns_read(catalog)))
    of_leads, of_activities = (session.sql(_FACTS.format(facts=facts)) for facts in ("leads", "activities"))
    asked_in_parts = session.sql(_ASKED.format(parts=parts))
    return PlacedFacts(of_leads.unionByName(asked_in_parts, allowMissingColumns=True), of_activities)


def _most_members(catalog: Catalog) -> int:
    return _NO_LIMIT if catalog.most_colleagues is None else catalog.most_colleagues + 1


def _columns_read(catalog: Catalog) -> list[str]:
    """Return those columns of activities that not every catalog looks at, as far as this one does."""
    plans = [compile_plan(catalog, over) for over in ("lead", "account")]
    return [
        *(["subject"] if any(plan.subjects or plan.needs_subjects for plan in plans) else []),
        *(["value"] if any(plan.needs_values for plan in plans) else []),
    ]
