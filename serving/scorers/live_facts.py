"""The facts that a live score is made of, read from the store by plain SELECTs that an index answers."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from features.catalog import Catalog
from features.live.live_changes import LeadVersion
from features.live.live_features import LeadFacts
from features.live.live_sweep import Activity, Members
from serving.store.database import Dialect, RawConnection

# What is listed in a statement has one of these lengths, so that a store plans only few statements.
_FEW, _MANY = (1, 4, 16), (1, 4, 16, 64, 256, 1000)
_NEWEST = (
    "SELECT v.account_id, v.created_at, v.attributes, (SELECT m.into_lead_id FROM merges AS m"
    " WHERE m.lead_id = ? AND m.merged_at < ? ORDER BY m.merged_at DESC LIMIT 1),"
    " EXISTS (SELECT 1 FROM outcomes AS o WHERE o.lead_id = v.lead_id)"
    " FROM lead_versions AS v WHERE v.lead_id = ? AND v.known_at < ? ORDER BY v.known_at DESC LIMIT 1"
)
_VERSIONS = (
    "SELECT lead_id, known_at, account_id, created_at, attributes,"
    " EXISTS (SELECT 1 FROM outcomes AS o WHERE o.lead_id = lead_versions.lead_id) FROM lead_versions"
    " WHERE lead_id IN ({list}) AND known_at < ? ORDER BY lead_id, known_at"
)
_MERGES = (
    "SELECT lead_id, merged_at, into_lead_id FROM merges WHERE lead_id IN ({list}) AND merged_at < ?"
    " ORDER BY lead_id, merged_at"
)
_ACTIVITIES = (
    "SELECT lead_id, kind, subject, value, occurred_at, known_at FROM activities"
    " WHERE lead_id IN ({list}) AND known_at < ?"
)
_OUTCOMES = (
    "SELECT lead_id, stage, reached_at, known_at FROM outcomes WHERE lead_id IN ({list}) AND known_at < ?"
    " ORDER BY lead_id"
)
_MEMBERS = (
    "SELECT * FROM (SELECT v.account_id, v.lead_id FROM lead_versions AS v WHERE v.account_id = ? AND v.known_at ="
    " (SELECT max(w.known_at) FROM lead_versions AS w WHERE w.lead_id = v.lead_id AND w.known_at < ?) LIMIT ?) AS m"
)
_ALL = 2**62
"""As many rows as there are."""

Question = tuple[str, int]
"""A lead and an instant [us since 1970 UTC]."""

AccountQuestion = tuple[str, int]
"""An account and an instant [us since 1970 UTC]."""


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """
    The newest version of a lead that was known at an instant.

    Attributes:
        account_id: its account.
        created_at: when it was created [us since 1970 UTC].
        attributes: its attributes.
        merged_into: the lead that it had been merged into by then.
        has_outcomes: whether any outcome of it is stored, be it known then or later.
    """

    account_id: str | None
    created_at: int
    attributes: Mapping[str, Any]
    merged_into: str | None
    has_outcomes: bool


@dataclass(frozen=True, slots=True)
class LiveFacts:
    """
    What is known of n leads, each as of its own instant.

    Attributes:
        versions: the newest version of each.
        leads: their facts, in the same order.
        accounts: their accounts with the facts of all their leads, if these were asked for.
        outcomes: of each lead that has any, what it reached as known by the last instant, as rows of the store: lead,
            stage, when it was reached and when that was known.
    """

    versions: dict[Question, KnownVersion]
    leads: list[LeadFacts]
    accounts: list[Members]
    outcomes: Mapping[str, Sequence[Any]]


def read_facts(store: RawConnection, dialect: Dialect, questions: Sequence[Question], catalog: Catalog) -> LiveFacts:
    """
    Read what was known of leads, each as of its own instant; those that were not known then are left out.

    Args:
        store: the store, on which all statements see one snapshot.
        dialect: its engine.
        questions: the leads and instants.
        catalog: the features that need them.
    """
    rows = _version_rows(store, dialect, questions) if len(questions) > 1 or catalog.needs_versions else None
    versions = _newest_versions(store, dialect, questions, rows)
    members = _members_by_account(store, dialect, versions, catalog.most_colleagues) if catalog.needs_account else {}
    lead_ids = {lead_id for lead_id, _ in versions}.union(*members.values())
    before = max((as_of for _, as_of in questions), default=0)
    activities = _activities(store, dialect, lead_ids, before)
    reached = {lead_id for (lead_id, _), version in versions.items() if version.has_outcomes}
    outcomes = _by_first(_all(store, dialect, _OUTCOMES, reached, before))
    earlier = _lead_versions(rows) if rows is not None and catalog.needs_versions else {}
    leads = [
        LeadFacts(as_of, version.created_at, version.attributes, activities.get(lead_id, ()), earlier.get(lead_id, ()))
        for (lead_id, as_of), version in versions.items()
    ]
    return LiveFacts(versions, leads, _accounts(versions, members, activities), outcomes)


def read_colleagues(
    store: RawConnection, dialect: Dialect, account_id: str, catalog: Catalog, *, as_of: int, without: str
) -> list[list[Activity]]:
    """Read what the other leads of an account did, as known at an instant; nothing if there are too many of them."""
    most = None if catalog.most_colleagues is None else catalog.most_colleagues + 1  # the lead itself may be stored
    members = _members(store, dialect, [account_id], as_of, most=most).get(account_id, [])
    others = [lead_id for lead_id in members if lead_id != without]
    if catalog.most_colleagues is not None and len(others) > catalog.most_colleagues:
        return []
    activities = _activities(store, dialect, others, as_of)
    return [activities.get(lead_id, []) for lead_id in others]


def _version_rows(store: RawConnection, dialect: Dialect, questions: Sequence[Question]) -> dict[str, list[Any]]:
    """Return the rows of the versions of leads that became known before the last instant, ascending."""
    lead_ids, before = {lead_id for lead_id, _ in questions}, max((as_of for _, as_of in questions), default=0)
    return _by_first(_all(store, dialect, _VERSIONS, lead_ids, before))


def _lead_versions(rows: Mapping[str, Sequence[Any]]) -> dict[str, list[LeadVersion]]:
    return {lead_id: [LeadVersion(row[1], json.loads(row[4])) for row in own] for lead_id, own in rows.items()}


def _newest_versions(
    store: RawConnection, dialect: Dialect, questions: Sequence[Question], rows: Mapping[str, Sequence[Any]] | None
) -> dict[Question, KnownVersion]:
    """
    Return the newest version of each lead as of its instant; those that were not known then are left out.

    Args:
        store: the store.
        dialect: its engine.
        questions: the leads and instants.
        rows: the versions of all of them; None where there is one question, whose newest version is read alone.
    """
    if rows is None:
        return _newest_version(store, dialect, questions[0]) if questions else {}
    lead_ids, before = {lead_id for lead_id, _ in questions}, max((as_of for _, as_of in questions), default=0)
    merges = _by_first(_all(store, dialect, _MERGES, lead_ids, before))
    found: dict[Question, KnownVersion] = {}
    for lead_id, as_of in questions:
        version = _before(rows.get(lead_id, ()), as_of)
        if version is not None:
            _, _, account_id, created_at, attributes, has_outcomes = version
            merge = _before(merges.get(lead_id, ()), as_of)
            into = None if merge is None else merge[2]
            found[lead_id, as_of] = KnownVersion(account_id, created_at, json.loads(attributes), into, has_outcomes)
    return found


def _newest_version(store: RawConnection, dialect: Dialect, question: Question) -> dict[Question, KnownVersion]:
    row = store.execute(_written(_NEWEST, dialect), (*question, *question)).fetchone()
    return {} if row is None else {question: KnownVersion(row[0], row[1], json.loads(row[2]), *row[3:])}


def _activities(
    store: RawConnection, dialect: Dialect, lead_ids: Collection[str], before: int
) -> dict[str, list[Activity]]:
    """Return the activities of leads that became known before an instant, in any order."""
    found: dict[str, list[Activity]] = defaultdict(list)
    for row in _all(store, dialect, _ACTIVITIES, lead_ids, before):
        found[row[0]].append(row)
    return found


def _members_by_account(
    store: RawConnection, dialect: Dialect, versions: Mapping[Question, KnownVersion], most_colleagues: int | None
) -> dict[AccountQuestion, list[str]]:
    """Return the leads of the accounts of leads, as of each instant that is asked about."""
    wanted: dict[int, set[str]] = defaultdict(set)
    for (_, as_of), version in versions.items():
        if version.account_id is not None:
            wanted[as_of].add(version.account_id)
    most = None if most_colleagues is None else most_colleagues + 1
    return {
        (account_id, as_of): lead_ids
        for as_of, account_ids in wanted.items()
        for account_id, lead_ids in _members(store, dialect, account_ids, as_of, most=most).items()
    }


def _members(
    store: RawConnection, dialect: Dialect, account_ids: Collection[str], as_of: int, *, most: int | None
) -> dict[str, list[str]]:
    """Return the leads of each account, by their newest versions as of an instant; too large accounts are left out."""
    limit = _ALL if most is None else most + 1
    found: dict[str, list[str]] = defaultdict(list)
    for part in _filled(account_ids, _FEW):
        statement = _written(_MEMBERS, dialect, selects=len(part))
        asked = [value for account_id in part for value in (account_id, as_of, limit)]
        for account_id, lead_id in store.execute(statement, asked).fetchall():
            found[account_id].append(lead_id)
    distinct = {account_id: list(dict.fromkeys(lead_ids)) for account_id, lead_ids in found.items()}
    return distinct if most is None else {each: own for each, own in distinct.items() if len(own) <= most}


def _accounts(
    versions: Mapping[Question, KnownVersion],
    members: Mapping[AccountQuestion, Sequence[str]],
    activities: Mapping[str, Sequence[Activity]],
) -> list[Members]:
    """Return the accounts of leads at their instants, and which of their leads are asked about."""
    asked: dict[AccountQuestion, list[tuple[str, int]]] = defaultdict(list)
    for row, ((lead_id, as_of), version) in enumerate(versions.items()):
        if version.account_id is not None and (version.account_id, as_of) in members:
            asked[version.account_id, as_of].append((lead_id, row))
    accounts = []
    for (account_id, as_of), rows in asked.items():
        lead_ids = members[account_id, as_of]
        place = {lead_id: at for at, lead_id in enumerate(lead_ids)}
        own = [activities.get(lead_id, ()) for lead_id in lead_ids]
        accounts.append(Members(as_of, own, [(place[lead_id], row) for lead_id, row in rows]))
    return accounts


def _all(store: RawConnection, dialect: Dialect, statement: str, names: Collection[str], before: int) -> list[Any]:
    """Return the rows of a statement about a list of names, so many at a time as a statement takes."""
    rows: list[Any] = []
    for part in _filled(names, _MANY):
        rows += store.execute(_written(statement, dialect, listed=len(part)), (*part, before)).fetchall()
    return rows


def _filled(names: Collection[str], lengths: Sequence[int]) -> Iterator[list[str]]:
    """Yield parts of a list, each filled up with its last name to one of the lengths."""
    ordered = list(names)
    for start in range(0, len(ordered), lengths[-1]):
        part = ordered[start : start + lengths[-1]]
        length = next(length for length in lengths if length >= len(part))
        yield [*part, *[part[-1]] * (length - len(part))]


@cache
def _written(statement: str, dialect: Dialect, *, listed: int = 1, selects: int = 1) -> str:
    """Return a statement for a list of some length, or several times over, with the placeholders of the driver."""
    written = " UNION ALL ".join([statement.format(list=", ".join("?" * listed))] * selects)
    return written if dialect == "sqlite" else written.replace("?", "%s")


def _by_first(rows: Sequence[Any]) -> dict[str, list[Any]]:
    """Return rows, which lie together by their first column, by that column."""
    return {name: list(own) for name, own in groupby(rows, key=itemgetter(0))}


def _before(rows: Sequence[Any], as_of: int) -> Any:  # a row of a driver
    """Return the last row whose second column is before an instant; rows ascend by it."""
    return next((row for row in reversed(rows) if row[1] < as_of), None)
