"""
Accounts that an erasure changed, and for which instants.

What was served about a lead counted the activities of its colleagues. Once one of them is erased, the facts give other
values for the instants at which that person was known. The store remembers these instants, so that nobody takes the
difference for a fault: by a keyed hash of the account, since nothing may tell who was erased.
"""

import json
from collections.abc import Collection

from sqlalchemy import Connection, func, select

from serving.store.audit_log import keyed_hash
from serving.store.state import read_state, write_state
from serving.store.tables import lead_versions

Span = tuple[int, int]


def note_changed_accounts(connection: Connection, person: Collection[str], at: int) -> None:
    """
    Remember the accounts that lose a person; call it before the person's rows are deleted.

    Args:
        connection: the store, inside a transaction that writes.
        person: every id of the person.
        at: the instant of the erasure [us since 1970 UTC].
    """
    account, first = lead_versions.c.account_id, func.min(lead_versions.c.known_at)
    of_person = lead_versions.c.lead_id.in_(person) & account.is_not(None)
    for account_id, known_at in connection.execute(select(account, first).where(of_person).group_by(account)).all():
        name = _name(connection, account_id)
        spans = joined([*_spans(connection, name), (int(known_at), at)])
        write_state(connection, name, json.dumps(spans))


def changed_by_erasure(connection: Connection, lead_id: str, as_of: int) -> bool:
    """Return whether a colleague was erased who counted in the lead's features of its account as of an instant."""
    query = select(lead_versions.c.account_id).where(
        lead_versions.c.lead_id == lead_id, lead_versions.c.known_at < as_of, lead_versions.c.account_id.is_not(None)
    )
    names = {_name(connection, account_id) for account_id in connection.execute(query.distinct()).scalars()}
    return any(first < as_of <= last for name in names for first, last in _spans(connection, name))


def joined(spans: Collection[Span]) -> list[Span]:
    """
    Join spans of time that overlap.

    >>> joined([(5, 9), (1, 3), (2, 4)])
    [(1, 4), (5, 9)]
    """
    result: list[Span] = []
    for first, last in sorted(spans):
        if result and first <= result[-1][1]:
            result[-1] = (result[-1][0], max(last, result[-1][1]))
        else:
            result.append((first, last))
    return result


def _spans(connection: Connection, name: str) -> list[Span]:
    noted = read_state(connection, name)
    return [(first, last) for first, last in json.loads(noted)] if noted else []


def _name(connection: Connection, account_id: str) -> str:
    return f"erased_from_{keyed_hash(connection, f'account {account_id}')}"
