"""Snapshots stand where serving would score, and no choice of a row knows what came after it."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from data.instants import DAY_US
from tests.training.small import activities, day, leads, outcomes, playbook, until
from training.dataset.snapshots import SILENT_DAYS, take_snapshots

CUTOFF = 200.0


def taken(who, did, reached=(), *, cutoff=CUTOFF, seed=1):
    return take_snapshots(
        leads(*who),
        activities(*did),
        outcomes=outcomes(*reached),
        business=playbook(),
        period=until(cutoff),
        seed=seed,
    )


def instants(frame) -> list[tuple[str, int]]:
    return list(zip(frame["lead_id"], frame["as_of"], strict=True))


days = st.floats(0, 150, allow_nan=False)
visits = st.lists(st.tuples(st.sampled_from("abc"), days, st.sampled_from(["visit", "crawl"])), max_size=25)
closings = st.lists(st.tuples(st.sampled_from("abc"), days, st.sampled_from(["won", "lost", "met"])), max_size=4)
WHO = (("a", 1.0), ("b", 5.5), ("c", 30.0))


@settings(max_examples=40)
@given(visits, closings, st.integers(0, 5))
def test_at_most_one_a_day_per_lead_and_sorted(did, reached, seed):
    found = taken(WHO, did, reached, seed=seed)
    assert not pd.DataFrame({"lead": found["lead_id"], "day": found["as_of"] // DAY_US}).duplicated().any()
    assert instants(found) == sorted(instants(found))


@settings(max_examples=40)
@given(visits, closings)
def test_every_snapshot_is_just_after_something_new_or_in_a_silence(did, reached):
    found = taken(WHO, did, reached)
    moments = {(lead, day(at)) for lead, at, kind in did if kind == "visit"} | {(lead, day(at)) for lead, at in WHO}
    shortest = SILENT_DAYS[0][0] * DAY_US
    for lead, as_of in instants(found):
        silence = as_of - max(at for other, at in moments if other == lead and at < as_of)
        assert silence == 1 or shortest <= silence <= 90 * DAY_US


@settings(max_examples=40)
@given(visits, closings)
def test_none_before_a_lead_is_known_or_after_it_closed_or_after_the_cut_off(did, reached):
    known = {lead: day(at) for lead, at in WHO}
    closed = {lead: min(day(at) for one, at, stage in reached if one == lead and stage != "met")
              for lead in {one for one, _, stage in reached if stage != "met"}}  # fmt: skip
    for lead, as_of in instants(taken(WHO, did, reached, cutoff=100)):
        assert known[lead] < as_of <= day(100)
        assert as_of < closed.get(lead, as_of + 1)


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


def test_half_of_the_days_are_seen_at_their_first_moment_and_a_quarter_at_their_second():
    """The draw is the same for a day with one moment and a day with many, so that neither is favoured."""
    who = [(f"lead {number}", 0.2) for number in range(4_000)]
    did = [(lead, at, "visit") for lead, _ in who for at in (10.1, 10.2, 10.3, 10.4)]
    found = taken(who, did)
    on_the_day = found[(found["as_of"] // DAY_US) == day(10) // DAY_US]
    shares = (on_the_day["as_of"].value_counts() / len(who)).to_dict()
    for at, expected in ((10.1, 1 / 2), (10.2, 1 / 4), (10.3, 1 / 8), (10.4, 1 / 16)):
        assert abs(shares[day(at) + 1] - expected) < 0.03


def test_silence_is_seen_and_no_one_waits_for_a_lead_that_has_come_back():
    who = [(f"lead {number}", 0.0) for number in range(300)]
    quiet = taken(who, [])
    assert quiet["as_of"].between(day(30), day(90)).sum() == len(who)
    back = taken(who, [(lead, 6.0, "visit") for lead, _ in who])
    assert not back["as_of"].between(day(6) + DAY_US, day(6.5) - 1).any()


def test_another_seed_draws_other_moments():
    did = [("a", number + part / 10, "visit") for number in range(2, 60) for part in range(5)]
    assert instants(taken(WHO, did, seed=1)) != instants(taken(WHO, did, seed=2))
