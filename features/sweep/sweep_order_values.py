"""The features of a snapshot that are read from the facts of a group in the order in which they occurred."""

import numpy as np

from data.compiled_loops import called
from data.instants import DAY_US
from features.sweep.operations import FIRST_VALUE, KIND, LAST_VALUE, LONGEST_GAP, NTH, SEQUENCE, WINDOW_MEAN_GAP
from features.sweep.sweep_order import gaps_from, known_from, nth_last
from features.sweep.sweep_state import Sweep


@called
def value_in_order(sweep: Sweep, at: int, group: int, as_of: int) -> float:
    """Return a feature of a group whose facts are kept in order."""
    plan, facts, members, read = sweep.plan, sweep.facts, sweep.lists.members, sweep.plan.reads[at]
    if read.op == SEQUENCE:
        return float(np.float64(sweep.state.sequences[read.second]))
    if read.op == LONGEST_GAP or read.op == WINDOW_MEAN_GAP:  # noqa: PLR1714 - numba has no "in" here
        return _gap(sweep, at, group)
    place = nth_last(sweep, group, _from_the_end(sweep, at, group))
    if place < 0:
        return float(plan.missing[at])
    if read.op == NTH:
        return float(np.float64(as_of - members[place].occurred) / DAY_US)
    if read.op == KIND:
        code = plan.codes[plan.groups[group].codes + facts.cell[members[place].fact]]
        return float(np.float64(code) if code >= 0 else plan.missing[at])
    # 0.0 is added, since of 0.0 and -0.0 at one instant either could come last.
    return float(facts.value[members[place].fact] + 0.0)


@called
def _from_the_end(sweep: Sweep, at: int, group: int) -> int:
    """Return which fact from the end a feature reads; the first one is number 1 where there is none."""
    read = sweep.plan.reads[at]
    if read.op == FIRST_VALUE:
        return max(known_from(sweep, group, 0), 1)
    return 1 if read.op == LAST_VALUE else int(read.second)


@called
def _gap(sweep: Sweep, at: int, group: int) -> float:
    """Return the longest or the mean gap between the facts in a window."""
    read = sweep.plan.reads[at]
    known, first, last, longest = gaps_from(sweep, group, sweep.state.windows[read.first].passed)
    if known < 2:  # noqa: PLR2004 - a gap lies between two
        return float(sweep.plan.missing[at])
    if read.op == LONGEST_GAP:
        return float(np.float64(longest) / DAY_US)
    return float(np.float64(last - first) / np.float64(known - 1) / DAY_US)
