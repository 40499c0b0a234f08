"""The few things that the store remembers about itself, each a text under a name of its own."""

from sqlalchemy import Connection, delete, insert, select

from serving.store.tables import store_state


def read_state(connection: Connection, name: str) -> str | None:
    """Return what is remembered under a name; None if nothing is."""
    content: str | None = connection.execute(select(store_state.c.content).where(store_state.c.name == name)).scalar()
    return content


def write_state(connection: Connection, name: str, content: str) -> None:
    """Remember a text under a name, in place of what was there; the transaction must write."""
    connection.execute(delete(store_state).where(store_state.c.name == name))
    connection.execute(insert(store_state).values(name=name, content=content))
