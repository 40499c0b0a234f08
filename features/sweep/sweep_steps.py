"""How facts change the state of a sweep: they become known, windows leave them behind, their lead moves."""

import numpy as np

from data.compiled_loops import called, inlined
from features.sweep.operations import NOTHING, PEOPLE
from features.sweep.sweep_days import count_day, list_days
from features.sweep.sweep_order import order_facts, take_place
from features.sweep.sweep_sequences import count_sequence
from features.sweep.sweep_state import (
    BILLION,
    BLOCKS,
    FIRST,
    HALF_LIVES,
    LARGEST_VALUE,
    LAST,
    NOBODY,
    WEIGHT,
    State,
    Sweep,
)


@inlined
def list_facts(sweep: Sweep, start: int, end: int) -> None:
    """List the facts of one entity by group, in the order in which they occurred."""
    plan, facts, state, lists = sweep.plan, sweep.facts, sweep.state, sweep.lists
    touched = 0
    for fact in range(start, end):
        cell = facts.cell[fact]
        for at in range(plan.cell_start[cell], plan.cell_start[cell + 1]):
            group = plan.cell_groups[at]
            if state.groups[group].length == 0:
                state.touched[touched] = group
                touched += 1
            state.groups[group].length += 1
    state.sizes[0] = touched
    place = 0
    for at in range(touched):
        group = state.touched[at]
        state.groups[group].listed = place
        place += state.groups[group].length
        state.groups[group].length = 0
        _clear_group(sweep, group)
    membership = 0
    for fact in range(start, end):
        cell = facts.cell[fact]
        lists.begin[fact - start] = membership
        for at in range(plan.cell_start[cell], plan.cell_start[cell + 1]):
            own = state.groups[plan.cell_groups[at]]
            member = lists.members[own.listed + own.length]
            member.fact, member.occurred, member.inside = fact, facts.occurred[fact], 0
            lists.place[membership] = own.listed + own.length
            own.length += 1
            membership += 1
    if len(lists.nodes):
        order_facts(sweep, start)
    if len(lists.day):
        list_days(sweep)


@inlined
def _clear_group(sweep: Sweep, group: int) -> None:
    """Set a group to what it is before anything has happened."""
    plan, state = sweep.plan, sweep.state
    bounds = plan.groups[group]
    state.groups[group].known = 0
    for window in range(bounds.windows_begin, bounds.windows_end):
        own = state.windows[window]
        own.count, own.passed, own.whole, own.billionths, own.values, own.distinct = 0, 0, 0, 0, 0, 0
    for decay in range(bounds.decays_begin, bounds.decays_end):
        for place in range(BLOCKS):
            state.decays[decay, place].weight = 0
    for at in range(bounds.sequences_begin, bounds.sequences_end):
        state.sequences[plan.group_sequences[at]] = 0


@inlined
def forget(sweep: Sweep, others: State, start: int, end: int) -> None:
    """Leave everything as it must be before the next entity is listed."""
    facts, state, parts = sweep.facts, sweep.state, sweep.parts
    for at in range(state.sizes[0]):
        group = state.touched[at]
        # Features of two groups ask whether the other one has anything, and the next entity may not touch it.
        state.groups[group].length, state.groups[group].known, others.groups[group].known = 0, 0, 0
    if len(facts.subject):
        for fact in range(start, end):
            subject = facts.subject[fact]
            if subject >= 0:
                for row in range(len(sweep.lists.seen)):
                    sweep.lists.seen[row, subject] = 0
                    if len(facts.lead):
                        parts.having[row, subject].leads = 0
                        parts.having[row, subject].sum = 0
                        parts.pair[row, facts.pair[fact]] = 0


@inlined
def enter(sweep: Sweep, fact: int, start: int) -> None:
    """Count a fact from now on."""
    plan, facts, state, lists = sweep.plan, sweep.facts, sweep.state, sweep.lists
    cell, occurred = facts.cell[fact], facts.occurred[fact]
    membership = lists.begin[fact - start]
    for at in range(plan.cell_start[cell], plan.cell_start[cell + 1]):
        group = plan.cell_groups[at]
        own, bounds, listed = state.groups[group], plan.groups[group], lists.place[membership]
        membership += 1
        lists.members[listed].inside = 1
        # The longest window has left the fewest behind: what it has left, the others have too.
        for window in range(bounds.windows_end - 1, bounds.windows_begin - 1, -1):
            if listed - own.listed < state.windows[window].passed:
                break
            _count(sweep, listed, window, 1)
        if bounds.decays_begin < bounds.decays_end:
            _weigh(sweep, fact, group, 1)
        if own.known == 0 or occurred > own.last:
            own.last = occurred
        if own.known == 0 or occurred < own.first:
            own.first = occurred
        own.known += 1
        if bounds.ordered and not (bounds.valued and np.isnan(facts.value[fact])):
            take_place(sweep, group, listed)
            for sequence in range(bounds.sequences_begin, bounds.sequences_end):
                count_sequence(sweep, plan.group_sequences[sequence], group, listed)
        if len(facts.lead):
            sweep.parts.known[facts.lead[fact], group] += 1
            _rank(sweep, fact, group, LAST)
            _rank(sweep, fact, group, FIRST)


@called
def leave(sweep: Sweep, fact: int, start: int) -> None:
    """Stop counting a fact of an account, since its lead has left; `rank_again` follows."""
    plan, facts, state, lists = sweep.plan, sweep.facts, sweep.state, sweep.lists
    cell = facts.cell[fact]
    membership = lists.begin[fact - start]
    for at in range(plan.cell_start[cell], plan.cell_start[cell + 1]):
        group = plan.cell_groups[at]
        own, bounds, listed = state.groups[group], plan.groups[group], lists.place[membership]
        membership += 1
        lists.members[listed].inside = 0
        for window in range(bounds.windows_begin, bounds.windows_end):
            if listed - own.listed >= state.windows[window].passed:
                _count(sweep, listed, window, -1)
        _weigh(sweep, fact, group, -1)
        own.known -= 1
        sweep.parts.known[facts.lead[fact], group] -= 1


@inlined
def advance(sweep: Sweep, as_of: int) -> None:
    """Move every window to an instant, and take out the facts that it leaves behind."""
    plan, state, lists = sweep.plan, sweep.state, sweep.lists
    for at in range(state.sizes[0]):
        group = state.touched[at]
        own, bounds = state.groups[group], plan.groups[group]
        for window in range(bounds.windows_end - 1, bounds.windows_begin - 1, -1):
            opens = as_of - plan.windows[window].length
            passed = state.windows[window].passed
            if own.known == 0 and window < bounds.windows_end - 1:
                # Nothing is inside yet, and a longer window has left behind no more than this one.
                passed = max(passed, state.windows[window + 1].passed)
            while passed < own.length and lists.members[own.listed + passed].occurred < opens:
                if lists.members[own.listed + passed].inside:
                    _count(sweep, own.listed + passed, window, -1)
                passed += 1
            state.windows[window].passed = passed


@inlined
def _count(sweep: Sweep, place: int, window: int, sign: int) -> None:
    """Put a member of a group into a window, or take it out."""
    facts, sums, row = sweep.facts, sweep.plan.windows[window].sums, sweep.plan.windows[window].row
    fact = sweep.lists.members[place].fact
    sweep.state.windows[window].count += sign
    if len(facts.lead):
        sweep.parts.windows[facts.lead[fact], window].count += sign
    if sums and facts.value[fact] == facts.value[fact]:
        _add_value(sweep, fact, window, sign)
    if row >= 0:
        _count_subject(sweep, fact, window, sign)
    elif row != NOTHING:
        if row == PEOPLE:
            _count_person(sweep, fact, window, sign)
        else:
            count_day(sweep, place, window, sign)


@inlined
def _count_subject(sweep: Sweep, fact: int, window: int, sign: int) -> None:
    facts, seen, row = sweep.facts, sweep.lists.seen, sweep.plan.windows[window].row
    subject = facts.subject[fact]
    if subject < 0:
        return
    before = seen[row, subject]
    seen[row, subject] = before + sign
    if before == 0:
        sweep.state.windows[window].distinct += 1
    elif before + sign == 0:
        sweep.state.windows[window].distinct -= 1
    if len(facts.lead):
        _count_pair(sweep, fact, row, sign)


@called
def _count_person(sweep: Sweep, fact: int, window: int, sign: int) -> None:
    """Note that a lead's first activity has entered a window, or that its last one has left it."""
    own = sweep.parts.windows[sweep.facts.lead[fact], window].count
    if own == (1 if sign > 0 else 0):
        sweep.state.windows[window].distinct += sign


@called
def _add_value(sweep: Sweep, fact: int, window: int, sign: int) -> None:
    value = min(max(sweep.facts.value[fact], -LARGEST_VALUE), LARGEST_VALUE)
    whole = np.int64(np.trunc(value))
    billionths = np.int64(np.rint((value - np.trunc(value)) * BILLION))
    own = sweep.state.windows[window]
    own.whole += sign * whole
    own.billionths += sign * billionths
    own.values += sign
    if len(sweep.facts.lead):
        part = sweep.parts.windows[sweep.facts.lead[fact], window]
        part.whole += sign * whole
        part.billionths += sign * billionths
        part.values += sign


@called
def _count_pair(sweep: Sweep, fact: int, row: int, sign: int) -> None:
    """Note that a lead's subject enters or leaves a window, so that the subjects of the others alone are known."""
    facts, parts = sweep.facts, sweep.parts
    before = parts.pair[row, facts.pair[fact]]
    parts.pair[row, facts.pair[fact]] = before + sign
    if before == 0 or before + sign == 0:
        having = parts.having[row, facts.subject[fact]]
        if having.leads == 1:
            parts.alone[row, having.sum] -= 1
        having.leads += sign
        having.sum += sign * facts.lead[fact]
        if having.leads == 1:
            parts.alone[row, having.sum] += 1


@inlined
def _weigh(sweep: Sweep, fact: int, group: int, sign: int) -> None:
    """Add a fact to the decayed counts of its group, or take it out."""
    plan, facts, bounds = sweep.plan, sweep.facts, sweep.plan.groups[group]
    for decay in range(bounds.decays_begin, bounds.decays_end):
        half_life = plan.half_life_us[decay]
        length = np.int64(half_life * HALF_LIVES)
        block = facts.occurred[fact] // length
        age = np.float64((block + 1) * length - facts.occurred[fact])
        weight = sign * np.int64(np.rint(np.exp2(-age / half_life) * WEIGHT))
        own = sweep.state.decays[decay, block % BLOCKS]
        if own.weight == 0 or own.block < block:
            own.block, own.weight = block, 0
        if own.block == block:
            own.weight += weight
            if len(facts.lead):
                part = sweep.parts.decays[facts.lead[fact], decay, block % BLOCKS]
                if part.block != block:
                    part.block, part.weight = block, 0
                part.weight += weight


@called
def _rank(sweep: Sweep, fact: int, group: int, which: int) -> None:
    """Keep the latest or the earliest fact of an account, and that of any other lead."""
    at, lead, best = sweep.facts.occurred[fact], sweep.facts.lead[fact], sweep.state.extremes[group, which]
    sign = 1 if which == LAST else -1
    if best.lead == NOBODY or best.lead == lead:  # noqa: PLR1714 - numba has no "in" for numbers of several sizes
        if best.lead == NOBODY or sign * (at - best.at) > 0:
            best.at, best.lead = at, lead
    elif sign * (at - best.at) > 0:
        best.other_at, best.other_lead = best.at, best.lead
        best.at, best.lead = at, lead
    elif best.other_lead == NOBODY or sign * (at - best.other_at) > 0:
        best.other_at, best.other_lead = at, lead


@called
def rank_again(sweep: Sweep, lead: int) -> None:
    """Find the latest and the earliest facts again, where they were those of a lead that has left."""
    state, lists = sweep.state, sweep.lists
    for at in range(state.sizes[0]):
        group = state.touched[at]
        own = state.groups[group]
        for which in range(2):
            best = state.extremes[group, which]
            if lead != best.lead and lead != best.other_lead:  # noqa: PLR1714 - as above
                continue
            best.lead, best.other_lead = NOBODY, NOBODY
            for step in range(own.length):
                if best.other_lead != NOBODY:
                    break
                member = lists.members[own.listed + (own.length - 1 - step if which == LAST else step)]
                if member.inside:
                    _rank(sweep, member.fact, group, which)
