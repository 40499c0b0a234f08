"""The features of a snapshot, read from the state of a sweep; of an account without the part of the lead itself."""

import numpy as np
from numpy.typing import NDArray

from data.compiled_loops import called, inlined
from data.instants import DAY_US, HOUR_US
from features.sweep.operations import (
    BETWEEN,
    COUNT,
    DECAYED,
    DISTINCT,
    FIRST,
    HOUR,
    LAST,
    LOCAL_HOUR,
    LOCAL_WEEKDAY,
    MEAN_GAP,
    NTH,
    PEOPLE,
    SHARE,
    SILENCE,
    SUM,
    TREND,
    WEEKDAY,
)
from features.sweep.plan import PlanArrays
from features.sweep.sweep_days import local_time
from features.sweep.sweep_order_values import value_in_order
from features.sweep.sweep_state import BILLION, BLOCKS, DECAY_DIGITS, HALF_LIVES, VALUE_DIGITS, WEIGHT, State, Sweep
from features.sweep.sweep_state import FIRST as OLDEST
from features.sweep.sweep_state import LAST as NEWEST

_VALUE_STEPS, _DECAY_STEPS = 10.0**VALUE_DIGITS, 10.0**DECAY_DIGITS
_MONDAY_US = 3 * DAY_US  # 1970-01-01 was a Thursday


@inlined
def write_features(sweep: Sweep, as_of: int, state: State, row: NDArray[np.float64]) -> None:
    """
    Write the features of a snapshot into its row, which holds what they are when nothing has happened.

    Args:
        sweep: over a lead or an account.
        as_of: the instant [us since 1970 UTC].
        state: that of the sweep, or that of an account without the part of one lead.
        row: (k,).
    """
    plan = sweep.plan
    for touched in range(state.sizes[0]):
        group = state.touched[touched]
        if state.groups[group].known > 0:
            for listed in range(plan.groups[group].features_begin, plan.groups[group].features_end):
                at = plan.features[listed]
                row[at] = _value(sweep, at, group, as_of, state)


@called
def take_others(sweep: Sweep, lead: int, others: State) -> None:
    """Fill ``others`` with the state of an account without one of its leads."""
    state, parts = sweep.state, sweep.parts
    others.sizes[0] = state.sizes[0]
    for touched in range(state.sizes[0]):
        group = state.touched[touched]
        others.touched[touched] = group
        own = others.groups[group]
        own.known = state.groups[group].known - parts.known[lead, group]
        if own.known > 0:
            last, first = state.extremes[group, NEWEST], state.extremes[group, OLDEST]
            own.last = last.other_at if last.lead == lead else last.at
            own.first = first.other_at if first.lead == lead else first.at
            _take_other_numbers(sweep, lead, group, others)


@inlined
def _take_other_numbers(sweep: Sweep, lead: int, group: int, others: State) -> None:
    state, parts, bounds = sweep.state, sweep.parts, sweep.plan.groups[group]
    for window in range(bounds.windows_begin, bounds.windows_end):
        whole, part, rest = state.windows[window], parts.windows[lead, window], others.windows[window]
        rest.count, rest.values = whole.count - part.count, whole.values - part.values
        rest.whole, rest.billionths = whole.whole - part.whole, whole.billionths - part.billionths
        row = sweep.plan.windows[window].row
        if row >= 0:
            rest.distinct = whole.distinct - parts.alone[row, lead]
        elif row == PEOPLE:
            rest.distinct = whole.distinct - (1 if part.count else 0)
    for decay in range(bounds.decays_begin, bounds.decays_end):
        for place in range(BLOCKS):
            in_all, own, left = (
                state.decays[decay, place],
                parts.decays[lead, decay, place],
                others.decays[decay, place],
            )
            left.block = in_all.block
            left.weight = in_all.weight - (own.weight if own.block == in_all.block else 0)


@inlined
def _value(sweep: Sweep, at: int, group: int, as_of: int, state: State) -> float:
    """Return a feature of a group in which something has happened."""
    plan = sweep.plan
    op, first, own = plan.reads[at].op, plan.reads[at].first, state.groups[group]
    if op == COUNT:
        return np.float64(state.windows[first].count)
    if op == LAST:
        return np.float64(as_of - own.last) / DAY_US
    if op == DECAYED:
        return _decayed(plan, first, as_of, state)
    if op == FIRST:
        return np.float64(as_of - own.first) / DAY_US
    if op == TREND:
        whole = state.windows[plan.reads[at].second].count
        return np.float64(state.windows[first].count) / np.float64(whole) if whole else plan.missing[at]
    if op == DISTINCT:
        return np.float64(state.windows[first].distinct)
    if op == HOUR:
        return _hour(own.last)
    if op == WEEKDAY:
        return _weekday(own.last)
    if op >= NTH:
        return value_in_order(sweep, at, group, as_of)
    if op >= SHARE:
        return _related(plan, at, group, as_of, state)
    window = state.windows[first]
    if window.values == 0:
        return float(plan.missing[at])
    summed = _sum(window.whole, window.billionths)
    return float(_rounded(summed if op == SUM else summed / np.float64(window.values), _VALUE_STEPS))


@called
def _related(plan: PlanArrays, at: int, group: int, as_of: int, state: State) -> float:
    """Return a feature that relates two numbers of the state, or reads the clock of a time zone."""
    read, own, other = plan.reads[at], state.groups[group], state.groups[plan.reads[at].other]
    span = np.float64(own.last - own.first)
    if read.op == SHARE:
        whole = state.windows[read.second].count
        if whole:
            return (np.float64(state.windows[read.first].count) if other.known else 0.0) / np.float64(whole)
    elif read.op == BETWEEN:
        if other.known:
            return np.float64(own.first - other.first) / DAY_US
    elif read.op == MEAN_GAP:
        if own.known > 1:
            return span / np.float64(own.known - 1) / DAY_US
    elif read.op == SILENCE:
        if own.known > 2 and span > 0:  # noqa: PLR2004 - one gap is no rhythm
            return np.float64(as_of - own.last) * np.float64(own.known - 1) / span
    elif read.op == LOCAL_HOUR:
        return _hour(local_time(plan, own.last))
    elif read.op == LOCAL_WEEKDAY:
        return _weekday(local_time(plan, own.last))
    return float(plan.missing[at])


@inlined
def _hour(instant: int) -> float:
    return float(np.float64(instant % DAY_US) / HOUR_US)


@inlined
def _weekday(instant: int) -> float:
    return float(np.float64((instant + _MONDAY_US) % (7 * DAY_US) // DAY_US))


@inlined
def _sum(whole: int, billionths: int) -> float:
    """Return a sum; the same sum has the same parts once they are carried and have the same sign."""
    whole += billionths // BILLION
    billionths %= BILLION
    if whole < 0 and billionths > 0:
        whole += 1
        billionths -= BILLION
    return float(np.float64(whole) + np.float64(billionths) / BILLION)


@inlined
def _decayed(plan: PlanArrays, decay: int, as_of: int, state: State) -> float:
    """Return a decayed count at an instant; blocks are added from the oldest on, so that there is one order."""
    half_life = plan.half_life_us[decay]
    length = np.int64(half_life * HALF_LIVES)
    newest = as_of // length
    total = 0.0
    for block in range(newest - BLOCKS + 1, newest + 1):
        own = state.decays[decay, block % BLOCKS]
        if own.weight != 0 and own.block == block:
            age = np.float64(as_of - (block + 1) * length)
            total += np.float64(own.weight) / WEIGHT * np.exp2(-age / half_life)
    return _rounded(total, _DECAY_STEPS)


@inlined
def _rounded(value: float, steps: float) -> float:
    """Round to a fraction of one, halves away from zero."""
    scaled = value * steps
    whole = np.trunc(scaled)
    return float((whole + np.trunc(2.0 * (scaled - whole))) / steps)
