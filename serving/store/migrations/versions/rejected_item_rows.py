"""What callers sent and was not stored, so that they can see what was rejected and why."""

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"
branch_labels = None
depends_on = None

_INDEXED = (["key_id", "id"], ["lead_id"], ["rejected_at"])


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "rejected_items",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("rejected_at", sa.BigInteger, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("item_id", sa.Text),
        sa.Column("lead_id", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    for columns in _INDEXED:
        op.create_index(f"ix_rejected_items_{'_'.join(columns)}", "rejected_items", columns)


def downgrade() -> None:
    """Drop the table: what was rejected is forgotten."""
    op.drop_table("rejected_items")
