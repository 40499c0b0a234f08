"""On which calendar days of a time zone the facts of a sweep occurred."""

from data.compiled_loops import called, inlined
from data.instants import DAY_US
from features.sweep.operations import DAYS
from features.sweep.plan import PlanArrays
from features.sweep.sweep_state import Sweep


@inlined
def local_time(plan: PlanArrays, instant: int) -> int:
    """Return what the clocks of the plan's time zone show at an instant [us since their 1970]."""
    low, high = 0, len(plan.zone)
    while high - low > 1:
        middle = (low + high) // 2
        if plan.zone[middle].since <= instant:
            low = middle
        else:
            high = middle
    return instant + (plan.zone[low].ahead if high else 0)


@called
def list_days(sweep: Sweep) -> None:
    """Number the days on which the facts of one entity occurred, in each group that counts them."""
    plan, state, lists = sweep.plan, sweep.state, sweep.lists
    for touched in range(state.sizes[0]):
        group = state.touched[touched]
        if not plan.groups[group].days:
            continue
        own, days = state.groups[group], 0
        for place in range(own.listed, own.listed + own.length):
            day = local_time(plan, lists.members[place].occurred) // DAY_US
            # Clocks that are set back show a day again that was over: it is among the latest, though not the last.
            known = own.listed + days - 1
            while known >= own.listed and lists.day[known] != day and lists.day[known] >= day - 2:
                known -= 1
            if known < own.listed or lists.day[known] != day:
                known = own.listed + days
                lists.day[known] = day
                days += 1
            lists.day_place[place] = known
        _clear_days(sweep, group)


@inlined
def _clear_days(sweep: Sweep, group: int) -> None:
    plan, own = sweep.plan, sweep.state.groups[group]
    for window in range(plan.groups[group].windows_begin, plan.groups[group].windows_end):
        row = DAYS - plan.windows[window].row
        if row >= 0:
            for place in range(own.listed, own.listed + own.length):
                sweep.lists.active[row, place] = 0


@called
def count_day(sweep: Sweep, place: int, window: int, sign: int) -> None:
    """Note that a fact enters or leaves a window that counts days."""
    active, row, day = sweep.lists.active, DAYS - sweep.plan.windows[window].row, sweep.lists.day_place[place]
    before = active[row, day]
    active[row, day] = before + sign
    if before == 0:
        sweep.state.windows[window].distinct += 1
    elif before + sign == 0:
        sweep.state.windows[window].distinct -= 1
