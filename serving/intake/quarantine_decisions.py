"""Decisions on facts in quarantine: each is released, as if it were sent now, or discarded."""

from collections.abc import Callable

from sqlalchemy import Connection, delete, update

from serving.intake.ingestion import Ingestion, ItemOutcome
from serving.intake.quarantined_facts import QuarantinedFact, read_quarantined
from serving.store.audit_log import write_audit_entry
from serving.store.tables import quarantine

BeforeRelease = Callable[[Connection, QuarantinedFact, ItemOutcome], None]


def release_fact(
    ingestion: Ingestion, number: int, *, actor: str, before_commit: BeforeRelease | None = None
) -> ItemOutcome:
    """
    Store a fact as if it had been sent now, so that its instant is at most now.

    ``before_commit`` is called in the transaction that stores it.

    Raises:
        UnknownFactError: no fact has this number.
        SettledError: it left the quarantine already.
        RequestError: it can no longer be stored; then it stays in quarantine.
    """
    with ingestion.database.writing_facts(ingestion.clock) as (connection, now):
        fact_held = read_quarantined(connection, number)
        connection.execute(update(quarantine).where(quarantine.c.id == number).values(released_at=now))
        fact = ingestion.parse(fact_held.kind, dict(fact_held.sent))
        result = ingestion.store(connection, fact_held.kind, read=[fact])[0]
        if result.error is not None:
            raise result.error
        write_audit_entry(connection, at=now, actor=actor, action="quarantine.release", target=f"number {number}")
        if before_commit is not None:
            before_commit(connection, fact_held, result)
    ingestion.count(fact_held.kind, [result])
    return result


def discard_fact(ingestion: Ingestion, number: int, *, actor: str) -> None:
    """
    Discard a fact.

    Raises:
        UnknownFactError: no fact has this number.
        SettledError: it left the quarantine already.
    """
    with ingestion.database.writing() as connection:
        read_quarantined(connection, number)
        connection.execute(delete(quarantine).where(quarantine.c.id == number))
        at = ingestion.clock.tick()
        write_audit_entry(connection, at=at, actor=actor, action="quarantine.discard", target=f"number {number}")
