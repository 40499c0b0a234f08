"""Agreement is measured as scipy measures it."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from tests.training.replay.histories import drawn, participant, rows_of, weeks_of
from training.replay.agreement import Agreement, agreement, rank_correlation
from training.replay.policy import Policy, score_ranks
from training.statistics.scoring_metrics import EvaluationRows


def agreed(rows, *scores, days=20, capacity=3.0):
    weeks = weeks_of(rows, days)
    policies = [Policy.of(participant("one", score), weeks, capacity_per_day=capacity) for score in scores]
    return agreement(*policies, weeks=weeks, judged=EvaluationRows.of(rows)), policies, weeks


def test_rank_correlation_equals_scipys_also_with_equal_scores():
    generator = np.random.default_rng(0)
    coarse, fine = generator.integers(5, size=500), generator.normal(size=500)
    for other in (fine, coarse + fine):
        expected = spearmanr(coarse, other).statistic
        assert rank_correlation(score_ranks(coarse), score_ranks(other)) == pytest.approx(expected)


def test_equal_scorers_agree_wholly_and_opposite_ones_do_not():
    rows, quality = drawn(800, 20)
    same, *_ = agreed(rows, quality, np.exp(quality))
    assert same == Agreement(rank_correlation=1, calls_in_common=1, top_tenth_in_common=1)
    opposite, *_ = agreed(rows, quality, -quality)
    assert opposite.rank_correlation == pytest.approx(-1)
    assert opposite.top_tenth_in_common == 0


def test_calls_in_common_are_counted_in_leads_of_the_company():
    rows, quality = drawn(800, 20)
    result, policies, weeks = agreed(rows, quality, quality + np.random.default_rng(3).normal(size=len(rows)))
    first, second = (set(np.flatnonzero(policy.calls.called)) for policy in policies)
    both = sum(weeks.weight[lead] for lead in first & second)
    assert result.calls_in_common == pytest.approx(both / sum(weeks.weight[lead] for lead in first))
    assert 0 < result.calls_in_common < 1


def test_where_there_is_nothing_to_compare_there_is_no_number():
    rows = rows_of({"seen": [0.0]}, {"seen": [0.0]})
    result, *_ = agreed(rows, [1, 1], [1, 2], days=0)
    assert result.rank_correlation is None
    assert result.calls_in_common is None
