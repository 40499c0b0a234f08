"""
What a sweep over the facts of one lead, or of all leads of one account, knows at one instant.

Everything that is summed is an integer, so that the order in which facts arrive, and the threads that they are shared
among, cannot show: counts; values as whole numbers and billionths; decayed weights as multiples of 2**-42 in blocks
of four half-lives, each relative to its block's end. Integers can also be taken out again, which is how the part of one
lead leaves the state of its account.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.sweep.operations import DAYS
from features.sweep.plan import PlanArrays, Records, records

BLOCKS = 17
"""Blocks of a decayed count that are kept: what is older weighs less than 2**-64."""
HALF_LIVES = 4.0
"""Half-lives in a block."""
WEIGHT = float(2**42)
BILLION = 10**9
_NODES_A_MEMBER = 4  # twice its leaves, which are less than twice as many as what lies on them
LARGEST_VALUE = 1e15
"""Larger values count as this much."""
NOBODY = -1
VALUE_DIGITS, DECAY_DIGITS = 6, 9
"""Decimals of sums and means of values, and of decayed counts."""

_WINDOW = ("count", "passed", "whole", "billionths", "values", "distinct")
_GROUP = ("known", "last", "first", "listed", "length", "nodes", "leaves")
_NODE = ("known", "first", "last", "gap")
_EXTREMES = ("at", "lead", "other_at", "other_lead")
LAST, FIRST = 0, 1
"""Which of the two extremes of a group."""
_BLOCK = ("block", "weight")


class Facts(NamedTuple):
    """
    Facts in columns, sorted by the lead or account that they belong to, then by when they occurred.

    Attributes:
        start: (entities + 1,) where the facts of each begin.
        cell: (n,) the cell of the plan.
        occurred: (n,) [us since 1970 UTC].
        known: (n,) [us since 1970 UTC].
        value: (n,) NaN where there is none; empty if the plan sums nothing.
        subject: (n,) its number within the entity, -1 where there is none; empty if the plan counts none.
        lead: (n,) the number of its lead within the account; empty in a sweep over leads.
        pair: (n,) the number of its lead and subject within the account; empty where ``subject`` or ``lead`` is.
    """

    start: NDArray[np.int64]
    cell: NDArray[np.int32]
    occurred: NDArray[np.int64]
    known: NDArray[np.int64]
    value: NDArray[np.float64]
    subject: NDArray[np.int32]
    lead: NDArray[np.int32]
    pair: NDArray[np.int32]


def pairs_of(lead: NDArray[np.int32], subject: NDArray[np.int32]) -> NDArray[np.int32]:
    """
    Number the pairs of a lead and a subject; -1 without a subject.

    >>> pairs_of(np.array([0, 1, 0, 1], np.int32), np.array([3, 3, 3, -1], np.int32))
    array([ 0,  1,  0, -1], dtype=int32)
    """
    pairs = pd.factorize(lead.astype(np.int64) << 32 | subject)[0]
    return np.where(subject < 0, -1, pairs).astype(np.int32)


class State(NamedTuple):
    """
    What a sweep knows at one instant; made once, and cleared for each entity.

    Attributes:
        windows: (windows,) ``count`` of the facts in it; ``passed``: how many facts of the group, in the order in which
            they occurred, it has left behind; the sum of ``values`` values, as ``whole`` numbers and ``billionths``;
            ``distinct`` subjects.
        groups: (groups,) facts ``known``; when the ``last`` and ``first`` of them occurred; where its facts are
            ``listed``, and their ``length`` in all, known or not; where the ``nodes`` of its tree begin, and how many
            ``leaves`` that has.
        extremes: (groups, 2) in an account: the last and the first fact, whose it is, and that of any other lead.
        decays: (decays, BLOCKS) the number of the ``block`` in each place, and its ``weight``.
        sequences: (sequences,) how many activities have the one before them that is asked for.
        touched: (groups,) the groups that have facts; the first ``sizes[0]`` of them.
        sizes: (1,) how many those are.
    """

    windows: Records
    groups: Records
    extremes: Records
    decays: Records
    sequences: NDArray[np.int64]
    touched: NDArray[np.int64]
    sizes: NDArray[np.int64]


class Lists(NamedTuple):
    """
    The facts of one entity by group, in the order in which they occurred.

    Attributes:
        members: (memberships,) the ``fact``, when it ``occurred``, and whether it is known and counts (``inside``).
        place: (memberships,) where each membership of each fact lies in ``members``.
        begin: (facts of the entity,) where the memberships of a fact begin in ``place``.
        seen: (rows, subjects) how often a subject is in the window.
        nodes: the trees of the groups that keep their facts in order: how many facts below a node are ``known``, when
            the ``first`` and the ``last`` of them occurred, and the longest ``gap`` between two of them.
        day_place: (memberships,) where the day of each member lies among the days of its group; empty if none counts.
        day: (memberships,) the days of each group [days since 1970], each once.
        active: (rows of days, memberships) how often a day is in the window.
    """

    members: Records
    place: NDArray[np.int64]
    begin: NDArray[np.int64]
    seen: NDArray[np.int32]
    nodes: Records
    day_place: NDArray[np.int64]
    day: NDArray[np.int64]
    active: NDArray[np.int32]


class LeadParts(NamedTuple):
    """
    The part of each lead in the state of its account; without leads in a sweep over leads.

    Attributes:
        windows: (leads, windows) as those of the state.
        known: (leads, groups).
        decays: (leads, decays, BLOCKS).
        pair: (rows, pairs) how often the lead's subject is in the window.
        having: (rows, subjects) how many ``leads`` have the subject in the window, and the ``sum`` of their numbers:
            the number itself where there is one.
        alone: (rows, leads) how many subjects of the window nobody else has.
    """

    windows: Records
    known: NDArray[np.int32]
    decays: Records
    pair: NDArray[np.int32]
    having: Records
    alone: NDArray[np.int32]


class Sweep(NamedTuple):
    """What a step of a sweep works on."""

    plan: PlanArrays
    facts: Facts
    state: State
    lists: Lists
    parts: LeadParts


class Sizes(NamedTuple):
    """How large the largest entity of a sweep is."""

    facts: int = 0
    memberships: int = 0
    ordered: int = 0
    subjects: int = 0
    leads: int = 0
    pairs: int = 0


def new_state(plan: PlanArrays) -> State:
    """Return the state of a sweep in which nothing has happened."""
    groups = len(plan.groups)
    return State(
        windows=records(_WINDOW, len(plan.windows)),
        groups=records(_GROUP, groups),
        extremes=records(_EXTREMES, groups, 2),
        decays=records(_BLOCK, len(plan.half_life_us), BLOCKS),
        sequences=np.zeros(len(plan.sequences), np.int64),
        touched=np.zeros(groups, np.int64),
        sizes=np.zeros(1, np.int64),
    )


def new_lists(plan: PlanArrays, sizes: Sizes) -> Lists:
    """Return lists that hold the facts of the largest entity."""
    day_rows = int((plan.windows["row"] <= DAYS).sum())
    days = sizes.memberships if day_rows else 0
    return Lists(
        members=records(("fact", "occurred", "inside"), sizes.memberships),
        place=np.zeros(sizes.memberships, np.int64),
        begin=np.zeros(sizes.facts, np.int64),
        seen=np.zeros((_rows(plan), sizes.subjects), np.int32),
        nodes=records(_NODE, _NODES_A_MEMBER * sizes.ordered),
        day_place=np.zeros(days, np.int64),
        day=np.zeros(days, np.int64),
        active=np.zeros((day_rows, days), np.int32),
    )


def new_parts(plan: PlanArrays, sizes: Sizes) -> LeadParts:
    """Return the parts of the leads of the largest account; none in a sweep over leads."""
    rows = _rows(plan)
    return LeadParts(
        windows=records(_WINDOW, sizes.leads, len(plan.windows)),
        known=np.zeros((sizes.leads, len(plan.groups)), np.int32),
        decays=records(_BLOCK, sizes.leads, len(plan.half_life_us), BLOCKS),
        pair=np.zeros((rows, sizes.pairs), np.int32),
        having=records(("leads", "sum"), rows, sizes.subjects),
        alone=np.zeros((rows, sizes.leads), np.int32),
    )


def _rows(plan: PlanArrays) -> int:
    """Return how many windows count different subjects."""
    return int((plan.windows["row"] >= 0).sum())
