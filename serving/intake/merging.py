"""Merging leads: two turn out to be one; from then on they share one score, and nothing before it changes."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from sqlalchemy import Connection, Table, delete, insert, select, update

from serving.clock import Clock
from serving.errors import ConflictError, InvalidError, MergedError, UnknownLeadError
from serving.facts import canonical
from serving.lead_ids import shown
from serving.scorers.active_scorer import ActiveScorer
from serving.scores.crossings import CrossingRules
from serving.store.audit_log import keyed_hash, write_audit_entry
from serving.store.database import Database, raw_connection
from serving.store.merged_leads import survivors
from serving.store.tables import activities, lead_versions, leads, merges, outcomes, pending_scores, scores

Above = Callable[[Connection, Sequence[str], int], Collection[str]]
"""Returns which of some leads are above the threshold just before an instant."""
Values = dict[str, Any]
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The result of a merge."""

    lead_id: str
    into: str
    merged_at: int
    status: Literal["merged", "duplicate"]


@dataclass(frozen=True, slots=True)
class LeadMerger:
    """Merges leads."""

    database: Database
    clock: Clock
    active_scorer: ActiveScorer
    crossing_rules: CrossingRules

    def merge(
        self,
        duplicate: str,
        into: str,
        *,
        actor: str,
        before_commit: Callable[[Connection, MergeResult], None] | None = None,
    ) -> MergeResult:
        """
        Merge a lead into another one, and audit it; ``before_commit`` is called in the same transaction.

        Raises:
            RequestError: the two cannot be merged.
        """
        with self.database.writing_facts(self.clock) as (connection, _):
            merged = merge(connection, duplicate, into=into, at=self.clock.tick(), above=self._above)
            if merged.status == "merged":
                target = f"{keyed_hash(connection, duplicate)} into {keyed_hash(connection, merged.into)}"
                write_audit_entry(connection, at=merged.merged_at, actor=actor, action="leads.merge", target=target)
            if before_commit is not None:
                before_commit(connection, merged)
        return merged

    def _above(self, connection: Connection, lead_ids: Sequence[str], as_of: int) -> set[str]:
        """Return the open leads that would not cross the threshold if they rose to it now."""
        live, states = self.active_scorer.current, self.crossing_rules.open_leads(connection, lead_ids)
        before = live.points(raw_connection(connection), [(lead_id, as_of) for lead_id in states])
        crossings = self.crossing_rules.decide(live, states, before=before, after=dict.fromkeys(before, live.threshold))
        return set(before) - set(crossings.crossed)


def merge(connection: Connection, duplicate: str, *, into: str, at: int, above: Above) -> MergeResult:
    """
    Merge a lead into another one, which from then on has the facts of both.

    What the duplicate did is copied as known from now on, and every original stays: so as of any instant before the
    merge both leads are what they were.

    Args:
        connection: holds the write lock.
        duplicate: the lead that turned out to be another one.
        into: the lead that it is the same as; if that one is merged itself, the one it has become counts.
        at: now; the merge is a little later if facts of the two become known after it [us since 1970 UTC].
        above: which leads are above the threshold, so that no one is handed over twice.

    Raises:
        UnknownLeadError: the duplicate is not known.
        InvalidError: the other lead is not known, or the two are the same.
        MergedError: the duplicate is merged into a third, or the other one into the duplicate.
    """
    survivor = _checked(connection, duplicate, into)
    earlier = _earlier_result(connection, duplicate, survivor)
    if earlier is not None:
        return earlier
    newest = {lead_id: _newest(connection, lead_id) for lead_id in (duplicate, survivor)}
    at = max(at, *(version["known_at"] + 1 for version in newest.values()))
    _queue_survivor(connection, duplicate, into=survivor, at=at, above=above)
    _copy(connection, activities, duplicate=duplicate, into=survivor, at=at)
    _copy(connection, outcomes, duplicate=duplicate, into=survivor, at=at)
    _fill_gaps(connection, newest[survivor], newest[duplicate], at)
    _point_to(connection, duplicate, survivor, at)
    return MergeResult(duplicate, survivor, at, "merged")


def _checked(connection: Connection, duplicate: str, into: str) -> str:
    """Return the lead to merge into, after checking that both are known and distinct."""
    known = set(connection.execute(select(leads.c.lead_id).where(leads.c.lead_id.in_((duplicate, into)))).scalars())
    if duplicate not in known:
        message = f"No lead {shown(duplicate)} is known; there is nothing to merge."
        raise UnknownLeadError(message)
    if into not in known:
        message = f"into: no lead {shown(into)} is known; send it to /v1/leads first."
        raise InvalidError(message)
    if into == duplicate:
        message = "into: a lead cannot be merged into itself; name the lead that stays."
        raise InvalidError(message)
    survivor = survivors(connection, [into])[into]
    if survivor == duplicate:
        message = f"into: {shown(into)} is merged into {shown(duplicate)} already; a merge cannot be reversed."
        raise MergedError(message)
    return survivor


def _earlier_result(connection: Connection, duplicate: str, survivor: str) -> MergeResult | None:
    """Return the earlier result if the two are merged already."""
    newest_first = select(merges).where(merges.c.lead_id == duplicate).order_by(merges.c.merged_at.desc()).limit(1)
    row = connection.execute(newest_first).one_or_none()
    if row is None:
        return None
    if row.into_lead_id != survivor:
        message = f"Lead {shown(duplicate)} is merged into another one already: merge that one instead."
        raise MergedError(message)
    return MergeResult(duplicate, survivor, row.merged_at, "duplicate")


def _newest(connection: Connection, lead_id: str) -> Values:
    newest_first = lead_versions.c.known_at.desc()
    query = select(lead_versions).where(lead_versions.c.lead_id == lead_id).order_by(newest_first).limit(1)
    return connection.execute(query).one()._asdict()


def _copy(connection: Connection, table: Table, *, duplicate: str, into: str, at: int) -> None:
    """Copy each fact of the duplicate to the survivor, known from now on, under an id derived from both."""
    name = "activity_id" if table is activities else "outcome_id"
    rows = connection.execute(select(table).where(table.c.lead_id == duplicate)).mappings().all()
    copies = [{**row, name: _copied(row[name], into), "lead_id": into, "known_at": at} for row in rows]
    for batch in _batches(copies):
        existing = _existing_copies(connection, table, [copy[name] for copy in batch], into=into)
        new = [copy for copy in batch if copy[name] not in existing]
        if new:
            connection.execute(insert(table), new)


def _copied(fact_id: str, into: str) -> str:
    """
    Return the id of a fact's copy under another lead.

    >>> _copied("web-1", "L-1")
    'merged-b36ec3c9d68ffda4fab8424484cfc0c3'
    """
    both = f"{fact_id}\x1f{into}"
    return f"merged-{sha256(both.encode()).hexdigest()[:32]}"


def _existing_copies(connection: Connection, table: Table, ids: Sequence[str], *, into: str) -> set[str]:
    """Return the copies that exist already, such as after loading history that was exported from a store."""
    name = table.c.activity_id if table is activities else table.c.outcome_id
    rows = connection.execute(select(name, table.c.lead_id).where(name.in_(ids))).all()
    if any(lead_id != into for _, lead_id in rows):
        message = "A fact of another lead has the id that this merge would give: send it under another id."
        raise ConflictError(message)
    return {fact_id for fact_id, _ in rows}


def _fill_gaps(connection: Connection, own: Values, other: Values, at: int) -> None:
    """Fill the survivor's gaps from the duplicate, which leaves its account."""
    attributes = canonical({**json.loads(other["attributes"]), **json.loads(own["attributes"])})
    filled = {
        **own,
        "account_id": own["account_id"] if own["account_id"] is not None else other["account_id"],
        "created_at": min(own["created_at"], other["created_at"]),
        "attributes": attributes,
    }
    versions = [{**filled, "known_at": at}] if filled != own else []
    if other["account_id"] is not None:
        versions.append({**other, "account_id": None, "known_at": at})
    if versions:
        connection.execute(insert(lead_versions), versions)


def _point_to(connection: Connection, duplicate: str, survivor: str, at: int) -> None:
    """Point the duplicate, and all leads merged into it before, to the survivor, and delete its stored score."""
    earlier = select(merges.c.lead_id).where(merges.c.into_lead_id == duplicate).distinct()
    pointing = [duplicate, *connection.execute(earlier).scalars()]
    rows = [{"lead_id": lead_id, "into_lead_id": survivor, "merged_at": at} for lead_id in pointing]
    connection.execute(insert(merges), rows)
    connection.execute(delete(scores).where(scores.c.lead_id == duplicate))


def _queue_survivor(connection: Connection, duplicate: str, *, into: str, at: int, above: Above) -> None:
    """
    Queue the survivor for scoring, so that it is handed over only if neither of the two was above the threshold.

    If one was, the merge itself belongs to "before". If none was, "before" is the survivor alone, as it was before the
    pending facts about either.
    """
    pending = list(connection.execute(select(pending_scores).where(pending_scores.c.lead_id.in_((duplicate, into)))))
    since = min([at, *(row.since for row in pending)])
    were_above = set(above(connection, [duplicate, into], since))
    if duplicate in were_above and into not in were_above:
        deciding_scorer = select(leads.c.above_for).where(leads.c.lead_id == duplicate).scalar_subquery()
        connection.execute(update(leads).where(leads.c.lead_id == into).values(is_above=1, above_for=deciding_scorer))
    since = at + 1 if were_above else since
    connection.execute(delete(pending_scores).where(pending_scores.c.lead_id.in_((duplicate, into))))
    connection.execute(insert(pending_scores), {"lead_id": into, "since": since, "newest": max(at, since)})


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))
