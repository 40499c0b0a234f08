"""Agreement is measured as others measure it."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from tests.training.replay.histories import drawn, entrant, rows_of, weeks_of
from training.replay import replay
from training.replay.agreement import agreement, places, rank_correlation
from training.statistics.scoring_metrics import EvaluationRows


def agreed(rows, ours, theirs, *, days=20, capacity=3.0):
    weeks = weeks_of(rows, days)
    scores = tuple(entrant("one", score).score for score in (ours, theirs))
    calls = tuple(replay(score, weeks, capacity_per_day=capacity) for score in scores)
    standing = tuple(places(score) for score in scores)
    return agreement(scores, standing, calls=calls, weeks=weeks, judged=EvaluationRows.of(rows)), calls, weeks


def test_rank_correlation_equals_scipys_also_with_equal_scores():
    generator = np.random.default_rng(0)
    one, other = generator.integers(5, size=500), generator.normal(size=500)
    mixed = one + other
    for theirs in (other, mixed):
        expected = spearmanr(one, theirs).statistic
        assert rank_correlation(places(one), places(theirs)) == pytest.approx(expected)


def test_equal_scorers_agree_wholly_and_opposite_ones_do_not():
    rows, quality = drawn(800, 20)
    same, *_ = agreed(rows, quality, np.exp(quality))
    assert same.as_json() == {"rank_correlation": 1, "calls_in_common": 1, "top_tenth_in_common": 1}
    against, *_ = agreed(rows, quality, -quality)
    assert against.rank_correlation == pytest.approx(-1)
    assert against.top_tenth_in_common == 0


def test_calls_in_common_are_counted_in_leads_of_the_company():
    rows, quality = drawn(800, 20)
    found, (ours, theirs), weeks = agreed(rows, quality, quality + np.random.default_rng(3).normal(size=len(rows)))
    ours_called, theirs_called = set(np.flatnonzero(ours.called)), set(np.flatnonzero(theirs.called))
    both = sum(weeks.weight[lead] for lead in ours_called & theirs_called)
    assert found.calls_in_common == pytest.approx(both / sum(weeks.weight[lead] for lead in ours_called))
    assert 0 < found.calls_in_common < 1


def test_where_there_is_nothing_to_compare_there_is_no_number():
    rows = rows_of({"seen": [0.0]}, {"seen": [0.0]})
    found, *_ = agreed(rows, [1, 1], [1, 2], days=0)
    assert found.rank_correlation is None
    assert found.calls_in_common is None
