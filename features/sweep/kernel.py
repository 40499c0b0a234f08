"""
One sweep: the facts of a lead, or of all leads of an account, in the order in which they became known.

Each fact enters and leaves every window once, so the cost grows with the facts and the snapshots, not with their
product. History, the live store, previews and replays all come through here.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.compiled_loops import called, compiled_kernel, compiled_when_called, inlined, sources_of
from features.catalog import Catalog
from features.sweep import (
    operations,
    sweep_days,
    sweep_order,
    sweep_order_values,
    sweep_sequences,
    sweep_state,
    sweep_steps,
    sweep_values,
)
from features.sweep import plan as plan_module
from features.sweep.plan import PlanArrays, compile_plan
from features.sweep.sweep_state import BLOCKS, NOBODY, Facts, Sizes, State, Sweep
from features.sweep.sweep_steps import advance, enter, forget, leave, list_facts, rank_again
from features.sweep.sweep_values import take_others, write_features
from features.sweep.sweep_workspace import SweepWorkspace, SweptEntity


class Snapshots(NamedTuple):
    """
    Instants at which leads are described, sorted by lead or account, then by instant.

    Attributes:
        start: (entities + 1,) where the snapshots of each begin.
        as_of: (m,) [us since 1970 UTC].
        row: (m,) the row of the result that each is written to.
        lead: (m,) the number of its lead within the account; empty in a sweep over leads.
    """

    start: NDArray[np.int64]
    as_of: NDArray[np.int64]
    row: NDArray[np.int64]
    lead: NDArray[np.int32]


class Moves(NamedTuple):
    """
    When leads join an account and leave it; without entries in a sweep over leads.

    Attributes:
        start: (entities + 1,) where the moves of each account begin.
        at: (moves,) when it became known, ascending in each account [us since 1970 UTC].
        lead: (moves,) the number of the lead within the account.
        joins: (moves,) whether it joins; else it leaves.
        leads: (entities,) how many leads ever belonged to each.
    """

    start: NDArray[np.int64]
    at: NDArray[np.int64]
    lead: NDArray[np.int32]
    joins: NDArray[np.uint8]
    leads: NDArray[np.int64]


def sweep(
    plan: PlanArrays, facts: Facts, snapshots: Snapshots, moves: Moves, out: NDArray[np.float64], *, threads: int = 1
) -> None:
    """
    Write the features of every snapshot.

    Args:
        plan: what to compute.
        facts: of each lead; or of all leads that ever belonged to each account.
        snapshots: of each lead, or of the leads of each account.
        moves: when leads joined and left the accounts.
        out: (k, rows) float64; the rows of the snapshots are written.
        threads: how many entities are worked on at once.
    """
    facts, snapshots, moves = Facts(*_plain(facts)), Snapshots(*_plain(snapshots)), Moves(*_plain(moves))
    parts = _split(facts, snapshots, threads)
    if len(parts) == 1:
        _run(plan, facts, snapshots, moves, out, parts[0])
        return
    with ThreadPoolExecutor(len(parts)) as pool:
        done = [pool.submit(_run, plan, facts, snapshots, moves, out, part) for part in parts]
        for each in done:
            each.result()


def _plain(columns: tuple[NDArray[Any], ...]) -> list[NDArray[Any]]:
    """Return columns as the kernel is compiled for them: contiguous and, though only read, writable."""
    return [np.require(column, requirements=["C", "W"]) for column in columns]


def _split(facts: Facts, snapshots: Snapshots, threads: int) -> list[tuple[int, int]]:
    """Share the entities among threads, by the facts and snapshots that they have."""
    entities = len(snapshots.start) - 1
    if threads == 1 or entities < threads:
        return [(0, entities)]
    load = facts.start + snapshots.start
    cuts = np.searchsorted(load, load[-1] * np.arange(1, threads) / threads)
    bounds = np.unique([0, *cuts.tolist(), entities])
    return list(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True))


def sweep_within(
    workspace: SweepWorkspace,
    plan: PlanArrays,
    facts: Facts,
    snapshots: Snapshots,
    moves: Moves,
    out: NDArray[np.float64],
    part: tuple[int, int],
) -> None:
    """Sweep over the entities from ``part[0]`` to ``part[1]``; all columns are contiguous and writable."""
    one = Sweep(plan, facts, workspace.state, workspace.lists, workspace.parts)
    order = _order_by_known(facts.known, facts.start, part[0], part[1])
    _SWEEP(part, order, one, workspace.others, (snapshots, moves), workspace.entity, out)


def _run(
    plan: PlanArrays, facts: Facts, snapshots: Snapshots, moves: Moves, out: NDArray[np.float64], part: tuple[int, int]
) -> None:
    workspace = SweepWorkspace.of(plan, _sizes(plan, facts, moves, part))
    sweep_within(workspace, plan, facts, snapshots, moves, out, part)


def _sizes(plan: PlanArrays, facts: Facts, moves: Moves, part: tuple[int, int]) -> Sizes:
    begin, end = facts.start[part[0]], facts.start[part[1]]
    of_part = facts.start[part[0] : part[1] + 1]
    cells = facts.cell[begin:end]
    return Sizes(
        facts=int(np.diff(of_part).max(initial=0)),
        memberships=_most_together(np.diff(plan.cell_start), cells, of_part - begin),
        ordered=_most_together(ordered_groups(plan), cells, of_part - begin),
        subjects=_most(facts.subject[begin:end]),
        leads=int(moves.leads[part[0] : part[1]].max(initial=0)),
        pairs=_most(facts.pair[begin:end]),
    )


def _most_together(of_cell: NDArray[np.int64], cells: NDArray[np.int32], starts: NDArray[np.int64]) -> int:
    """Return how much the facts of one entity have together at most, given what a fact of each cell has."""
    if not of_cell.any():
        return 0
    summed = np.concatenate([[0], np.cumsum(of_cell[cells])])
    return int(np.diff(summed[starts]).max(initial=0))


def ordered_groups(plan: PlanArrays) -> NDArray[np.int64]:
    """Return in how many groups that keep their order the facts of each cell are."""
    summed = np.concatenate([[0], np.cumsum(plan.groups["ordered"][plan.cell_groups])])
    return np.diff(summed[plan.cell_start])


def _most(numbers: NDArray[np.int32]) -> int:
    return int(numbers.max(initial=-1)) + 1


@inlined
def _sweep_entity(
    at: int,
    order: NDArray[np.int64],
    sweep: Sweep,
    others: State,
    snapshots: Snapshots,
    moves: Moves,
    entity: SweptEntity,
    out: NDArray[np.float64],
) -> None:
    start, stop = sweep.facts.start[at], sweep.facts.start[at + 1]
    list_facts(sweep, start, stop)
    if len(snapshots.lead):
        _list_by_lead(sweep, start, stop, moves.leads[at], entity)
    entered, moved = 0, moves.start[at]
    for snapshot in range(snapshots.start[at], snapshots.start[at + 1]):
        as_of, row = snapshots.as_of[snapshot], out[:, snapshots.row[snapshot]]
        # The windows move first, so that what becomes known too late for a window is never counted in it.
        advance(sweep, as_of)
        while moved < moves.start[at + 1] and moves.at[moved] < as_of:
            _move(sweep, start, moves.lead[moved], moves.joins[moved], entity)
            moved += 1
        while entered < stop - start and sweep.facts.known[order[start + entered]] < as_of:
            _learn(sweep, order[start + entered], start, entity)
            entered += 1
        for feature in range(len(row)):
            row[feature] = sweep.plan.missing[feature]
        if len(snapshots.lead):
            take_others(sweep, snapshots.lead[snapshot], others)
        # In a sweep over leads, the others are the state itself.
        write_features(sweep, as_of, others, row)
    forget(sweep, others, start, stop)


@inlined
def _learn(sweep: Sweep, fact: int, start: int, entity: SweptEntity) -> None:
    """Note that a fact is known; in an account it counts as long as its lead belongs to it."""
    if len(sweep.facts.lead):
        entity.is_known[fact - start] = 1
        if not entity.belongs[sweep.facts.lead[fact]]:
            return
    enter(sweep, fact, start)


@compiled_when_called
def _order_by_known(known: NDArray[np.int64], starts: NDArray[np.int64], begin: int, end: int) -> NDArray[np.int64]:
    """Return the facts of each entity in the order in which they became known."""
    order = np.arange(starts[end])
    for at in range(begin, end):
        start, stop = starts[at], starts[at + 1]
        for fact in range(start + 1, stop):
            if known[fact] < known[fact - 1]:
                order[start:stop] = start + np.argsort(known[start:stop], kind="mergesort")
                break
    return order


@called
def _list_by_lead(sweep: Sweep, start: int, stop: int, leads: int, entity: SweptEntity) -> None:
    """List the facts of an account by lead, and clear what is kept of its leads."""
    facts, state = sweep.facts, sweep.state
    for touched in range(state.sizes[0]):
        for which in range(2):
            best = state.extremes[state.touched[touched], which]
            best.lead, best.other_lead = NOBODY, NOBODY
    for lead in range(leads):
        _clear_lead(sweep, lead)
        entity.belongs[lead] = 0
    entity.lead_start[: leads + 1] = 0
    for fact in range(start, stop):
        entity.is_known[fact - start] = 0
        entity.lead_start[facts.lead[fact] + 1] += 1
    for lead in range(leads):
        entity.lead_start[lead + 1] += entity.lead_start[lead]
    for fact in range(stop - 1, start - 1, -1):
        end = facts.lead[fact] + 1
        entity.lead_start[end] -= 1
        entity.lead_facts[entity.lead_start[end]] = fact
    for lead in range(leads):
        entity.lead_start[lead] = entity.lead_start[lead + 1]
    entity.lead_start[leads] = stop - start


@called
def _clear_lead(sweep: Sweep, lead: int) -> None:
    parts = sweep.parts
    for touched in range(sweep.state.sizes[0]):
        group = sweep.state.touched[touched]
        bounds = sweep.plan.groups[group]
        parts.known[lead, group] = 0
        for window in range(bounds.windows_begin, bounds.windows_end):
            part = parts.windows[lead, window]
            part.count, part.whole, part.billionths, part.values = 0, 0, 0, 0
        for decay in range(bounds.decays_begin, bounds.decays_end):
            for place in range(BLOCKS):
                parts.decays[lead, decay, place].weight = 0
    for row in range(len(parts.alone)):
        parts.alone[row, lead] = 0


@called
def _move(sweep: Sweep, start: int, lead: int, joins: int, entity: SweptEntity) -> None:
    """Count all that is known of a lead as it joins its account, and stop counting it as the lead leaves."""
    entity.belongs[lead] = joins
    for at in range(entity.lead_start[lead], entity.lead_start[lead + 1]):
        fact = entity.lead_facts[at]
        if entity.is_known[fact - start] and joins:
            enter(sweep, fact, start)
        elif entity.is_known[fact - start]:
            leave(sweep, fact, start)
    if not joins:
        rank_again(sweep, lead)


def _kernel(sources: str) -> Callable[..., None]:
    """Return the compiled sweep; ``sources`` is what it is compiled from, besides this file."""

    @compiled_kernel
    def kernel(
        entities: tuple[int, int],
        order: NDArray[np.int64],
        sweep: Sweep,
        others: State,
        of_entities: tuple[Snapshots, Moves],
        entity: SweptEntity,
        out: NDArray[np.float64],
    ) -> None:
        if len(sources) == 0:
            return
        snapshots, moves = of_entities
        for at in range(entities[0], entities[1]):
            if snapshots.start[at] < snapshots.start[at + 1]:
                _sweep_entity(at, order, sweep, others, snapshots, moves, entity, out)

    return kernel


_OF_THE_KERNEL = (sweep_days, sweep_order, sweep_order_values, sweep_sequences, sweep_state, sweep_steps, sweep_values)
_SWEEP = _kernel(sources_of(*_OF_THE_KERNEL, operations, plan_module))


def compile_sweep() -> None:
    """Compile the sweep, or load what an earlier process compiled, so that nobody waits for it later."""
    plan = compile_plan(Catalog(()), "lead").arrays
    nothing, numbers = np.zeros(1, np.int64), np.zeros(0, np.int32)
    none = nothing[:0]
    facts = Facts(nothing, numbers, none, none, np.zeros(0), numbers, numbers, numbers)
    moves = Moves(nothing, none, numbers, np.zeros(0, np.uint8), none)
    sweep(plan, facts, Snapshots(nothing, none, none, numbers), moves, np.zeros((0, 0)))
