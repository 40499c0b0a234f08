"""A small store as the service makes it, with facts written into it by hand."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from data.instants import parse
from serving.store.database import Database
from serving.store.tables import activities, lead_versions, leads, merges, outcomes

AT = parse("2026-01-01T08:00:00.000001Z")
HOUR_US = 3_600_000_000
TABLES = {"versions": lead_versions, "activities": activities, "outcomes": outcomes, "merges": merges}


def version(lead_id: str, known_at: int = AT, account_id: str | None = None, **attributes: Any) -> dict[str, Any]:
    text = json.dumps(attributes, sort_keys=True)
    return {
        "lead_id": lead_id,
        "known_at": known_at,
        "account_id": account_id,
        "created_at": known_at - 1,
        "attributes": text,
    }


def activity(activity_id: str, lead_id: str, known_at: int = AT + HOUR_US, **content: Any) -> dict[str, Any]:
    row = {"activity_id": activity_id, "lead_id": lead_id, "kind": "view", "known_at": known_at}
    return {**row, "occurred_at": known_at - 1, "subject": None, "value": None, **content}


def outcome(outcome_id: str, lead_id: str, known_at: int = AT + 2 * HOUR_US, **content: Any) -> dict[str, Any]:
    row = {"outcome_id": outcome_id, "lead_id": lead_id, "stage": "won", "known_at": known_at}
    return {**row, "reached_at": known_at - 1, "amount": None, "reason": None, **content}


def merged(lead_id: str, into: str, at: int) -> dict[str, Any]:
    return {"lead_id": lead_id, "into_lead_id": into, "merged_at": at}


def fill(url: str | Path, **facts: list[dict[str, Any]]) -> str:
    """Write rows into a store, which is made where there is none: versions, activities, outcomes, merges."""
    database = Database(str(url))
    try:
        with database.writing() as connection:
            known = set(connection.execute(text("SELECT lead_id FROM leads")).scalars())
            new = {row["lead_id"] for row in facts.get("versions", [])} - known
            if new:
                connection.execute(insert(leads), [{"lead_id": one} for one in sorted(new)])
            for name, rows in facts.items():
                connection.execute(insert(TABLES[name]), rows)
    finally:
        database.close()
    return str(url)


def change(url: str | Path, statement: str) -> None:
    """Do to a store what the service would not."""
    database = Database(str(url))
    try:
        with database.writing() as connection:
            connection.execute(text(statement))
    finally:
        database.close()
