"""The sweep for live questions: facts come as rows, and the workspace is kept, since making it would take longer."""

import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, chain
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.sweep.kernel import Moves, Snapshots, ordered_groups, sweep_within
from features.sweep.plan import SweepPlan
from features.sweep.sweep_state import Facts, Sizes, pairs_of
from features.sweep.sweep_workspace import SweepWorkspace

_NO_NUMBERS, _NO_INSTANTS, _NO_VALUES = np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0)
_NO_FLAGS = np.empty(0, np.uint8)
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


_OCCURRED_AT = itemgetter(Activity._fields.index("occurred_at"))  # rows of a store are plain tuples


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
        out = np.empty((len(self.plan.names), len(as_of)))
        # Python sorts the few rows of a lead faster than numpy, which would have to sort every column too.
        rows = [sorted(of_lead, key=_OCCURRED_AT) for of_lead in activities]
        facts = self._facts(list(chain.from_iterable(rows)), _starts(map(len, rows)), _NO_NUMBERS)
        each, nothing = _counted(len(as_of))
        snapshots = Snapshots(each, np.array(as_of, np.int64), each[:-1], _NO_NUMBERS)
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
            self._sweep(self._of_accounts(accounts), _asked(accounts), _all_joined(leads), out)
        return out

    def _of_accounts(self, accounts: Sequence[Members]) -> Facts:
        """Return the activities of all leads of accounts as columns."""
        rows = [row for account in accounts for of_lead in account.activities for row in of_lead]
        lengths = [[len(of_lead) for of_lead in account.activities] for account in accounts]
        start = _starts(map(sum, lengths))
        lead = np.concatenate([np.repeat(np.arange(len(own), dtype=np.int32), own) for own in lengths])
        occurred = np.fromiter(map(_OCCURRED_AT, rows), np.int64, len(rows))
        order = np.lexsort((occurred, np.repeat(np.arange(len(accounts)), np.diff(start))))
        return self._facts([rows[at] for at in order.tolist()], start, lead[order])

    def _nothing(self, rows: int) -> NDArray[np.float64]:
        return np.repeat(self.plan.arrays.missing[:, None], rows, axis=1)

    def _facts(self, rows: Sequence[Activity], start: NDArray[np.int64], lead: NDArray[np.int32]) -> Facts:
        """Return activities, which lie by entity and by when they occurred, as columns."""
        if not rows:
            return Facts(
                start, _NO_NUMBERS, _NO_INSTANTS, _NO_INSTANTS, _NO_VALUES, _NO_NUMBERS, _NO_NUMBERS, _NO_NUMBERS
            )
        _, kinds, subjects, values, occurred_at, known_at = zip(*rows, strict=True)
        subject = _numbered(subjects) if self.plan.needs_subjects else _NO_NUMBERS
        return Facts(
            start=start,
            cell=self._cells(kinds, subjects),
            occurred=np.array(occurred_at, np.int64),
            known=np.array(known_at, np.int64),
            value=np.array(values, np.float64) if self.plan.needs_values else _NO_VALUES,
            subject=subject,
            lead=lead,
            pair=pairs_of(lead, subject) if len(lead) and len(subject) else _NO_NUMBERS,
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


def _starts(lengths: Iterable[int]) -> NDArray[np.int64]:
    """Return where each of several lists begins, once they lie one behind the other."""
    return np.array([0, *accumulate(lengths)], np.int64)


@lru_cache(maxsize=32)
def _counted(entities: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers from 0 to a number, and as many zeros; nobody writes to them."""
    return np.arange(entities + 1), np.zeros(entities + 1, np.int64)


def _numbered(subjects: Sequence[str | None]) -> NDArray[np.int32]:
    """Number subjects; -1 where there is none."""
    numbers: dict[str | None, int] = {}
    return np.array([-1 if each is None else numbers.setdefault(each, len(numbers)) for each in subjects], np.int32)


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
