"""The few things that the store remembers about itself, each a text under a name of its own."""

from sqlalchemy import Connection, select, text

from serving.store.rows import run_rows
from serving.store.tables import store_state

NEWEST_FACT = "newest_fact_at"
"""When the store last learned a fact [us since 1970 UTC]: a clock that is behind it is wrong."""
_WRITE = text(
    "INSERT INTO store_state (name, content) VALUES (:name, :content)"
    " ON CONFLICT (name) DO UPDATE SET content = excluded.content"
)


def read_state(connection: Connection, name: str) -> str | None:
    """Return what is remembered under a name; None if nothing is."""
    content: str | None = connection.execute(select(store_state.c.content).where(store_state.c.name == name)).scalar()
    return content


def write_state(connection: Connection, name: str, content: str) -> None:
    """Remember a text under a name, in place of what was there; the transaction must write."""
    run_rows(connection, _WRITE, [{"name": name, "content": content}])
