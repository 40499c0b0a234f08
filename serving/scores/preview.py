"""Previews: the score that a lead would have with given activities, computed in memory and forgotten."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from data.words.machine_rules import MachineRule, Occurrence, Timeline
from data.words.playbook import Business
from serving.errors import InvalidError
from serving.facts import Preview, canonical, check_activity, check_lead
from serving.scorers.active_scorer import ActiveScorer
from serving.scorers.live_scorer import Score
from serving.store.bulk_insert import COLUMNS, sqlite_insert
from serving.store.database import Database, in_memory_store
from serving.store.tables import activities, lead_versions

_VERSION, _ACTIVITY = sqlite_insert("lead_versions"), sqlite_insert("activities")


@dataclass(frozen=True, slots=True)
class Previews:
    """Scores leads that are not stored, beside the stored leads of their accounts."""

    business: Business
    database: Database
    active_scorer: ActiveScorer
    _memory: sqlite3.Connection = field(default_factory=in_memory_store)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def score(self, preview: Preview, *, as_of: int, latest: int, top: int | None) -> Score:
        """
        Score a lead as if it and its activities had become known just before an instant; none may be after ``latest``.

        Raises:
            InvalidError: a kind, attribute or instant is not valid.
        """
        self._check(preview, latest)
        with self._lock, _rolled_back(self._memory) as store:
            self._insert(store, preview, as_of)
            score = self.active_scorer.current.in_memory.score(store, preview.lead.lead_id, as_of=as_of, top=top)
        assert score is not None  # noqa: S101 - the lead was inserted one line above; tells the type checker
        return score

    def close(self) -> None:
        """Close the store in memory."""
        self._memory.close()

    def _check(self, preview: Preview, latest: int) -> None:
        check_lead(preview.lead, self.business, latest=latest)
        for index, activity in enumerate(preview.activities):
            try:
                check_activity(activity, self.business, latest=latest)
            except InvalidError as error:
                message = f"activities.{index}.{error}"
                raise InvalidError(message) from None

    def _insert(self, store: sqlite3.Connection, preview: Preview, as_of: int) -> None:
        lead, known_at = preview.lead, as_of - 1
        if lead.account_id is not None and self.active_scorer.current.scorer.catalog.needs_account:
            self._copy_peers(store, lead.account_id, (lead.lead_id, as_of))
        created_at = known_at if lead.created_at is None else min(lead.created_at, known_at)
        store.execute(_VERSION, (lead.lead_id, known_at, lead.account_id, created_at, canonical(lead.attributes)))
        store.executemany(_ACTIVITY, _rows(preview, known_at, self.business.machines))

    def _copy_peers(self, store: sqlite3.Connection, account_id: str, before: tuple[str, int]) -> None:
        """Copy the facts of the account's other leads."""
        lead_id, as_of = before
        peers = select(lead_versions.c.lead_id).where(
            lead_versions.c.account_id == account_id, lead_versions.c.lead_id != lead_id
        )
        with self.database.reading() as connection:
            for statement, table in ((_VERSION, lead_versions), (_ACTIVITY, activities)):
                query = select(*(table.c[name] for name in COLUMNS[table.name])).where(
                    table.c.lead_id.in_(peers), table.c.known_at < as_of
                )
                store.executemany(statement, map(tuple, connection.execute(query)))


def _rows(preview: Preview, known_at: int, machines: Sequence[MachineRule]) -> Iterator[tuple[Any, ...]]:
    happened = [
        Occurrence(min(activity.occurred_at, known_at), known_at, f"preview {index}", activity.kind)
        for index, activity in enumerate(preview.activities)
    ]
    timeline = Timeline(happened)
    for occurrence, activity in zip(happened, preview.activities, strict=True):
        what = (timeline.kind_of(machines, occurrence), occurrence.occurred_at, activity.subject, activity.value)
        yield (preview.lead.lead_id, known_at, occurrence.activity_id, *what)


@contextmanager
def _rolled_back(store: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """A transaction that is always rolled back."""
    store.execute("BEGIN")
    try:
        yield store
    finally:
        store.execute("ROLLBACK")
