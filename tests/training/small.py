"""Tiny histories written by hand: days as numbers, leads as letters."""

import pandas as pd

from data.importing.history_period import HistoryPeriod
from data.instants import DAY_US
from data.words.playbook import Business

START = 20_000 * DAY_US


def day(number: float) -> int:
    """Return the instant so many days after the start, in microseconds."""
    return START + round(number * DAY_US)


def until(number: float) -> HistoryPeriod:
    """Return the period of a history from the start until so many days later."""
    return HistoryPeriod(START, day(number))


def playbook(**changes) -> Business:
    """Return a playbook with visits, crawls (which may not be used) and a goal within 10 days."""
    content = {
        "name": "small",
        "title": "Small",
        "sources": [{"file": "leads.csv", "holds": "leads", "columns": {"lead_id": "id", "created_at": "at"}}],
        "activities": {
            "visit": {"did": "visited us", "one": "visit", "many": "visits"},
            "crawl": {"did": "was crawled", "one": "crawl", "many": "crawls"},
            "demo": {"did": "asked for a demo", "one": "demo request", "many": "demo requests", "intent": True},
        },
        "stages": {"won": "won", "lost": "lost", "met": "met"},
        "closed_by": ["lost"],
        "goal": {"stage": "won", "horizon_days": 10},
        "capacity_per_day": 2,
        "never_use": ["crawl"],
    }
    return Business.model_validate(content | changes)


def leads(*rows: tuple[str, float]) -> pd.DataFrame:
    """Return versions of leads: id, day from which they were known."""
    return pd.DataFrame(
        {"lead_id": [row[0] for row in rows], "account_id": None, "known_at": [day(row[1]) for row in rows]}
    ).astype({"lead_id": "str", "known_at": "int64"})


def activities(*rows: tuple[str, float, str]) -> pd.DataFrame:
    """Return activities: lead, day, kind; known at once."""
    return pd.DataFrame(
        {
            "lead_id": pd.Series([row[0] for row in rows], dtype="str"),
            "kind": pd.Series([row[2] for row in rows], dtype="str"),
            "occurred_at": pd.Series([day(row[1]) for row in rows], dtype="int64"),
            "known_at": pd.Series([day(row[1]) for row in rows], dtype="int64"),
        }
    )


def outcomes(*rows: tuple[str, float, str], lag_days: float = 0) -> pd.DataFrame:
    """Return outcomes: lead, day reached, stage; known so many days later."""
    return pd.DataFrame(
        {
            "lead_id": pd.Series([row[0] for row in rows], dtype="str"),
            "stage": pd.Series([row[2] for row in rows], dtype="str"),
            "reached_at": pd.Series([day(row[1]) for row in rows], dtype="int64"),
            "known_at": pd.Series([day(row[1] + lag_days) for row in rows], dtype="int64"),
        }
    )
