"""Swap sets hold whom one scorer had called and the other had not, and teach by the clearest cases."""

import numpy as np

from tests.training.replay.histories import drawn, weeks_of
from training.replay import replay
from training.replay.agreement import places
from training.replay.disagreements import EXAMPLES, clearest, examples, only


def swapped(seed=0):
    rows, quality = drawn(900, 30, seed=seed)
    other = quality + 2 * np.random.default_rng(seed).normal(size=len(rows))
    weeks = weeks_of(rows, 30)
    return rows, (quality, other), weeks, [replay(one, weeks, capacity_per_day=4) for one in (quality, other)]


def test_a_lead_is_in_one_swap_set_or_none():
    _, _, weeks, (ours, theirs) = swapped()
    sets = [only(ours, theirs), only(theirs, ours), ours.called & theirs.called, ~ours.called & ~theirs.called]
    assert (np.sum(sets, axis=0) == 1).all()
    assert sets[0].any()
    assert sets[1].any()
    assert not only(ours, ours).any()
    assert len(sets[0]) == len(weeks.lead_id)


def test_the_examples_are_those_furthest_apart_in_rank_one_an_account():
    rows, scores, weeks, (ours, theirs) = swapped()
    standing = places(scores[0]), places(scores[1])
    chosen = clearest(only(ours, theirs), ours, places=standing, weeks=weeks)
    apart = {
        lead: standing[0][ours.row[lead]] - standing[1][ours.row[lead]] for lead in np.flatnonzero(only(ours, theirs))
    }
    assert [one.lead for one in chosen] == sorted((one.lead for one in chosen), key=lambda lead: -apart[lead])
    groups = [weeks.group[one.lead] for one in chosen]
    assert len(set(groups)) == len(groups) == EXAMPLES
    least = min(apart[one.lead] for one in chosen)
    assert {weeks.group[lead] for lead, gap in apart.items() if gap > least} <= set(groups)
    for one in chosen:
        assert rows["lead_id"][one.row] == weeks.lead_id[one.lead]
        assert rows["as_of"][one.row] <= weeks.mornings[ours.morning[one.lead]]


def test_what_happened_has_no_say_in_which_examples_are_shown():
    rows, scores, weeks, (ours, theirs) = swapped()
    standing = places(scores[0]), places(scores[1])
    without = weeks_of(rows.assign(goal_at=np.nan), 30)
    blind = replay(scores[0], without, capacity_per_day=4)
    kept = only(ours, theirs) & (blind.row == ours.row)
    chosen = [clearest(kept, one, places=standing, weeks=weeks) for one in (ours, blind)]
    assert chosen[0] == chosen[1]


def test_an_example_says_when_it_was_called_and_what_became_of_it():
    rows, scores, weeks, (ours, theirs) = swapped(seed=2)
    standing = places(scores[0]), places(scores[1])
    chosen = clearest(only(ours, theirs), ours, places=standing, weeks=weeks)
    for one, told in zip(chosen, examples(chosen, ours, receipts=({}, {}), weeks=weeks), strict=True):
        said = told.as_json()
        assert said["called_on"] == weeks.days[ours.morning[one.lead]]
        assert said["reached_goal"] == bool(ours.found[one.lead]) == (said["reached_on"] is not None)
        assert said["ours"] is said["theirs"] is None
        if said["reached_goal"]:
            assert said["called_on"] <= said["reached_on"]
    assert len(rows)
