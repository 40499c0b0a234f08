"""Names that anybody understands, for tables and columns; not one value, type or index changes."""

from collections.abc import Iterable

from alembic import op

revision = "3"
down_revision = "2"
branch_labels = None
depends_on = None

_TABLES = {
    "moves": "pending_scores",
    "marks": "store_state",
    "audit": "audit_log",
    "idempotency": "idempotent_requests",
    "idempotency_leads": "idempotent_request_leads",
}
_COLUMNS = (
    ("audit_log", "at", "noted_at"),
    ("audit_log", "act", "action"),
    ("audit_log", "about", "target"),
    ("idempotent_requests", "request", "request_hash"),
    ("idempotent_requests", "answer", "response"),
    ("receipts", "mark", "content_hash"),
    ("receipts", '"values"', "feature_values"),
    ("receipts", "receipt", "content"),
    ("tombstones", "mark", "keyed_hash"),
)
_INDEXED = (("moves", "since"), ("idempotency", "started_at"), ("idempotency_leads", "lead_id"))
_CONSTRAINTS = (*(("pk", table, "") for table in _TABLES), ("fk", "moves", "_lead_id"))


def upgrade() -> None:
    """Rename tables, then columns, indexes and constraints."""
    for old, new in _TABLES.items():
        op.rename_table(old, new)
    for table, old, new in _COLUMNS:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
    for old, column in _INDEXED:
        op.drop_index(f"ix_{old}_{column}", table_name=_TABLES[old])
        op.create_index(f"ix_{_TABLES[old]}_{column}", _TABLES[old], [column])
    _on_postgres(
        f"ALTER TABLE {_TABLES[old]} RENAME CONSTRAINT {kind}_{old}{rest} TO {kind}_{_TABLES[old]}{rest}"
        for kind, old, rest in _CONSTRAINTS
    )
    _on_postgres(["ALTER SEQUENCE audit_id_seq RENAME TO audit_log_id_seq"])


def downgrade() -> None:
    """Restore the earlier names."""
    _on_postgres(["ALTER SEQUENCE audit_log_id_seq RENAME TO audit_id_seq"])
    _on_postgres(
        f"ALTER TABLE {_TABLES[old]} RENAME CONSTRAINT {kind}_{_TABLES[old]}{rest} TO {kind}_{old}{rest}"
        for kind, old, rest in _CONSTRAINTS
    )
    for table, old, new in _COLUMNS:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {new} TO {old}")
    for old, new in _TABLES.items():
        op.rename_table(new, old)
    for old, column in _INDEXED:
        op.drop_index(f"ix_{_TABLES[old]}_{column}", table_name=old)
        op.create_index(f"ix_{old}_{column}", old, [column])


def _on_postgres(statements: Iterable[str]) -> None:
    """Run statements on PostgreSQL alone: SQLite cannot rename constraints, and nothing refers to one by its name."""
    if op.get_context().dialect.name == "postgresql":
        for statement in statements:
            op.execute(statement)
