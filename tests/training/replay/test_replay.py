"""A replay names the scorer that found more, also where the rules win or it may be chance."""

import re
import time

import numpy as np
import pytest

from tests.training.replay.histories import dataset_of, drawn, participant, rows_of
from training.replay.participants import Participants
from training.replay.replay import run_replay
from training.replay.replay_evaluation import ReplayEvaluation

DAYS = 40


def held(rows, *entrants, days=DAYS, capacity=4.0, **more):
    return run_replay(Participants(entrants), dataset_of(rows, days), capacity_per_day=capacity, **more)


@pytest.fixture(scope="module")
def history():
    return drawn(2_000, DAYS)


def noise(rows, seed=1):
    return np.random.default_rng(seed).normal(size=len(rows))


def test_a_model_that_finds_more_wins(history):
    rows, quality = history
    found = held(rows, participant("model, version 3", quality, "model"), participant("desk rules", noise(rows)))
    assert (found.winner, found.decided) == ("model, version 3", True)
    says = found.says
    assert says.startswith("At 4 calls a day over 40 days the model found ")
    assert " the desk rules " in says
    assert " more (" in says
    assert "chance" not in says
    assert found.pairwise[0].conversions_more.low > 0


def test_rules_that_find_more_win_and_it_is_said(history):
    rows, quality = history
    found = held(rows, participant("model", noise(rows), "model"), participant("desk rules", quality))
    assert (found.winner, found.decided) == ("desk rules", True)
    assert found.says.startswith("The point rules win: at 4 calls a day over 40 days the desk rules found ")
    assert found.pairwise[0].conversions_more.high < 0


def test_what_may_be_chance_is_said_to_be(history):
    rows, quality = history
    found = held(rows, participant("model", quality, "model"), participant("desk rules", quality + 0.02 * noise(rows)))
    assert not found.decided
    assert "which may be chance" in found.says


def test_the_model_is_held_against_the_best_of_all_rules(history):
    rows, quality = history
    rivals = [participant("desk rules", noise(rows)), participant("old rules", quality + noise(rows, 2))]
    others = [
        participant("model, version 2 (serves)", quality, "model"),
        participant("learned", 2 * quality, "learned rules"),
    ]
    found = held(rows, participant("model, version 3", quality - 5, "model"), *others, *rivals)
    assert found.winner == "model, version 3"
    assert "the old rules" in found.says


def test_equal_scorers_have_empty_swap_sets_and_no_difference(history):
    rows, quality = history
    found = held(rows, participant("model", quality, "model"), participant("desk rules", quality / 2 + 1))
    (against,) = found.pairwise
    for swap in (against.only_first, against.only_other):
        assert swap.leads == 0
        assert swap.examples == ()
    assert found.says.split(": ")[1].startswith("no difference.")
    assert not found.decided


def test_the_model_stands_alone_where_nobody_else_enters(history):
    rows, quality = history
    found = held(rows, participant("model", quality, "model"))
    assert found.pairwise == ()
    assert found.says.startswith("At 4 calls a day over 40 days the model found ")
    assert not found.decided


def test_weeks_without_a_morning_are_said_to_be_empty():
    rows = rows_of({"seen": [0.0]}, {"seen": [0.1]})
    found = held(rows, participant("model", [1, 2], "model"), participant("desk rules", [2, 1]), days=0.2)
    assert found.days == 0
    assert "no morning" in found.says


def test_the_typed_evaluation_holds_every_participant_and_pair(history):
    rows, quality = history
    heard = []
    content = held(
        rows,
        participant("model", quality, "model"),
        participant("desk rules", noise(rows)),
        participant("base rate", np.zeros(len(rows)), "baseline"),
        progress=lambda *step: heard.append(step),
    )
    assert ReplayEvaluation.model_validate_json(content.model_dump_json()) == content
    assert (content.start, content.days) == ("2026-01-01T00:00:00Z", DAYS)
    assert [result.name for result in content.participants] == ["model", "desk rules", "base rate"]
    for result in content.participants:
        assert result.conversions.value <= content.conversions + 1e-9
    assert [pair.name for pair in content.pairwise] == ["desk rules", "base rate"]
    for pair in content.pairwise:
        for swapped in (pair.only_first, pair.only_other):
            assert swapped.examples
            assert swapped.leads > 0
    assert content.pairwise[1].rank_correlation is None, "the base rate ranks no lead above another"
    assert heard[-1][1] == heard[-1][2]


@pytest.mark.parametrize("seed", range(6))
def test_the_difference_in_words_is_that_of_the_two_numbers_beside_it(seed):
    """40.4 and 41.6 are written as 40 and 42, and 1.2 more as 2 more."""
    rows, quality = drawn(700, DAYS, seed=seed)
    replay = held(rows, participant("model", quality, "model"), participant("desk rules", quality + noise(rows, seed)))
    words = replay.says.partition(" over 40 days ")[2]
    counts = re.search(
        r"found ([\d.,]+) conversions .*? rules ([\d.,]+) \(|found ([\d.,]+) .*? model ([\d.,]+) \(", words
    )
    larger, smaller = (float(text.replace(",", "")) for text in counts.groups() if text)
    difference = re.search(r": ([\d.]+) more|: as many|: no difference", words)
    assert float(difference.group(1) or 0) == pytest.approx(larger - smaller)


def test_six_entrants_on_twenty_thousand_leads_over_115_days_take_seconds():
    rows, quality = drawn(20_000, 115)
    entrants = [participant(f"E{seed}", quality + noise(rows, seed)) for seed in range(6)]
    started = time.process_time()
    held(rows, *entrants, days=115, capacity=20)
    assert time.process_time() - started < 5
