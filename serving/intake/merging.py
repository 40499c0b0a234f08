"""Merges: two leads turn out to be one; from then on one score stands for both, and before it nothing changes."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from sqlalchemy import Connection, Table, delete, insert, select, update

from data.instants import iso
from serving.clock import Clock
from serving.errors import ConflictError, InvalidError, MergedError, UnknownLeadError
from serving.facts import canonical, shown
from serving.scorers.active_scorer import ActiveScorer
from serving.scores.crossings import CrossingRules
from serving.store.audit_log import keyed_hash, write_audit_entry
from serving.store.database import Database, raw_connection
from serving.store.merged_leads import survivors
from serving.store.tables import activities, lead_versions, leads, merges, outcomes, pending_scores, scores

Above = Callable[[Connection, Sequence[str], int], Collection[str]]
"""Says which of some leads count as above the threshold just before an instant."""
Values = dict[str, Any]
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What became of a merge."""

    lead_id: str
    into: str
    merged_at: int
    status: Literal["merged", "duplicate"]

    def as_json(self) -> dict[str, str]:
        """Write it as the API gives it."""
        return {"lead_id": self.lead_id, "into": self.into, "merged_at": iso(self.merged_at), "status": self.status}


@dataclass(frozen=True, slots=True)
class LeadMerger:
    """
    Merges leads.

    Args:
        database: the store.
        clock: says when.
        active_scorer: the scorer in use, which says who is above the threshold.
        crossing_rules: hands leads over.
    """

    database: Database
    clock: Clock
    active_scorer: ActiveScorer
    crossing_rules: CrossingRules

    def merge(
        self, duplicate: str, into: str, *, actor: str, kept: Callable[[Connection, MergeResult], None] | None = None
    ) -> MergeResult:
        """
        Merge a lead into another one, and note who did.

        Args:
            duplicate: the lead that turned out to be another one.
            into: the one that it is.
            actor: who says so.
            kept: is called in the transaction that merges.

        Raises:
            RequestError: the two cannot be merged.
        """
        with self.database.writing_facts(self.clock) as (connection, _):
            merged = merge(connection, duplicate, into=into, at=self.clock.tick(), above=self._above)
            if merged.status == "merged":
                target = f"{keyed_hash(connection, duplicate)} into {keyed_hash(connection, merged.into)}"
                write_audit_entry(connection, at=merged.merged_at, actor=actor, action="leads.merge", target=target)
            if kept is not None:
                kept(connection, merged)
        return merged

    def _above(self, connection: Connection, lead_ids: Sequence[str], as_of: int) -> set[str]:
        """Give the open leads that would not cross the threshold if they rose to it now."""
        live, standing = self.active_scorer.current, self.crossing_rules.open_leads(connection, lead_ids)
        before = live.points(raw_connection(connection), [(lead_id, as_of) for lead_id in standing])
        judged = self.crossing_rules.decide(live, standing, before=before, after=dict.fromkeys(before, live.threshold))
        return set(before) - set(judged.crossed)


def merge(connection: Connection, duplicate: str, *, into: str, at: int, above: Above) -> MergeResult:
    """
    Merge a lead into another one, which from then on has the facts of both.

    What the duplicate did is copied as known from now on, and every original stays: so as of each instant before the
    merge both leads are what they were.

    Args:
        connection: holds the write lock.
        duplicate: the lead that turned out to be another one.
        into: the one that it is; where that one is itself merged, the one it has become.
        at: now; a little later where facts of the two are known from then on [us since 1970 UTC].
        above: which leads count as above the threshold, so that nobody is handed over twice.

    Raises:
        UnknownLeadError: nobody has told us of the duplicate.
        InvalidError: nobody has told us of the other one, or the two are one.
        MergedError: the duplicate is merged into a third, or the other one into the duplicate.
    """
    survivor_id = _checked(connection, duplicate, into)
    done = _done(connection, duplicate, survivor_id)
    if done is not None:
        return done
    newest = {one: _newest(connection, one) for one in (duplicate, survivor_id)}
    at = max(at, *(version["known_at"] + 1 for version in newest.values()))
    _keep_standing(connection, duplicate, into=survivor_id, at=at, above=above)
    _copy(connection, activities, duplicate=duplicate, into=survivor_id, at=at)
    _copy(connection, outcomes, duplicate=duplicate, into=survivor_id, at=at)
    _complete(connection, newest[survivor_id], newest[duplicate], at)
    _point(connection, duplicate, survivor_id, at)
    return MergeResult(duplicate, survivor_id, at, "merged")


def _checked(connection: Connection, duplicate: str, into: str) -> str:
    """Give the lead to merge into, if both are known and are two."""
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
    survivor_id = survivors(connection, [into])[into]
    if survivor_id == duplicate:
        message = f"into: {shown(into)} is merged into {shown(duplicate)} already; a merge cannot be turned round."
        raise MergedError(message)
    return survivor_id


def _done(connection: Connection, duplicate: str, survivor_id: str) -> MergeResult | None:
    """Give the merge if it is done already."""
    newest_first = select(merges).where(merges.c.lead_id == duplicate).order_by(merges.c.merged_at.desc()).limit(1)
    row = connection.execute(newest_first).one_or_none()
    if row is None:
        return None
    if row.into_lead_id != survivor_id:
        message = f"Lead {shown(duplicate)} is merged into another one already: merge that one instead."
        raise MergedError(message)
    return MergeResult(duplicate, survivor_id, row.merged_at, "duplicate")


def _newest(connection: Connection, lead_id: str) -> Values:
    newest_first = lead_versions.c.known_at.desc()
    asked = select(lead_versions).where(lead_versions.c.lead_id == lead_id).order_by(newest_first).limit(1)
    return connection.execute(asked).one()._asdict()


def _copy(connection: Connection, table: Table, *, duplicate: str, into: str, at: int) -> None:
    """Give the survivor a copy of each fact of the duplicate, known from now on, under an id that names both."""
    name = "activity_id" if table is activities else "outcome_id"
    rows = connection.execute(select(table).where(table.c.lead_id == duplicate)).mappings().all()
    copies = [{**row, name: _copied(row[name], into), "lead_id": into, "known_at": at} for row in rows]
    for batch in _batches(copies):
        there = _there(connection, table, [copy[name] for copy in batch], into=into)
        new = [copy for copy in batch if copy[name] not in there]
        if new:
            connection.execute(insert(table), new)


def _copied(fact_id: str, into: str) -> str:
    """
    Give the id of a fact's copy under another lead.

    >>> _copied("web-1", "L-1")
    'merged-b36ec3c9d68ffda4fab8424484cfc0c3'
    """
    both = f"{fact_id}\x1f{into}"
    return f"merged-{sha256(both.encode()).hexdigest()[:32]}"


def _there(connection: Connection, table: Table, ids: Sequence[str], *, into: str) -> set[str]:
    """Give the copies that are there already: history that was exported from a store and loaded again has them."""
    name = table.c.activity_id if table is activities else table.c.outcome_id
    found = connection.execute(select(name, table.c.lead_id).where(name.in_(ids))).all()
    if any(lead_id != into for _, lead_id in found):
        message = "A fact of another lead has the id that this merge would give: send it under another id."
        raise ConflictError(message)
    return {fact_id for fact_id, _ in found}


def _complete(connection: Connection, own: Values, other: Values, at: int) -> None:
    """Fill what is unknown of the survivor from the duplicate, which is nobody's colleague from now on."""
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


def _point(connection: Connection, duplicate: str, survivor_id: str, at: int) -> None:
    """Let the duplicate, and whoever was merged into it before, stand for the survivor; so there is one score."""
    earlier = select(merges.c.lead_id).where(merges.c.into_lead_id == duplicate).distinct()
    pointing = [duplicate, *connection.execute(earlier).scalars()]
    rows = [{"lead_id": one, "into_lead_id": survivor_id, "merged_at": at} for one in pointing]
    connection.execute(insert(merges), rows)
    connection.execute(delete(scores).where(scores.c.lead_id == duplicate))


def _keep_standing(connection: Connection, duplicate: str, *, into: str, at: int, above: Above) -> None:
    """
    Let the survivor be scored anew so that it is handed over only if neither of the two was above the threshold.

    Where one was, the merge itself belongs to "before". Where none was, "before" is the survivor alone, as it was
    before the facts about either that nobody has followed yet.
    """
    pending = list(connection.execute(select(pending_scores).where(pending_scores.c.lead_id.in_((duplicate, into)))))
    since = min([at, *(row.since for row in pending)])
    were = set(above(connection, [duplicate, into], since))
    if duplicate in were and into not in were:
        said = select(leads.c.above_for).where(leads.c.lead_id == duplicate).scalar_subquery()
        connection.execute(update(leads).where(leads.c.lead_id == into).values(is_above=1, above_for=said))
    since = at + 1 if were else since
    connection.execute(delete(pending_scores).where(pending_scores.c.lead_id.in_((duplicate, into))))
    connection.execute(insert(pending_scores), {"lead_id": into, "since": since, "newest": max(at, since)})


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))
