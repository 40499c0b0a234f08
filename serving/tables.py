"""
The tables of the store.

Instants are integer microseconds since 1970-01-01 UTC. ``lead_versions`` and ``activities`` have the columns that
live features read. Their rows lie in the order of lead and time, so that one lead is one short stretch of the file.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _lead() -> "Column[str]":
    return Column("lead_id", Text, ForeignKey("leads.lead_id", ondelete="CASCADE"), nullable=False)


leads = Table(
    "leads",
    metadata,
    Column("lead_id", Text, primary_key=True),
    Column("is_above", Integer, nullable=False, default=0, server_default="0"),
    Column("above_for", Text),
    CheckConstraint("is_above IN (0, 1)", name="is_above"),
    sqlite_with_rowid=False,
)
"""
One row a lead; ``is_above`` from a crossing until the score has fallen below threshold minus hysteresis.

``above_for`` is the fingerprint of the scorer that said so; empty until one other than a stand-in has looked.
"""

lead_versions = Table(
    "lead_versions",
    metadata,
    _lead(),
    Column("known_at", BigInteger, nullable=False),
    Column("account_id", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("attributes", Text, nullable=False),
    PrimaryKeyConstraint("lead_id", "known_at"),
    Index(None, "account_id"),
    sqlite_with_rowid=False,
)
"""What was known about a lead from an instant on; ``attributes`` is a JSON object."""

activities = Table(
    "activities",
    metadata,
    _lead(),
    Column("known_at", BigInteger, nullable=False),
    Column("activity_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("subject", Text),
    Column("value", Float),
    PrimaryKeyConstraint("lead_id", "known_at", "activity_id"),
    UniqueConstraint("activity_id"),
    sqlite_with_rowid=False,
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("outcome_id", Text, primary_key=True),
    _lead(),
    Column("stage", Text, nullable=False),
    Column("reached_at", BigInteger, nullable=False),
    Column("known_at", BigInteger, nullable=False),
    Column("amount", Float),
    Column("reason", Text),
    Index(None, "lead_id"),
)

routes = Table(
    "routes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _lead(),
    Column("points", Float, nullable=False),
    Column("score", Integer, nullable=False),
    Column("grade", Text, nullable=False),
    Column("threshold", Float, nullable=False),
    Column("routed_at", BigInteger, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("scorer", Text, nullable=False),
    Index(None, "lead_id"),
    sqlite_autoincrement=True,
)
"""A crossing: the lead was handed over once; ``reasons`` and ``scorer`` are the JSON that was true then."""
