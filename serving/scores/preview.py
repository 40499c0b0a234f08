"""Preview: the score a lead would have with these activities, computed in memory and forgotten."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select

from data.playbook import Business
from serving.errors import InvalidError
from serving.facts import Preview, attributes_json, check_activity, check_lead
from serving.scorers.active_scorer import ActiveScorer
from serving.scorers.live_scorer import Score
from serving.store.database import Database, in_memory_store
from serving.store.tables import activities, lead_versions

_VERSION = "INSERT INTO lead_versions (lead_id, known_at, account_id, created_at, attributes) VALUES (?, ?, ?, ?, ?)"
_ACTIVITY = (
    "INSERT INTO activities (lead_id, known_at, activity_id, kind, occurred_at, subject, value)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_ACTED = ("known_at", "activity_id", "kind", "occurred_at", "subject", "value")


class Previews:
    """
    Scores leads that are not stored.

    Args:
        playbook: what may be told.
        database: where the other leads of the account are looked up.
        active_scorer: the scorer in use.
    """

    def __init__(self, business: Business, database: Database, *, active_scorer: ActiveScorer) -> None:
        self._business = business
        self._database = database
        self._active_scorer = active_scorer
        self._memory = in_memory_store()
        self._alone = threading.Lock()

    def score(self, preview: Preview, *, as_of: int, latest: int, top: int | None) -> Score:
        """
        Score a lead as if it and its activities were known just before an instant.

        Args:
            preview: the lead and its activities.
            as_of: now.
            latest: instants after this one are in the future.
            top: how many reasons to word; None words all.

        Raises:
            InvalidError: the playbook does not know what is told.
        """
        self._check(preview, latest)
        with self._alone, _forgotten(self._memory) as store:
            self._tell(store, preview, as_of)
            score = self._active_scorer.current.in_memory.score(store, preview.lead.lead_id, as_of=as_of, top=top)
        assert score is not None  # noqa: S101 - the lead was told one line above; tells the type checker
        return score

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()

    def _check(self, preview: Preview, latest: int) -> None:
        check_lead(preview.lead, self._business, latest=latest)
        for at, activity in enumerate(preview.activities):
            try:
                check_activity(activity, self._business, latest=latest)
            except InvalidError as error:
                message = f"activities.{at}.{error}"
                raise InvalidError(message) from None

    def _tell(self, store: sqlite3.Connection, preview: Preview, as_of: int) -> None:
        lead, known_at = preview.lead, as_of - 1
        if lead.account_id is not None and self._active_scorer.current.scorer.catalog.needs_account:
            self._tell_peers(store, lead.account_id, (lead.lead_id, as_of))
        created_at = known_at if lead.created_at is None else min(lead.created_at, known_at)
        store.execute(_VERSION, (lead.lead_id, known_at, lead.account_id, created_at, attributes_json(lead)))
        store.executemany(_ACTIVITY, _rows(preview, known_at))

    def _tell_peers(self, store: sqlite3.Connection, account_id: str, moment: tuple[str, int]) -> None:
        """Copy what is known of the other leads of the account."""
        lead_id, as_of = moment
        peers = select(lead_versions.c.lead_id).where(
            lead_versions.c.account_id == account_id, lead_versions.c.lead_id != lead_id
        )
        with self._database.reading() as connection:
            for told, table in ((_VERSION, lead_versions), (_ACTIVITY, activities)):
                names = ("known_at", "account_id", "created_at", "attributes") if table is lead_versions else _ACTED
                columns = [table.c.lead_id, *(table.c[name] for name in names)]
                asked = select(*columns).where(table.c.lead_id.in_(peers), table.c.known_at < as_of)
                store.executemany(told, map(tuple, connection.execute(asked)))


def _rows(preview: Preview, known_at: int) -> Iterator[tuple[Any, ...]]:
    for at, activity in enumerate(preview.activities):
        happened_at = min(activity.occurred_at, known_at)
        yield (
            preview.lead.lead_id,
            known_at,
            f"preview {at}",
            activity.kind,
            happened_at,
            activity.subject,
            activity.value,
        )


@contextmanager
def _forgotten(store: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Undo everything at the end."""
    store.execute("BEGIN")
    try:
        yield store
    finally:
        store.execute("ROLLBACK")
