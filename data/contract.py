"""
The contract: the three tables every company's exports are turned into.

Instants are UTC. ``occurred_at``, ``reached_at`` and ``created_at`` are the world's clock,
``known_at`` is the company's: the moment from which a fact could have been used. ``known_at`` is never before the fact.
"""

from enum import StrEnum


class AttributeType(StrEnum):
    """What an attribute of a lead holds."""

    NUMERIC = "numeric"
    CATEGORY = "category"
    BOOLEAN = "boolean"


RESERVED = frozenset(
    {
        *("lead_id", "account_id", "created_at", "known_at"),
        *("activity_id", "kind", "occurred_at", "subject", "value"),
        *("outcome_id", "stage", "reached_at", "amount", "reason"),
        "as_of",
    }
)
"""The names of the tables' columns, and of a snapshot's instant: no attribute may have one of them."""
