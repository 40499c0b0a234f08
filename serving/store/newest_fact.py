"""The instant of the newest fact, noted with every write of facts: a clock that is behind it is wrong."""

from sqlalchemy import Connection, text

from serving.store.rows import run_rows

NEWEST_FACT = "newest_fact_at"
_NOTE = text(
    "INSERT INTO store_state (name, content) VALUES (:name, :content)"
    " ON CONFLICT (name) DO UPDATE SET content = excluded.content"
)


def note_newest_fact(connection: Connection, instant_us: int) -> None:
    """Note when the store last learned a fact [us since 1970 UTC]."""
    run_rows(connection, _NOTE, [{"name": NEWEST_FACT, "content": str(instant_us)}])
