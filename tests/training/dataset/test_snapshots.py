"""Snapshots stand for all open leads on all days, and no choice of a row knows what came after it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.importing.history_period import HistoryPeriod
from data.instants import DAY_US
from data.lifecycle.open_times import OpenTimes
from tests.training.small import activities, day, leads, outcomes, playbook, until
from training.dataset.moments import Moments
from training.dataset.snapshots import MOST_ROWS, STRATA_DAYS, take_snapshots

CUTOFF = 200.0


def moments(who, did, reached=()):
    business = playbook()
    times = OpenTimes.of(activities(*did), outcomes(*reached), business.lifecycle)
    return Moments.of(leads(*who), activities(*did), times=times, business=business)


def taken(who, did, reached=(), *, cutoff=CUTOFF, seed=1, most=MOST_ROWS):
    return take_snapshots(moments(who, did, reached), period=until(cutoff), seed=seed, most=most)


def instants(frame) -> list[tuple[str, int]]:
    return list(zip(frame["lead_id"], frame["as_of"], strict=True))


days = st.floats(0, 150, allow_nan=False)
visits = st.lists(st.tuples(st.sampled_from("abc"), days, st.sampled_from(["visit", "crawl"])), max_size=25)
closings = st.lists(st.tuples(st.sampled_from("abc"), days, st.sampled_from(["won", "lost", "met"])), max_size=4)
WHO = (("a", 1.0), ("b", 5.5), ("c", 30.0))


def open_until(lead, reached) -> int | float:
    return min((day(at) for one, at, stage in reached if one == lead and stage != "met"), default=np.inf)


@settings(max_examples=40)
@given(visits, closings, st.integers(0, 5))
def test_each_lead_and_instant_stands_once_in_order(did, reached, seed):
    found = instants(taken(WHO, did, reached, seed=seed))
    assert found == sorted(set(found))


@settings(max_examples=40)
@given(visits, closings)
def test_each_lead_is_seen_as_it_arrives_and_only_while_it_is_open(did, reached):
    found = taken(WHO, did, reached, cutoff=100)
    arrived = {lead: day(at) for lead, at in WHO}
    for lead, as_of in instants(found):
        assert arrived[lead] < as_of <= day(100)
        assert as_of < open_until(lead, reached)
    open_at_arrival = {lead for lead in arrived if arrived[lead] + 1 < open_until(lead, reached)}
    assert {(lead, arrived[lead] + 1) for lead in open_at_arrival} <= set(instants(found))


@settings(max_examples=40)
@given(visits, closings)
def test_each_row_names_the_latest_moment_before_it_and_the_stratum_it_was_drawn_in(did, reached):
    weights = {(high - low) / chance: (low, high) for low, high, chance in STRATA_DAYS}
    for row in taken(WHO, did, reached).itertuples():
        known = [at for one, at in WHO if one == row.lead_id] + [
            at for one, at, kind in did if (one, kind) == (row.lead_id, "visit")
        ]
        assert row.arrived_at == day(dict(WHO)[row.lead_id])
        assert row.moment_at == max(day(at) for at in known if row.arrived_at <= day(at) < row.as_of)
        silent = (row.as_of - row.moment_at) / DAY_US
        low, high = weights.get(row.weight, (28.0, np.inf) if row.weight > 1 else (0.0, 1e-9))
        assert low <= silent <= high


def test_a_lead_that_comes_back_after_it_was_lost_has_snapshots_again_until_it_is_lost_again():
    who = [(f"lead {number}", 0.0) for number in range(300)]
    did = [(lead, at, kind) for lead, _ in who for at, kind in ((25, "visit"), (40, "demo"), (70, "demo"))]
    lost = [(lead, at, "lost") for lead, _ in who for at in (20, 60)]
    won = [(lead, 80.0, "won") for lead, _ in who]
    found = taken(who, did, [*lost, *won])["as_of"]
    assert not (found.between(day(20), day(40)) | found.between(day(60), day(70)) | (found >= day(80))).any()
    for begin, end in ((0, 20), (40, 60), (70, 80)):
        assert found.between(day(begin), day(end), inclusive="neither").any()


@settings(max_examples=40)
@given(visits, closings)
def test_a_kind_that_may_not_be_used_changes_nothing(did, reached):
    usable = [one for one in did if one[2] == "visit"]
    assert instants(taken(WHO, did, reached)) == instants(taken(WHO, usable, reached))


@settings(max_examples=40)
@given(visits, closings, days)
def test_what_comes_later_changes_no_earlier_snapshot(did, reached, now):
    """A row is chosen by what was known by then; only so do the rows of winners and losers compare."""
    before = [one for one in did if one[1] < now]
    earlier = [one for one in instants(taken(WHO, did, reached)) if one[1] <= day(now)]
    so_far = [one for one in reached if one[1] < now]
    assert earlier == [one for one in instants(taken(WHO, before, so_far)) if one[1] <= day(now)]


def lead_days(did, reached, *, cutoff=CUTOFF):
    """Return for a lead known on day 0 how long it was open at each length of silence, by hand: (edges, days)."""
    edges = np.array([0.0, 0.25, 1, 3, 7, 14, 28, 56, 1_000])
    end = min([cutoff, *(at for _, at, _ in reached)])
    known = [at for at in [0.0, *(at for _, at, kind in did if kind == "visit")] if at < end]
    spans = np.diff([*sorted(known), end])
    return edges, np.clip(spans[:, None] - edges[None, :-1], 0, np.diff(edges)).sum(axis=0)


@pytest.mark.parametrize(
    ("did", "reached"),
    [
        ([], []),
        ([("a", at, "visit") for at in (0.1, 0.2, 0.21, 9.0, 40.0, 41.5, 130.0)], [("a", 171.0, "lost")]),
        ([("a", at / 24, "visit") for at in range(1, 200)], [("a", 60.0, "won")]),
    ],
)
@pytest.mark.parametrize("most", [MOST_ROWS, 20_000])
def test_weights_add_up_to_the_days_of_open_leads_at_each_length_of_silence(did, reached, most):
    """The estimate of a population is unbiased, whatever leads did: a burst, a long silence, a closing midway."""
    several = 4_000
    who = [(f"lead {number}", 0.0) for number in range(several)]
    found = taken(
        who,
        [(lead, at, kind) for lead, _ in who for _, at, kind in did],
        [(lead, at, stage) for lead, _ in who for _, at, stage in reached],
        most=most,
    )
    edges, true = lead_days(did, reached)
    arrival = (found["as_of"] == found["arrived_at"] + 1).to_numpy()
    assert found["weight"][arrival].sum() == pytest.approx(several, rel=0.05)
    silences = found[~arrival]
    cell = np.searchsorted(edges, (silences["as_of"] - silences["moment_at"]) / DAY_US, side="right") - 1
    for at, expected in enumerate(true):
        weight = silences["weight"][cell == at]
        noise = np.sqrt((weight**2).sum()) / several
        assert weight.sum() / several == pytest.approx(expected, abs=5 * noise + 1e-9)


def test_more_rows_than_the_most_are_thinned_alike():
    who = [(f"lead {number}", number / 100) for number in range(5_000)]
    found = taken(who, [], most=8_000)
    arrivals = found[found["as_of"] == found["arrived_at"] + 1]
    assert len(found) == pytest.approx(8_000, rel=0.05)
    assert len(arrivals) == pytest.approx(2_000, rel=0.1)
    assert arrivals["weight"].unique().tolist() == [2.5]


def test_only_the_period_has_snapshots():
    old = [("a", -3_000.0)]
    found = take_snapshots(moments(old, []), period=HistoryPeriod(day(0), day(100)), seed=1)
    assert found["as_of"].between(day(0), day(100)).all()
    assert found["weight"].sum() == pytest.approx(100, abs=28)


def test_another_seed_draws_other_moments():
    did = [("a", number + part / 10, "visit") for number in range(2, 60) for part in range(5)]
    assert instants(taken(WHO, did, seed=1)) != instants(taken(WHO, did, seed=2))
