"""
The tables of the store, the same on SQLite and on PostgreSQL.

Instants are integer microseconds since 1970-01-01 UTC. ``lead_versions`` and ``activities`` have the columns that
live features read. Their rows lie in the order of lead and time, so that one lead is one short stretch of the file.
The newest step of ``migrations`` makes exactly these tables, which a test holds.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
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
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers rows only for the type INTEGER


def _lead(**options: Any) -> "Column[str]":
    return Column("lead_id", Text, ForeignKey("leads.lead_id", ondelete="CASCADE"), nullable=False, **options)


# ---- what is known: facts, kept for ever

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
One row per lead; ``is_above`` from a crossing until the score has fallen below threshold minus hysteresis.

``above_for`` is the fingerprint of the scorer that decided so; empty until one other than a stand-in has scored it.
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
"""What a lead did; a merge stores copies under the surviving lead, whose ids are made of a hash."""

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
    Index(None, "known_at"),
)

merges = Table(
    "merges",
    metadata,
    _lead(),
    Column("merged_at", BigInteger, nullable=False),
    Column("into_lead_id", Text, ForeignKey("leads.lead_id", ondelete="CASCADE"), nullable=False),
    PrimaryKeyConstraint("lead_id", "merged_at"),
    Index(None, "into_lead_id"),
)
"""
Leads that turned out to be another one, and since when.

The newest row of a lead counts, and its ``into_lead_id`` is never merged itself: when it is, every lead that points to
it gets one more row. So which lead an id stood for as of an earlier instant is still known.
"""

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("fact_id", Text, nullable=False),
    Column("lead_id", Text, nullable=False),
    Column("fact", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("released_at", BigInteger),
    Index(None, "lead_id"),
    Index(None, "kind", "fact_id", unique=True),
    sqlite_autoincrement=True,
)
"""Facts with an instant that cannot be right, as they were sent; nothing counts them until they are released."""

rejected_items = Table(
    "rejected_items",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("rejected_at", BigInteger, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("item_id", Text),
    Column("lead_id", Text),
    Column("reason", Text, nullable=False),
    Column("fields", Text, nullable=False),
    Index(None, "key_id", "id"),
    Index(None, "lead_id"),
    Index(None, "rejected_at"),
    sqlite_autoincrement=True,
)
"""What callers sent and was not stored, for seven days; ``fields`` are separated by spaces."""

tombstones = Table(
    "tombstones",
    metadata,
    Column("keyed_hash", Text, primary_key=True),
    Column("erased_at", BigInteger, nullable=False),
)
"""Erased leads, as keyed hashes of their ids, so that late facts about them can be refused."""

# ---- what follows from it: scores, routes and pending work

pending_scores = Table(
    "pending_scores",
    metadata,
    _lead(primary_key=True),
    Column("since", BigInteger, nullable=False),
    Column("newest", BigInteger, nullable=False),
    Index(None, "since"),
    sqlite_with_rowid=False,
)
"""Leads that wait to be scored because of facts known from ``since`` until ``newest``."""

scores = Table(
    "scores",
    metadata,
    _lead(primary_key=True),
    Column("as_of", BigInteger, nullable=False),
    Column("points", Float, nullable=False),
    Column("score", Integer, nullable=False),
    Column("grade", Text, nullable=False),
    Column("probability", Float),
    Column("newest_activity_at", BigInteger),
    Column("scorer", Text, nullable=False),
    Column("receipt_id", Text, nullable=False),
    Column("beyond_history", Text),
    Index(None, "points"),
    sqlite_with_rowid=False,
)
"""
The stored score of each lead; ``as_of`` is when it was last confirmed, ``scorer`` is a fingerprint.

``beyond_history`` is a sentence where the scorer's history knows too few leads as old or as silent.
"""

receipts = Table(
    "receipts",
    metadata,
    Column("receipt_id", Text, primary_key=True),
    _lead(),
    Column("role", Text, nullable=False),
    Column("as_of", BigInteger, nullable=False),
    Column("scorer", Text, nullable=False),
    Column("points", Float, nullable=False),
    Column("threshold", Float, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("feature_values", Text, nullable=False),
    Column("content", Text, nullable=False),
    Index(None, "lead_id", "role", "as_of"),
    Index(
        "ix_receipts_of_shadows",
        "as_of",
        sqlite_where=text("role = 'shadow'"),
        postgresql_where=text("role = 'shadow'"),
    ),
)
"""
Each served score, once per change: feature values (a JSON list in catalog order), scorer, threshold and reasons.

``role`` is ``champion`` or ``shadow``; ``content_hash`` is equal for two receipts of a lead with the same content.
"""

routes = Table(
    "routes",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
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
"""A crossing: the lead was handed over once; ``reasons`` and ``scorer`` are the JSON of that moment."""

# ---- which scorer answers

scorers = Table(
    "scorers",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("stored_at", BigInteger, nullable=False),
)
"""Every scorer that ever answered, so that its receipts can be replayed: the files of a bundle, or point rules."""

deployments = Table(
    "deployments",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("role", Text, nullable=False),
    Column("fingerprint", Text, ForeignKey("scorers.fingerprint")),
    Column("source", Text, nullable=False),
    Column("deployed_at", BigInteger, nullable=False),
    Column("deployed_by", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""
Which scorer has which role: the newest row of a ``role`` (``champion``, ``shadow``) is in force; no fingerprint: none.

``source`` is ``promotion`` if the service found it promoted in the models folder, else ``deploy``.
"""

# ---- who may do what, and what was done

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("replaced_by", Text),
    Column("last_used_at", BigInteger),
    Column("addresses", Text, nullable=False, server_default=""),
)
"""API keys, by the sha256 of their 256 random bits; ``scopes`` and ``addresses`` are separated by spaces."""

idempotent_requests = Table(
    "idempotent_requests",
    metadata,
    Column("key_id", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("request_hash", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("status", Integer),
    Column("response", Text),
    PrimaryKeyConstraint("key_id", "idempotency_key"),
    Index(None, "started_at"),
)
"""Requests with an ``Idempotency-Key``: a keyed hash of each, and its first response once there is one."""

idempotent_request_leads = Table(
    "idempotent_request_leads",
    metadata,
    Column("key_id", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("lead_id", Text, nullable=False),
    PrimaryKeyConstraint("key_id", "idempotency_key", "lead_id"),
    Index(None, "lead_id"),
    sqlite_with_rowid=False,
)
"""Which leads a stored response mentions, so that erasing a lead finds it."""

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("noted_at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""What administrators did: ``actor`` is a key's id or the command line's user, ``target`` never names a lead."""

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
)
"""Work that one process does for all, such as the sweep; an expired lease may be taken over."""

store_state = Table(
    "store_state",
    metadata,
    Column("name", Text, primary_key=True),
    Column("content", Text, nullable=False),
)
"""What the store remembers about itself: its secret for keyed hashes, when the last sweep ended, where exports are."""
