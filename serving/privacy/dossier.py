"""
The dossier: everything that is held about a lead, and the logic of its score, in words that the person can read.

It answers what a person may ask under articles 15 and 22 of the GDPR: the data, what they are used for, how a score
comes about, what follows from it, and how long all of it is stored.
"""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, func, or_, select

from data.instants import iso
from data.words.playbook import Playbook
from serving.errors import UnknownLeadError
from serving.lead_ids import shown
from serving.privacy.erasure import ids_of_person
from serving.privacy.score_logic import ScoreLogic, explain_logic
from serving.scorers.deployments import Role
from serving.scorers.live_scorer import LiveScorer, Score
from serving.scores.receipt_history import receipts_among
from serving.store.audit_log import keyed_hash, write_audit_entry
from serving.store.database import Database, raw_connection
from serving.store.merged_leads import survivors
from serving.store.tables import (
    activities,
    idempotent_request_leads,
    lead_versions,
    leads,
    merges,
    outcomes,
    pending_scores,
    quarantine,
    rejected_items,
    routes,
    scores,
)

_ALL = 100_000
_ROLES: tuple[Role, ...] = ("champion", "shadow")
_MARKUP = re.compile(r"[\\`*\[\]|]")
_BACKTICKS = re.compile("`+")
_JSON = ("attributes", "fact", "reasons", "scorer")


@dataclass(frozen=True, slots=True)
class Dossier:
    """
    Everything that is held about a lead.

    Attributes:
        lead_id: the lead, or what it was merged into.
        ids: every id under which something is held.
        as_of: when it was gathered [us since 1970 UTC].
        held: rows by kind.
        score: as of then; None if the lead cannot be scored, such as one that exists only in quarantine.
        logic: how the score comes about and what follows from it.
    """

    lead_id: str
    ids: tuple[str, ...]
    as_of: int
    held: dict[str, list[dict[str, Any]]]
    score: Score | None
    logic: ScoreLogic

    def as_json(self) -> dict[str, Any]:
        """Return it as the API writes it."""
        return {
            "lead_id": self.lead_id,
            "ids": list(self.ids),
            "as_of": iso(self.as_of),
            "held": self.held,
            "score": None if self.score is None else self.score.as_json(),
            "logic": self.logic.as_json(),
            "says": self.says,
        }

    @property
    def says(self) -> str:
        """The dossier in plain sentences, a paragraph each."""
        return "\n\n".join([self._what_is_held(), *self.logic.paragraphs(self.score)])

    def as_markdown(self) -> str:
        """Return it as a readable page: the sentences, then every row; nothing that was sent acts as markup."""
        parts = [_escaped(f"# What is held about lead {self.lead_id}"), _escaped(self.says)]
        for name, rows in self.held.items():
            if rows:
                lines = [json.dumps(row, ensure_ascii=False) for row in rows]
                parts += [f"## {name.replace('_', ' ').capitalize()} ({len(rows):,})", _as_code(lines)]
        return "\n\n".join(parts) + "\n"

    def _what_is_held(self) -> str:
        counts = ", ".join(f"{len(rows):,} {name.replace('_', ' ')}" for name, rows in self.held.items() if rows)
        also = f" It is the same lead as {', '.join(lead_id for lead_id in self.ids if lead_id != self.lead_id)}."
        return f"This is all that is held about lead {self.lead_id} as of {iso(self.as_of)}: {counts or 'nothing'}." + (
            also if len(self.ids) > 1 else ""
        )


def _escaped(text: str) -> str:
    r"""
    Return text in which Markdown and HTML mean nothing.

    >>> _escaped("<img src=x> [a](b) `c`")
    '&lt;img src=x&gt; \\[a\\](b) \\`c\\`'
    """
    return _MARKUP.sub(r"\\\g<0>", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def _as_code(lines: Sequence[str]) -> str:
    """Return lines as a block of code, whose fence is longer than any in it."""
    longest = max((len(run) for line in lines for run in _BACKTICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}json", *lines, fence])


def build_dossier(connection: Connection, live: LiveScorer, playbook: Playbook, *, lead_id: str, now: int) -> Dossier:
    """
    Gather everything that is held about a lead.

    Args:
        connection: reads the store.
        live: the scorer in use.
        playbook: the playbook.
        lead_id: any id of the lead.
        now: the present instant [us since 1970 UTC].

    Raises:
        UnknownLeadError: nothing is held under this id.
    """
    person = ids_of_person(connection, lead_id)
    held = _held(connection, person)
    if not any(held.values()):
        message = f"No lead {shown(lead_id)} is known: nothing is held about it."
        raise UnknownLeadError(message)
    survivor = survivors(connection, [lead_id])[lead_id]
    score = live.score(raw_connection(connection), survivor, as_of=now, top=None)
    return Dossier(survivor, tuple(sorted(person)), now, held, score, explain_logic(live, playbook))


def audit_dossier(database: Database, lead_id: str, *, at: int, actor: str) -> None:
    """Note in the audit log that somebody was shown everything about a lead."""
    with database.writing() as connection:
        write_audit_entry(
            connection, at=at, actor=actor, action="leads.dossier", target=keyed_hash(connection, lead_id)
        )


def _held(connection: Connection, person: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every table that name the person, readable by people."""
    rows = {
        "standing": _rows(connection, leads, person, by="lead_id"),
        "versions": _rows(connection, lead_versions, person, by="known_at"),
        "activities": _rows(connection, activities, person, by="occurred_at"),
        "outcomes": _rows(connection, outcomes, person, by="reached_at"),
        "merges": _rows(connection, merges, person, by="merged_at"),
        "quarantined_facts": _rows(connection, quarantine, person, by="received_at"),
        "rejected_items": _rows(connection, rejected_items, person, by="rejected_at"),
        "waiting_to_be_scored": _rows(connection, pending_scores, person, by="since"),
        "stored_scores": _rows(connection, scores, person, by="as_of"),
        "handovers": _rows(connection, routes, person, by="routed_at"),
    }
    receipts = [past.as_json() for role in _ROLES for past in receipts_among(connection, person, role=role, limit=_ALL)]
    return {**rows, "receipts": receipts, "kept_answers": _stored_responses(connection, person)}


def _rows(connection: Connection, table: Table, person: Collection[str], *, by: str) -> list[dict[str, Any]]:
    naming = [table.c[name].in_(person) for name in ("lead_id", "into_lead_id") if name in table.c]
    query = select(table).where(or_(*naming)).order_by(table.c[by])
    return [
        {name: _readable(name, value) for name, value in row._asdict().items()} for row in connection.execute(query)
    ]


def _readable(name: str, value: Any) -> Any:
    """
    Return a column's value readable by people: instants as such, JSON as objects.

    >>> _readable("known_at", 0), _readable("attributes", '{"country":"NL"}'), _readable("points", 50.0)
    ('1970-01-01T00:00:00Z', {'country': 'NL'}, 50.0)
    """
    if isinstance(value, int) and (name.endswith(("_at", "_of")) or name in {"since", "newest"}):
        return iso(value)
    return json.loads(value) if name in _JSON and isinstance(value, str) and value[:1] in "{[" else value


def _stored_responses(connection: Connection, person: Collection[str]) -> list[dict[str, Any]]:
    """Count the stored responses that mention the lead; they are deleted after a day."""
    query = (
        select(func.count()).select_from(idempotent_request_leads).where(idempotent_request_leads.c.lead_id.in_(person))
    )
    count = connection.execute(query).scalar_one()
    return [{"count": count, "kept_for": "24 hours"}] if count else []
