"""When each key was last used, and the addresses it may be used from."""

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; keys that are there may be used from anywhere, as before."""
    op.add_column("api_keys", sa.Column("last_used_at", sa.BigInteger))
    op.add_column("api_keys", sa.Column("addresses", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    """Drop the columns: every key may be used from anywhere again."""
    for column in ("addresses", "last_used_at"):
        op.drop_column("api_keys", column)
