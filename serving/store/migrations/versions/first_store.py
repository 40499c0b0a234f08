"""The store of the first releases: facts and routes, on SQLite alone."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables of facts and routes."""
    _leads()
    _events()
    _routes()


def downgrade() -> None:
    """Leave nothing."""
    for table in ("routes", "outcomes", "activities", "lead_versions", "leads"):
        op.drop_table(table)


def _lead() -> "sa.Column[str]":
    return sa.Column("lead_id", sa.Text, sa.ForeignKey("leads.lead_id", ondelete="CASCADE"), nullable=False)


def _leads() -> None:
    op.create_table(
        "leads",
        sa.Column("lead_id", sa.Text, primary_key=True),
        sa.Column("is_above", sa.Integer, nullable=False, server_default="0"),
        sa.Column("above_for", sa.Text),
        sa.CheckConstraint("is_above IN (0, 1)", name="is_above"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lead_versions",
        _lead(),
        sa.Column("known_at", sa.BigInteger, nullable=False),
        sa.Column("account_id", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("attributes", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("lead_id", "known_at"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_lead_versions_account_id", "lead_versions", ["account_id"])


def _events() -> None:
    op.create_table(
        "activities",
        _lead(),
        sa.Column("known_at", sa.BigInteger, nullable=False),
        sa.Column("activity_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("occurred_at", sa.BigInteger, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("value", sa.Float),
        sa.PrimaryKeyConstraint("lead_id", "known_at", "activity_id"),
        sa.UniqueConstraint("activity_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outcomes",
        sa.Column("outcome_id", sa.Text, primary_key=True),
        _lead(),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("reached_at", sa.BigInteger, nullable=False),
        sa.Column("known_at", sa.BigInteger, nullable=False),
        sa.Column("amount", sa.Float),
        sa.Column("reason", sa.Text),
    )
    op.create_index("ix_outcomes_lead_id", "outcomes", ["lead_id"])


def _routes() -> None:
    op.create_table(
        "routes",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        _lead(),
        sa.Column("points", sa.Float, nullable=False),
        sa.Column("score", sa.Integer, nullable=False),
        sa.Column("grade", sa.Text, nullable=False),
        sa.Column("threshold", sa.Float, nullable=False),
        sa.Column("routed_at", sa.BigInteger, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("scorer", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_routes_lead_id", "routes", ["lead_id"])
