"""Scores and receipts, scorers, keys, merges, quarantine, tombstones and the work still to do."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables that the live service needs beside facts and routes."""
    _callers()
    _coordination()
    _quarantine_and_merges()
    _scorers()
    _scores()
    _receipts()
    _indexes()


def downgrade() -> None:
    """Leave facts and routes alone; everything else is lost."""
    op.drop_index("ix_outcomes_known_at", table_name="outcomes")
    op.drop_table("scores")
    op.drop_table("receipts")
    op.drop_table("moves")
    op.drop_table("merges")
    op.drop_table("deployments")
    op.drop_table("tombstones")
    op.drop_table("scorers")
    op.drop_table("quarantine")
    op.drop_table("marks")
    op.drop_table("leases")
    op.drop_table("idempotency_leads")
    op.drop_table("idempotency")
    op.drop_table("audit")
    op.drop_table("api_keys")


def _callers() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=True),
        sa.Column("revoked_at", sa.BigInteger, nullable=True),
        sa.Column("replaced_by", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("key_id", name="pk_api_keys"),
        sa.UniqueConstraint("hash", name="uq_api_keys_hash"),
    )
    op.create_table(
        "audit",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "idempotency",
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Integer, nullable=True),
        sa.Column("answer", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("key_id", "idempotency_key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_started_at", "idempotency", ["started_at"])
    op.create_table(
        "idempotency_leads",
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.Text, nullable=False),
        sa.Column("lead_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key_id", "idempotency_key", "lead_id", name="pk_idempotency_leads"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_idempotency_leads_lead_id", "idempotency_leads", ["lead_id"])


def _coordination() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.create_table(
        "marks",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_marks"),
    )
    op.create_table(
        "tombstones",
        sa.Column("mark", sa.Text, nullable=False),
        sa.Column("erased_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("mark", name="pk_tombstones"),
    )


def _quarantine_and_merges() -> None:
    op.create_table(
        "quarantine",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("fact_id", sa.Text, nullable=False),
        sa.Column("lead_id", sa.Text, nullable=False),
        sa.Column("fact", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("released_at", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_quarantine_kind_fact_id", "quarantine", ["kind", "fact_id"], unique=True)
    op.create_index("ix_quarantine_lead_id", "quarantine", ["lead_id"])
    op.create_table(
        "merges",
        sa.Column("lead_id", sa.Text, nullable=False),
        sa.Column("merged_at", sa.BigInteger, nullable=False),
        sa.Column("into_lead_id", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["into_lead_id"], ["leads.lead_id"], name="fk_merges_into_lead_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.lead_id"], name="fk_merges_lead_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("lead_id", "merged_at", name="pk_merges"),
    )
    op.create_index("ix_merges_into_lead_id", "merges", ["into_lead_id"])


def _scorers() -> None:
    op.create_table(
        "scorers",
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("stored_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_scorers"),
    )
    op.create_table(
        "deployments",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("deployed_at", sa.BigInteger, nullable=False),
        sa.Column("deployed_by", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["fingerprint"], ["scorers.fingerprint"], name="fk_deployments_fingerprint"),
        sa.PrimaryKeyConstraint("id", name="pk_deployments"),
        sqlite_autoincrement=True,
    )


def _scores() -> None:
    op.create_table(
        "moves",
        sa.Column("lead_id", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("newest", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.lead_id"], name="fk_moves_lead_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("lead_id", name="pk_moves"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_moves_since", "moves", ["since"])
    op.create_table(
        "scores",
        sa.Column("lead_id", sa.Text, nullable=False),
        sa.Column("as_of", sa.BigInteger, nullable=False),
        sa.Column("points", sa.Float, nullable=False),
        sa.Column("score", sa.Integer, nullable=False),
        sa.Column("grade", sa.Text, nullable=False),
        sa.Column("probability", sa.Float, nullable=True),
        sa.Column("newest_activity_at", sa.BigInteger, nullable=True),
        sa.Column("scorer", sa.Text, nullable=False),
        sa.Column("receipt_id", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.lead_id"], name="fk_scores_lead_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("lead_id", name="pk_scores"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_scores_points", "scores", ["points"])


def _receipts() -> None:
    op.create_table(
        "receipts",
        sa.Column("receipt_id", sa.Text, nullable=False),
        sa.Column("lead_id", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("as_of", sa.BigInteger, nullable=False),
        sa.Column("scorer", sa.Text, nullable=False),
        sa.Column("points", sa.Float, nullable=False),
        sa.Column("threshold", sa.Float, nullable=False),
        sa.Column("mark", sa.Text, nullable=False),
        sa.Column("values", sa.Text, nullable=False),
        sa.Column("receipt", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.lead_id"], name="fk_receipts_lead_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("receipt_id", name="pk_receipts"),
    )
    op.create_index("ix_receipts_lead_id_role_as_of", "receipts", ["lead_id", "role", "as_of"])
    of_shadows = sa.text("role = 'shadow'")
    op.create_index(
        "ix_receipts_of_shadows", "receipts", ["as_of"], sqlite_where=of_shadows, postgresql_where=of_shadows
    )


def _indexes() -> None:
    op.create_index("ix_outcomes_known_at", "outcomes", ["known_at"])
