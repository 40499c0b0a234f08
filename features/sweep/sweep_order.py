"""
The facts of a group in the order in which they occurred, of which those that are known come and go at any place.

A tree over the places of a group holds in each node how many of the facts below it are known, when the first and the
last of them occurred, and the longest gap between two that follow each other. A fact that becomes known, however late,
changes the nodes above it and no others, so that it costs the logarithm of the group's length, and so does a question.
"""

import numpy as np

from data.compiled_loops import called, inlined
from features.sweep.sweep_state import Sweep


@called
def order_facts(sweep: Sweep, start: int) -> None:
    """Lay out an empty tree for each group of one entity that needs one; ``start`` is the entity's first fact."""
    plan, state, lists = sweep.plan, sweep.state, sweep.lists
    nodes = 0
    for touched in range(state.sizes[0]):
        group = state.touched[touched]
        own, bounds = state.groups[group], plan.groups[group]
        if not bounds.ordered:
            continue
        own.nodes, own.leaves = nodes, 1
        while own.leaves < own.length:
            own.leaves *= 2
        nodes += 2 * own.leaves
        for node in range(own.nodes, nodes):
            lists.nodes[node].known = 0
        if bounds.codes >= 0 or bounds.valued:
            _order_equal_instants(sweep, group, start)


@called
def take_place(sweep: Sweep, group: int, place: int) -> None:
    """Note in the tree of its group that a fact is known."""
    own, nodes, members = sweep.state.groups[group], sweep.lists.nodes, sweep.lists.members
    node = own.leaves + place - own.listed
    leaf = nodes[own.nodes + node]
    leaf.known, leaf.gap = 1, 0
    leaf.first, leaf.last = members[place].occurred, members[place].occurred
    while node > 1:
        node //= 2
        above, left, right = nodes[own.nodes + node], nodes[own.nodes + 2 * node], nodes[own.nodes + 2 * node + 1]
        above.known = left.known + right.known
        above.first = left.first if left.known else right.first
        above.last = right.last if right.known else left.last
        above.gap = max(left.gap if left.known else 0, right.gap if right.known else 0)
        if left.known and right.known:
            above.gap = max(above.gap, right.first - left.last)


@called
def nth_last(sweep: Sweep, group: int, nth: int) -> int:
    """Return the place of the nth last known fact of a group; -1 if it has fewer."""
    own, nodes = sweep.state.groups[group], sweep.lists.nodes
    if nodes[own.nodes + 1].known < nth:
        return -1
    node, left = 1, nth
    while node < own.leaves:
        node = 2 * node + 1
        if nodes[own.nodes + node].known < left:
            left -= nodes[own.nodes + node].known
            node -= 1
    return int(own.listed + node - own.leaves)


@called
def gaps_from(sweep: Sweep, group: int, position: int) -> tuple[int, int, int, int]:
    """Return of the known facts from a position on: how many, the first, the last, and the longest gap."""
    own, nodes = sweep.state.groups[group], sweep.lists.nodes
    known, first, last, gap = 0, 0, 0, 0
    node = own.leaves + position
    while position < own.leaves:
        part = nodes[own.nodes + node]
        if part.known:
            gap = max(gap, part.gap, part.first - last if known else 0)
            first = first if known else part.first
            last = part.last
            known += part.known
        # All that follows a node lies below its right neighbour, or below that of the nearest node above that has one.
        while node > 1 and node % 2 == 1:
            node //= 2
        if node == 1:
            break
        node += 1
    return known, first, last, gap


@called
def known_from(sweep: Sweep, group: int, position: int) -> int:
    """Return how many facts of a group are known from a position on."""
    return gaps_from(sweep, group, position)[0]


@inlined
def position_at(sweep: Sweep, group: int, instant: int) -> int:
    """Return the position of the first fact of a group that occurred at an instant or later, known or not."""
    own, members = sweep.state.groups[group], sweep.lists.members
    low, high = 0, own.length
    while low < high:
        middle = (low + high) // 2
        if members[own.listed + middle].occurred < instant:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def _order_equal_instants(sweep: Sweep, group: int, start: int) -> None:
    """Put facts of a group that occurred at one instant into an order of their own, whatever theirs was."""
    own, members = sweep.state.groups[group], sweep.lists.members
    low = own.listed
    for place in range(own.listed + 1, own.listed + own.length + 1):
        if place == own.listed + own.length or members[place].occurred != members[low].occurred:
            if place - low > 1:
                _sort(sweep, group, low, place)
                for moved in range(low, place):
                    _note_place(sweep, group, moved, start)
            low = place


@called
def _sort(sweep: Sweep, group: int, low: int, high: int) -> None:
    """Sort members by heap sort, since all facts of a lead may have the same instant."""
    for root in range((high - low) // 2 - 1, -1, -1):
        _sink(sweep, group, low + root, low, high)
    for end in range(high - 1, low, -1):
        _swap(sweep, low, end)
        _sink(sweep, group, low, low, end)


@called
def _sink(sweep: Sweep, group: int, root: int, low: int, high: int) -> None:
    """Move a member of a heap, which begins at ``low``, down until none below it is later."""
    child = 2 * root + 1 - low
    while child < high:
        if child + 1 < high and _rank_of(sweep, group, child) < _rank_of(sweep, group, child + 1):
            child += 1
        if _rank_of(sweep, group, root) >= _rank_of(sweep, group, child):
            break
        _swap(sweep, root, child)
        root, child = child, 2 * child + 1 - low


@inlined
def _swap(sweep: Sweep, one: int, other: int) -> None:
    members = sweep.lists.members
    fact = members[one].fact
    members[one].fact = members[other].fact
    members[other].fact = fact


@inlined
def _rank_of(sweep: Sweep, group: int, place: int) -> float:
    """Return by what a member is later than others at its instant: the code of its kind, or its value."""
    fact, codes = sweep.lists.members[place].fact, sweep.plan.groups[group].codes
    if codes >= 0:
        return float(sweep.plan.codes[codes + sweep.facts.cell[fact]])
    value = sweep.facts.value[fact]
    return float(value) if value == value else -np.inf  # noqa: PLR0124 - NaN alone is not itself


@inlined
def _note_place(sweep: Sweep, group: int, place: int, start: int) -> None:
    plan, lists, fact = sweep.plan, sweep.lists, sweep.lists.members[place].fact
    cell, membership = sweep.facts.cell[fact], lists.begin[fact - start]
    for at in range(plan.cell_start[cell], plan.cell_start[cell + 1]):
        if plan.cell_groups[at] == group:
            lists.place[membership + at - plan.cell_start[cell]] = place
