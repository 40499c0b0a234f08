"""Swap sets hold the leads that one scorer had called and the other had not, with the clearest cases as examples."""

import numpy as np
import pytest

from tests.training.replay.histories import drawn, participant, weeks_of
from training.replay.disagreements import EXAMPLES, clearest, examples
from training.replay.policy import Policy
from training.replay.results import only_called_by


def policies_of(rows, quality, weeks, seed=0):
    noisy = quality + 2 * np.random.default_rng(seed).normal(size=len(rows))
    return [Policy.of(participant("scorer", score), weeks, capacity_per_day=4) for score in (quality, noisy)]


def swapped(seed=0):
    rows, quality = drawn(900, 30, seed=seed)
    weeks = weeks_of(rows, 30)
    return rows, quality, weeks, policies_of(rows, quality, weeks, seed)


def test_a_lead_is_in_one_swap_set_or_none():
    _, _, weeks, policies = swapped()
    first, other = (policy.calls for policy in policies)
    both, neither = first.called & other.called, ~first.called & ~other.called
    sets = [only_called_by(first, other), only_called_by(other, first), both, neither]
    assert (np.sum(sets, axis=0) == 1).all()
    assert sets[0].any()
    assert sets[1].any()
    assert not only_called_by(first, first).any()
    assert len(sets[0]) == len(weeks.lead_id)


def test_the_examples_are_those_furthest_apart_in_rank_with_one_per_account():
    rows, _, weeks, (first, other) = swapped()
    chosen = clearest(first, other, weeks=weeks)
    row = first.calls.row
    apart = {
        lead: first.ranks[row[lead]] - other.ranks[row[lead]]
        for lead in np.flatnonzero(only_called_by(first.calls, other.calls))
    }
    assert list(chosen) == sorted(chosen, key=lambda lead: -apart[lead])
    groups = [weeks.group[lead] for lead in chosen]
    assert len(set(groups)) == len(groups) == EXAMPLES
    for outcome in (True, False):
        least = min(apart[lead] for lead in chosen if first.calls.converted[lead] == outcome)
        further = [lead for lead, gap in apart.items() if gap > least and first.calls.converted[lead] == outcome]
        assert {weeks.group[lead] for lead in further} <= set(groups)
    for lead in chosen:
        assert rows["lead_id"][row[lead]] == weeks.lead_id[lead]
        assert rows["as_of"][row[lead]] <= weeks.mornings[first.calls.morning[lead]]


@pytest.mark.parametrize("seed", range(4))
def test_examples_succeed_as_often_as_the_leads_they_stand_for(seed):
    """Five misses would say that the caller is always wrong, five hits that it never is."""
    _, _, weeks, (first, other) = swapped(seed)
    for caller, passing in ((first, other), (other, first)):
        exclusive = only_called_by(caller.calls, passing.calls)
        share = np.average(caller.calls.converted[exclusive], weights=weeks.weight[exclusive])
        hits = sum(bool(caller.calls.converted[lead]) for lead in clearest(caller, passing, weeks=weeks))
        assert hits == min(max(round(EXAMPLES * share), 1), EXAMPLES - 1)


def test_without_outcomes_the_furthest_apart_are_shown():
    """Leads stay on the list until they are closed, and nobody reaches the goal."""
    rows, quality = drawn(900, 30)
    blinded = rows.assign(closed_at=np.fmin(rows["goal_at"], rows["closed_at"]), goal_at=np.nan)
    weeks = weeks_of(blinded, 30)
    assert len(clearest(*policies_of(blinded, quality, weeks), weeks=weeks)) == EXAMPLES


def test_an_example_has_the_date_of_the_call_and_the_outcome():
    _, _, weeks, (first, other) = swapped(seed=2)
    chosen = clearest(first, other, weeks=weeks)
    assert chosen
    for lead, example in zip(chosen, examples(chosen, first.calls, receipts=({}, {}), weeks=weeks), strict=True):
        assert example.called_on == weeks.days[first.calls.morning[lead]]
        converted = bool(first.calls.converted[lead])
        assert converted == (example.reached_on is not None)
        assert example.first_receipt is example.other_receipt is None
        if converted:
            assert example.called_on <= example.reached_on
