"""Decisions on facts in quarantine: each is released, as if it were sent now, or discarded."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from serving.clock import Clock
from serving.intake.ingestion import Ingestion, ItemOutcome
from serving.intake.quarantined_facts import QuarantinedFact, delete_quarantined, mark_released, read_quarantined
from serving.store.audit_log import write_audit_entry
from serving.store.database import Database


@dataclass(frozen=True, slots=True)
class QuarantineDecisions:
    """
    Releases or discards facts in quarantine.

    Args:
        database: the store.
        clock: the service's clock.
        ingestion: stores facts.
    """

    database: Database
    clock: Clock
    ingestion: Ingestion

    def release(
        self,
        number: int,
        *,
        actor: str,
        before_commit: Callable[[Connection, QuarantinedFact, ItemOutcome], None] | None = None,
    ) -> ItemOutcome:
        """
        Store a fact as if it had been sent now, so that its instant is at most now.

        Args:
            number: the fact's number in quarantine.
            actor: who releases it.
            before_commit: called in the transaction that stores the fact.

        Raises:
            UnknownFactError: no fact has this number.
            SettledError: it left the quarantine already.
            RequestError: it can no longer be stored; then it stays in quarantine.
        """
        with self.database.writing_facts(self.clock) as (connection, now):
            fact_held = read_quarantined(connection, number)
            mark_released(connection, number, now)
            fact = self.ingestion.parse(fact_held.kind, dict(fact_held.sent))
            result = self.ingestion.store(connection, fact_held.kind, read=[fact])[0]
            if result.error is not None:
                raise result.error
            write_audit_entry(connection, at=now, actor=actor, action="quarantine.release", target=f"number {number}")
            if before_commit is not None:
                before_commit(connection, fact_held, result)
        return result

    def discard(self, number: int, *, actor: str) -> None:
        """
        Discard a fact.

        Raises:
            UnknownFactError: no fact has this number.
            SettledError: it left the quarantine already.
        """
        with self.database.writing() as connection:
            delete_quarantined(connection, number)
            write_audit_entry(
                connection, at=self.clock.tick(), actor=actor, action="quarantine.discard", target=f"number {number}"
            )
