"""From here on the store says whose it is; releases that do not ask must not open it."""

from alembic import op

revision = "4"
down_revision = "3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing: the company is kept in ``store_state``, by the first playbook that opens the store."""


def downgrade() -> None:
    """Forget the company, which earlier releases would neither heed nor keep up to date."""
    op.execute("DELETE FROM store_state WHERE name = 'company'")
