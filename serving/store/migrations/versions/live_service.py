"""Scores and receipts, scorers, keys, merges, quarantine, tombstones and the work still to do."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"
branch_labels = None
depends_on = None

_TABLES = (
    *("scores", "receipts", "moves", "merges", "deployments", "tombstones", "scorers", "quarantine", "marks", "leases"),
    *("idempotency_leads", "idempotency", "audit", "api_keys"),
)
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _lead(name: str, **options: Any) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, sa.ForeignKey("leads.lead_id", ondelete="CASCADE"), nullable=False, **options)


def upgrade() -> None:
    """Make the tables that the live service needs beside facts and routes."""
    _callers()
    _coordination()
    _quarantine_and_merges()
    _scorers()
    _scores()
    _receipts()
    op.create_index("ix_outcomes_known_at", "outcomes", ["known_at"])


def downgrade() -> None:
    """Leave facts and routes alone; everything else is lost."""
    op.drop_index("ix_outcomes_known_at", table_name="outcomes")
    for table in _TABLES:
        op.drop_table(table)


def _callers() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("replaced_by", sa.Text),
        sa.UniqueConstraint("hash"),
    )
    op.create_table(
        "audit",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "idempotency",
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("answer", sa.Text),
        sa.PrimaryKeyConstraint("key_id", "idempotency_key"),
    )
    op.create_index("ix_idempotency_started_at", "idempotency", ["started_at"])
    op.create_table(
        "idempotency_leads",
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.Text, nullable=False),
        sa.Column("lead_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key_id", "idempotency_key", "lead_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_idempotency_leads_lead_id", "idempotency_leads", ["lead_id"])


def _coordination() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "marks",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_table(
        "tombstones",
        sa.Column("mark", sa.Text, primary_key=True),
        sa.Column("erased_at", sa.BigInteger, nullable=False),
    )


def _quarantine_and_merges() -> None:
    op.create_table(
        "quarantine",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("fact_id", sa.Text, nullable=False),
        sa.Column("lead_id", sa.Text, nullable=False),
        sa.Column("fact", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("released_at", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_quarantine_kind_fact_id", "quarantine", ["kind", "fact_id"], unique=True)
    op.create_index("ix_quarantine_lead_id", "quarantine", ["lead_id"])
    op.create_table(
        "merges",
        _lead("lead_id"),
        sa.Column("merged_at", sa.BigInteger, nullable=False),
        _lead("into_lead_id"),
        sa.PrimaryKeyConstraint("lead_id", "merged_at"),
    )
    op.create_index("ix_merges_into_lead_id", "merges", ["into_lead_id"])


def _scorers() -> None:
    op.create_table(
        "scorers",
        sa.Column("fingerprint", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("stored_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "deployments",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, sa.ForeignKey("scorers.fingerprint")),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("deployed_at", sa.BigInteger, nullable=False),
        sa.Column("deployed_by", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )


def _scores() -> None:
    op.create_table(
        "moves",
        _lead("lead_id", primary_key=True),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("newest", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_moves_since", "moves", ["since"])
    op.create_table(
        "scores",
        _lead("lead_id", primary_key=True),
        sa.Column("as_of", sa.BigInteger, nullable=False),
        sa.Column("points", sa.Float, nullable=False),
        sa.Column("score", sa.Integer, nullable=False),
        sa.Column("grade", sa.Text, nullable=False),
        sa.Column("probability", sa.Float),
        sa.Column("newest_activity_at", sa.BigInteger),
        sa.Column("scorer", sa.Text, nullable=False),
        sa.Column("receipt_id", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_scores_points", "scores", ["points"])


def _receipts() -> None:
    op.create_table(
        "receipts",
        sa.Column("receipt_id", sa.Text, primary_key=True),
        _lead("lead_id"),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("as_of", sa.BigInteger, nullable=False),
        sa.Column("scorer", sa.Text, nullable=False),
        sa.Column("points", sa.Float, nullable=False),
        sa.Column("threshold", sa.Float, nullable=False),
        sa.Column("mark", sa.Text, nullable=False),
        sa.Column("values", sa.Text, nullable=False),
        sa.Column("receipt", sa.Text, nullable=False),
    )
    op.create_index("ix_receipts_lead_id_role_as_of", "receipts", ["lead_id", "role", "as_of"])
    of_shadows = sa.text("role = 'shadow'")
    op.create_index(
        "ix_receipts_of_shadows", "receipts", ["as_of"], sqlite_where=of_shadows, postgresql_where=of_shadows
    )
