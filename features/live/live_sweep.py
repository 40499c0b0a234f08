"""The sweep for live questions: facts come as rows, and the workspace is kept, since making it would take longer."""

import threading
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.sweep.kernel import Moves, Snapshots, ordered_groups, sweep_within
from features.sweep.plan import SweepPlan
from features.sweep.sweep_state import Facts, Sizes
from features.sweep.sweep_workspace import SweepWorkspace

_NO_NUMBERS, _NO_INSTANTS, _NO_VALUES = np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0)
_LONGEST_KEPT = 500_000
"""Facts of the largest workspace that is kept."""


class Activity(NamedTuple):
    """An activity as a store's row: what, and when it occurred and became known [us since 1970 UTC]."""

    lead_id: str
    kind: str
    subject: str | None
    value: float | None
    occurred_at: int
    known_at: int


class Members(NamedTuple):
    """
    The leads of an account at an instant, and which of them are asked about.

    Attributes:
        as_of: the instant [us since 1970 UTC].
        activities: of each of its leads.
        asked: the position of a lead in ``activities``, and the row of the result that it is written to.
    """

    as_of: int
    activities: Sequence[Sequence[Activity]]
    asked: Sequence[tuple[int, int]]


class LiveSweep:
    """
    One plan with a workspace for each thread.

    Args:
        plan: what to compute.
    """

    def __init__(self, plan: SweepPlan) -> None:
        self.plan = plan
        self._kinds = plan.kinds | dict.fromkeys(plan.never_use, len(plan.kinds) + 1)
        self._most_groups = int(np.diff(plan.arrays.cell_start).max(initial=0))
        self._most_ordered = int(ordered_groups(plan.arrays).max(initial=0))
        self._of_thread = threading.local()

    def of_leads(self, activities: Sequence[Sequence[Activity]], as_of: Sequence[int]) -> NDArray[np.float64]:
        """
        Compute the features of leads, each as of its own instant.

        Args:
            activities: of each lead, in any order.
            as_of: (n,) the instants [us since 1970 UTC].

        Returns:
            (k, n), NaN where a feature is missing.
        """
        out = self._nothing(len(as_of))
        facts = self._facts(activities, None)
        each = np.arange(len(as_of) + 1)
        snapshots = Snapshots(each, np.array(as_of, np.int64), each[:-1], _NO_NUMBERS)
        nothing = np.zeros(len(as_of) + 1, np.int64)
        self._sweep(facts, snapshots, Moves(nothing, _NO_INSTANTS, _NO_NUMBERS, _NO_FLAGS, nothing[:-1]), out)
        return out

    def of_colleagues(self, accounts: Sequence[Members], rows: int) -> NDArray[np.float64]:
        """
        Compute the features of the other leads of accounts.

        Args:
            accounts: each with the leads that are asked about.
            rows: the rows of the result; those without an account are what they are when nothing has happened.

        Returns:
            (k, rows), NaN where a feature is missing.
        """
        out = self._nothing(rows)
        if accounts:
            leads = [len(account.activities) for account in accounts]
            facts = self._facts(
                [list(chain.from_iterable(account.activities)) for account in accounts],
                np.concatenate(
                    [np.repeat(np.arange(len(one.activities)), _lengths(one.activities)) for one in accounts]
                ),
            )
            self._sweep(facts, _asked(accounts), _all_joined(leads), out)
        return out

    def _nothing(self, rows: int) -> NDArray[np.float64]:
        return np.repeat(self.plan.arrays.missing[:, None], rows, axis=1)

    def _facts(self, activities: Sequence[Sequence[Activity]], lead: NDArray[np.int64] | None) -> Facts:
        """Return facts as columns, sorted by entity and by when they occurred."""
        start = np.zeros(len(activities) + 1, np.int64)
        np.cumsum(_lengths(activities), out=start[1:])
        if start[-1] == 0:
            none = _NO_NUMBERS
            return Facts(start, none, _NO_INSTANTS, _NO_INSTANTS, _NO_VALUES, none, none, none)
        _, kinds, subjects, values, occurred_at, known_at = zip(*chain.from_iterable(activities), strict=True)
        occurred = np.array(occurred_at, np.int64)
        order = _order(occurred, start)
        subject = _numbered(subjects)[order] if self.plan.needs_subjects else _NO_NUMBERS
        own = _NO_NUMBERS if lead is None else lead[order].astype(np.int32)
        return Facts(
            start=start,
            cell=self._cells(kinds, subjects)[order],
            occurred=occurred[order],
            known=np.array(known_at, np.int64)[order],
            value=np.array(values, np.float64)[order] if self.plan.needs_values else _NO_VALUES,
            subject=subject,
            lead=own,
            pair=_pairs(own, subject) if len(own) and len(subject) else _NO_NUMBERS,
        )

    def _cells(self, kinds: Sequence[str], subjects: Sequence[str | None]) -> NDArray[np.int32]:
        """Return the cell of each fact; see `SweepPlan.cell`."""
        number, others = self._kinds.get, len(self.plan.kinds)
        cell = np.array([number(kind, others) for kind in kinds], np.int32)
        if self.plan.subjects:
            of_subject, any_other = self.plan.subjects.get, len(self.plan.subjects)
            cell *= any_other + 1
            cell += np.array(
                [any_other if each is None else of_subject(each, any_other) for each in subjects], np.int32
            )
        return cell

    def _sweep(self, facts: Facts, snapshots: Snapshots, moves: Moves, out: NDArray[np.float64]) -> None:
        workspace = self._workspace(facts, int(moves.leads.max(initial=0)))
        sweep_within(workspace, self.plan.arrays, facts, snapshots, moves, out, (0, len(facts.start) - 1))

    def _workspace(self, facts: Facts, leads: int) -> SweepWorkspace:
        """Return this thread's workspace, or a larger one where it is too small."""
        kept: SweepWorkspace | None = getattr(self._of_thread, "workspace", None)
        count = len(facts.cell)
        if kept is not None and count <= kept.sizes.facts and leads <= kept.sizes.leads:
            return kept
        count, leads = _rounded_up(count), _rounded_up(leads) if leads else 0
        subjects = count if self.plan.needs_subjects else 0
        sizes = Sizes(
            facts=count,
            memberships=count * self._most_groups,
            ordered=count * self._most_ordered,
            subjects=subjects,
            leads=leads,
            pairs=subjects if leads else 0,
        )
        made = SweepWorkspace.of(self.plan.arrays, sizes)
        if count <= _LONGEST_KEPT:
            self._of_thread.workspace = made
        return made


_NO_FLAGS = np.empty(0, np.uint8)


def _order(occurred: NDArray[np.int64], start: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the order by entity, then by instant."""
    if len(start) == 2:  # noqa: PLR2004 - one entity
        return np.argsort(occurred, kind="stable")
    return np.lexsort((occurred, np.repeat(np.arange(len(start) - 1), np.diff(start))))


def _lengths(lists: Sequence[Sequence[Activity]]) -> NDArray[np.int64]:
    return np.fromiter(map(len, lists), np.int64, len(lists))


def _numbered(subjects: Sequence[str | None]) -> NDArray[np.int32]:
    """Number subjects; -1 where there is none."""
    numbers: dict[str | None, int] = {}
    return np.array([-1 if each is None else numbers.setdefault(each, len(numbers)) for each in subjects], np.int32)


def _pairs(lead: NDArray[np.int32], subject: NDArray[np.int32]) -> NDArray[np.int32]:
    """Number the pairs of a lead and a subject; -1 without a subject."""
    _, pairs = np.unique(lead.astype(np.int64) << 32 | subject, return_inverse=True)
    return np.where(subject < 0, -1, pairs).astype(np.int32)


def _asked(accounts: Sequence[Members]) -> Snapshots:
    """Return one snapshot for each lead that is asked about."""
    counts = [len(account.asked) for account in accounts]
    asked = np.array([each for account in accounts for each in account.asked], np.int64).reshape(-1, 2)
    return Snapshots(
        start=np.cumsum([0, *counts], dtype=np.int64),
        as_of=np.repeat(np.array([account.as_of for account in accounts], np.int64), counts),
        row=np.ascontiguousarray(asked[:, 1]),
        lead=asked[:, 0].astype(np.int32),
    )


def _all_joined(leads: Sequence[int]) -> Moves:
    """Return moves by which all leads of each account have belonged to it for ever."""
    start = np.cumsum([0, *leads], dtype=np.int64)
    number = np.concatenate([np.arange(count, dtype=np.int32) for count in leads])
    joined = np.full(len(number), np.iinfo(np.int64).min)
    return Moves(start, joined, number, np.ones(len(number), np.uint8), np.array(leads, np.int64))


def _rounded_up(number: int) -> int:
    """Return the next power of two, but at least 64."""
    return max(64, 1 << (number - 1).bit_length())
