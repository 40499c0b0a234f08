"""Stored scores say where the scorer's history knows too few such leads."""

import sqlalchemy as sa
from alembic import op

revision = "7"
down_revision = "6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; scores that are there say nothing until they are computed again."""
    op.add_column("scores", sa.Column("beyond_history", sa.Text))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("scores", "beyond_history")
