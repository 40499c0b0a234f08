"""Releasing: somebody looked at a fact in quarantine, and it is taken in, or thrown away."""

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
    Decides on facts in quarantine.

    Args:
        database: the store.
        clock: says when.
        ingestion: takes facts in.
    """

    database: Database
    clock: Clock
    ingestion: Ingestion

    def release(
        self, number: int, *, actor: str, kept: Callable[[Connection, QuarantinedFact, ItemOutcome], None] | None = None
    ) -> ItemOutcome:
        """
        Take a fact in as if it had been sent now; nothing happens after it is known, so its instant is now at most.

        Args:
            number: of the fact in quarantine.
            actor: who says so.
            kept: is called in the transaction that takes the fact in.

        Raises:
            UnknownFactError: no fact has this number.
            SettledError: it left the quarantine already.
            RequestError: it cannot be taken in by now; then it stays in quarantine.
        """
        with self.database.writing_facts(self.clock) as (connection, now):
            found = read_quarantined(connection, number)
            mark_released(connection, number, now)
            fact = self.ingestion.checked(found.kind, dict(found.sent))
            result = self.ingestion.keep(connection, found.kind, read=[fact])[0]
            if result.error is not None:
                raise result.error
            write_audit_entry(connection, at=now, actor=actor, action="quarantine.release", target=f"number {number}")
            if kept is not None:
                kept(connection, found, result)
        return result

    def discard(self, number: int, *, actor: str) -> None:
        """
        Throw a fact away.

        Raises:
            UnknownFactError: no fact has this number.
            SettledError: it left the quarantine already.
        """
        with self.database.writing() as connection:
            delete_quarantined(connection, number)
            write_audit_entry(
                connection, at=self.clock.tick(), actor=actor, action="quarantine.discard", target=f"number {number}"
            )
