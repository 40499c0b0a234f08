"""
How many activities have another one before them, within some time.

An activity counts if the latest of the others before it is near enough. When one becomes known, late or not, it counts
or not by the tree of the others; and it makes those count that follow it, until the next of its kind or until it is too
old, except those for which the one before it was near enough already. Their number is a question to their tree.
"""

from data.compiled_loops import called, inlined
from features.sweep.sweep_order import known_from, nth_last, position_at
from features.sweep.sweep_state import Sweep


@called
def count_sequence(sweep: Sweep, sequence: int, group: int, place: int) -> None:
    """Count what a fact adds to a sequence now that it has its place in one of the two groups."""
    pair, occurred = sweep.plan.sequences[sequence], sweep.lists.members[place].occurred
    groups = sweep.state.groups
    if groups[pair.before].length == 0 or groups[pair.after].length == 0:
        return
    if group == pair.after:
        before = _latest(sweep, pair.before, position_at(sweep, pair.before, occurred))
        if before >= 0 and occurred - sweep.lists.members[before].occurred <= pair.within:
            sweep.state.sequences[sequence] += 1
        return
    position = place - groups[group].listed
    low, high = occurred, occurred + pair.within
    before, following = _latest(sweep, group, position), _earliest(sweep, group, position + 1)
    if before >= 0:
        low = max(low, sweep.lists.members[before].occurred + pair.within)
    if following >= 0:
        high = min(high, sweep.lists.members[following].occurred)
    if low < high:
        sweep.state.sequences[sequence] += _known_after(sweep, pair.after, low) - _known_after(sweep, pair.after, high)


@inlined
def _known_after(sweep: Sweep, group: int, instant: int) -> int:
    return known_from(sweep, group, position_at(sweep, group, instant + 1))


@inlined
def _latest(sweep: Sweep, group: int, position: int) -> int:
    """Return the place of the last known fact before a position; -1 if there is none."""
    return nth_last(sweep, group, known_from(sweep, group, position) + 1)


@inlined
def _earliest(sweep: Sweep, group: int, position: int) -> int:
    """Return the place of the first known fact from a position on; -1 if there is none."""
    known = known_from(sweep, group, position)
    return nth_last(sweep, group, known) if known else -1
