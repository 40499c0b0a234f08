"""The simulated days: every open lead changes and leaves traces."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from data.instants import DAY_US, SECOND_US
from data.simulation.arrays import Flags, Floats, Ints, office_time_us, pick, time_of_day_us
from data.simulation.people import People
from data.simulation.process import OPEN_STAGES, DayKind, DayRates, Intent, Stage, day_rates
from data.simulation.touches import MAIL, WEB, Touch, touch_rates

TRIAL_DAYS = 21
NEVER = -1
_SELLING_SHARE, _SELLING_DAYS = 0.75, 12.0  # with how many qualified leads sales goes on, for how long
_SOON = 0.05  # part of the rest of the day that marketing takes to notice a demo request
_FIRST_VISIT = (Touch.BLOG, Touch.PRODUCT, Touch.DOCS, Touch.CUSTOMERS, Touch.PRICING, Touch.CAREERS)
_FIRST_VISITS, _FIRST_VISIT_US = 0.85, 90 * SECOND_US


@dataclass(frozen=True, slots=True)
class Touches:
    """What happened between leads and the company, one position per touch."""

    lead: Ints
    what: Ints
    at_us: Ints
    """microseconds since the start of the history"""


@dataclass(frozen=True, slots=True)
class Transitions:
    """The stages that leads reached, one position per stage reached."""

    lead: Ints
    stage: Ints
    at_us: Ints


@dataclass(frozen=True, slots=True)
class Sightings:
    """The hidden state of open leads at midnights, before anything of that day happened."""

    lead: Ints
    day: Ints
    season: Ints
    intent: Ints
    stage: Ints
    warm: Ints


@dataclass(frozen=True, slots=True)
class SimulatedHistory:
    """Everything that truly happened, before any tool wrote it down."""

    touches: Touches
    moves: Transitions
    sightings: Sightings


@dataclass(slots=True)
class _World:
    """The hidden state of everybody, changed day by day."""

    people: People
    rng: np.random.Generator
    season: Ints
    intent: Ints
    stage: Ints
    warm: Ints
    trial_until: Ints
    unsubscribed: Flags
    selling_until: Ints
    touches: list[tuple[Ints, Ints, Ints]] = field(default_factory=list)
    moves: list[tuple[Ints, Ints, Ints]] = field(default_factory=list)
    sightings: list[tuple[Ints, ...]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Draws:
    """What chance brought to the open leads on one day."""

    asks: Flags
    mql: Flags
    srl: Flags
    called: Flags
    talks: Flags
    cools: Flags
    goal: Flags
    dropped: Flags
    intent: Ints


def live_through(
    rng: np.random.Generator,
    people: People,
    days: Sequence[DayKind],
    *,
    sight_every_days: int,
    progress: Callable[[str], None] | None = None,
) -> SimulatedHistory:
    """
    Simulate day after day and record what happens.

    Args:
        rng: where chance comes from.
        people: n leads and their accounts.
        days: the kind of each day, in order.
        sight_every_days: how often the hidden state of open leads is noted.
        progress: called after each month.
    """
    world = _first_state(rng, people)
    rates = {kind: (day_rates(kind), touch_rates(kind)) for kind in set(days)}
    _first_visits(world)
    started = _account_starts(people)
    for day, kind in enumerate(days):
        moves, touches = rates[kind]
        working = np.flatnonzero((people.first_day <= day) & (day < world.selling_until))
        is_open = world.stage[working] < OPEN_STAGES
        leads = working[is_open]
        if day % sight_every_days == 0:
            _sight(world, leads, day)
        _touch(world, working, day, rates=touches)
        _sell(world, working[~is_open], day, rates=moves)
        _move(world, leads, day, rates=moves)
        _change_season(world, started <= day, rates=moves)
        if progress is not None and day % 30 == 0:
            progress(f"simulated {day} of {len(days)} days")
    return _history(world)


def _first_state(rng: np.random.Generator, people: People) -> _World:
    n = len(people)
    return _World(
        people=people,
        rng=rng,
        season=people.season.copy(),
        intent=people.first_intent.copy(),
        stage=np.full(n, Stage.NEW, dtype=np.int64),
        warm=np.zeros(n, dtype=np.int64),
        trial_until=np.full(n, NEVER, dtype=np.int64),
        unsubscribed=np.zeros(n, dtype=np.bool_),
        selling_until=np.full(n, np.iinfo(np.int64).max),
    )


def _account_starts(people: People) -> Ints:
    """Return the first whole day of each account."""
    starts = np.full(len(people.season), np.iinfo(np.int64).max)
    np.minimum.at(starts, people.account, people.first_day)
    return starts


def _first_visits(world: _World) -> None:
    """Record the visit to the website with which most leads arrive."""
    people, rng = world.people, world.rng
    visits = touch_rates(DayKind(weekend=False, drift=0))[people.types, people.first_intent][:, list(_FIRST_VISIT)]
    leads = np.flatnonzero((rng.random(len(people)) < _FIRST_VISITS) & (visits.sum(axis=1) > 0))
    page = pick(rng, visits[leads])
    at_us = people.created_us[leads] + rng.exponential(_FIRST_VISIT_US, len(leads)).astype(np.int64)
    world.touches.append((leads, np.array(_FIRST_VISIT, dtype=np.int64)[page], at_us))


def _sight(world: _World, leads: Ints, day: int) -> None:
    season = world.season[world.people.account[leads]]
    state = (world.intent[leads], world.stage[leads], world.warm[leads])
    world.sightings.append((leads, np.full(len(leads), day), season, *state))


def _touch(world: _World, leads: Ints, day: int, *, rates: Floats) -> None:
    """Draw the touches of one day from the rates of each lead."""
    people, rng = world.people, world.rng
    expected = rates[people.types[leads], world.intent[leads]]
    expected[:, MAIL] *= people.mail_habit[leads, None] * ~world.unsubscribed[leads, None]
    expected[:, WEB] *= people.web_habit[leads, None]
    expected[:, Touch.TRIAL] *= world.trial_until[leads] == NEVER
    expected[:, Touch.TRIAL_USE] *= world.trial_until[leads] > day
    expected[:, Touch.MEETING] *= world.stage[leads] >= Stage.SRL
    counts = rng.poisson(expected)
    counts[:, Touch.TRIAL] = counts[:, Touch.TRIAL] > 0
    counts[:, Touch.UNSUBSCRIBE] = counts[:, Touch.UNSUBSCRIBE] > 0
    row, what = np.nonzero(counts)
    lead, what = np.repeat(leads[row], counts[row, what]), np.repeat(what, counts[row, what])
    world.trial_until[lead[what == Touch.TRIAL]] = day + TRIAL_DAYS
    world.unsubscribed[lead[what == Touch.UNSUBSCRIBE]] = True
    office = what == Touch.MEETING
    time_us = np.where(office, office_time_us(rng, len(lead)), time_of_day_us(rng, len(lead)))
    world.touches.append((lead, what, day * DAY_US + time_us))


def _sell(world: _World, leads: Ints, day: int, *, rates: DayRates) -> None:
    """Record the calls that reps go on making to leads they have qualified."""
    called = leads[world.rng.random(len(leads)) < rates.call[Stage.SRL, Intent.EVALUATING]]
    _call(world, called, day, talked=world.rng.random(len(called)) < rates.talk.mean())


def _move(world: _World, leads: Ints, day: int, *, rates: DayRates) -> None:
    """Draw the hidden moves of one day, all from the state at its start, and record what follows from them."""
    drawn = _draw(world, leads, rates=rates)
    _call(world, leads[drawn.called], day, talked=drawn.talks[drawn.called])
    asked_us = _ask(world, leads[drawn.asks], day)
    stage = world.stage[leads]
    to_srl = (stage < Stage.SRL) & (drawn.asks | (drawn.srl & (stage == Stage.MQL)))
    to_mql = (stage == Stage.NEW) & (drawn.asks | drawn.mql)
    stays = ~drawn.goal & ~drawn.dropped
    _note_stages(world, leads, day, reached=(to_mql & stays, to_srl & stays), demo_requests=(drawn.asks, asked_us))
    _close(world, leads, day, goal=drawn.goal, dropped=drawn.dropped)
    next_stage = np.where(to_srl, Stage.SRL, np.where(to_mql, Stage.MQL, stage))
    world.stage[leads] = np.where(drawn.goal, Stage.SQL, np.where(drawn.dropped, Stage.DISQUALIFIED, next_stage))
    world.warm[leads] = (drawn.called & drawn.talks) | ((world.warm[leads] == 1) & ~drawn.cools)
    world.intent[leads] = drawn.intent


def _draw(world: _World, leads: Ints, *, rates: DayRates) -> _Draws:
    """Draw each hidden move of these leads, independent of the others."""
    people, rng = world.people, world.rng
    types, fit, rep = people.types[leads], people.fit[leads], people.rep_quality[leads]
    season, intent = world.season[people.account[leads]], world.intent[leads]
    stage, warm = world.stage[leads], world.warm[leads]

    def happens(chance: Floats | float) -> Flags:
        return rng.random(len(leads)) < chance

    goal = happens(rates.goal[types, fit, stage, intent, warm])
    return _Draws(
        asks=happens(rates.demo[types, intent]),
        mql=happens(rates.mql[types, intent]),
        srl=happens(rates.srl[types, intent]),
        called=happens(rates.call[stage, intent]),
        talks=happens(rates.talk[rep]),
        cools=happens(rates.cools),
        goal=goal,
        dropped=happens(rates.drop[types, stage, intent]) & ~goal,
        intent=pick(rng, rates.intent[fit, season, warm, intent]),
    )


def _call(world: _World, leads: Ints, day: int, *, talked: Flags) -> None:
    what = np.where(talked, Touch.TALK, Touch.CALL)
    world.touches.append((leads, what, day * DAY_US + office_time_us(world.rng, len(leads))))


def _ask(world: _World, leads: Ints, day: int) -> Ints:
    """Record the demo requests of one day and return their instants."""
    at_us = day * DAY_US + time_of_day_us(world.rng, len(leads))
    world.touches.append((leads, np.full(len(leads), Touch.DEMO), at_us))
    return at_us


def _note_stages(
    world: _World, leads: Ints, day: int, *, reached: tuple[Flags, Flags], demo_requests: tuple[Flags, Ints]
) -> None:
    """Record the leads that became marketing-qualified or sales-ready; after a demo request, right after it."""
    to_mql, to_srl = reached
    demo, asked_us = demo_requests
    mql_us = day * DAY_US + office_time_us(world.rng, len(leads))
    left = (day + 1) * DAY_US - asked_us
    mql_us[demo] = asked_us + (left * _SOON * world.rng.random(len(left))).astype(np.int64)
    after = mql_us + (((day + 1) * DAY_US - mql_us) * _SOON * world.rng.random(len(leads))).astype(np.int64)
    for flags, stage, instants in ((to_mql, Stage.MQL, mql_us), (to_srl, Stage.SRL, after)):
        world.moves.append((leads[flags], np.full(int(flags.sum()), stage), instants[flags]))


def _close(world: _World, leads: Ints, day: int, *, goal: Flags, dropped: Flags) -> None:
    """Record the leads that reached the goal or were disqualified, and how long sales goes on with them."""
    rng = world.rng
    for flags, stage in ((goal, Stage.SQL), (dropped, Stage.DISQUALIFIED)):
        count = int(flags.sum())
        world.moves.append((leads[flags], np.full(count, stage), day * DAY_US + office_time_us(rng, count)))
    won = int(goal.sum())
    goes_on = (rng.random(won) < _SELLING_SHARE) * rng.exponential(_SELLING_DAYS, won)
    world.selling_until[leads[goal]] = day + 1 + np.ceil(goes_on).astype(np.int64)
    world.selling_until[leads[dropped]] = day


def _change_season(world: _World, started: Flags, *, rates: DayRates) -> None:
    drawn = world.rng.random(len(world.season))
    buying = drawn < rates.season[world.season, 1]
    world.season = np.where(started, buying.astype(np.int64), world.season)


def _history(world: _World) -> SimulatedHistory:
    touches = Touches(*(np.concatenate(column) for column in zip(*world.touches, strict=True)))
    moves = Transitions(*(np.concatenate(column).astype(np.int64) for column in zip(*world.moves, strict=True)))
    columns = zip(*world.sightings, strict=True)
    return SimulatedHistory(touches, moves, Sightings(*(np.concatenate(column) for column in columns)))
