"""Intervals hold the truth as often as they say, also where rows of one account repeat one story."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from training.bootstrap import Ranking, Ratios, interval, resamples, spread


def accounts(generator, groups=150, each=6):
    """Rows of accounts that share a chance: (label, group)."""
    group = np.repeat(np.arange(groups), each)
    chance = generator.beta(1, 3, groups)[group]
    return (generator.random(groups * each) < chance).astype(float), group


def test_the_95_percent_interval_holds_the_truth_about_95_times_in_100():
    """With rows resampled one by one it would hold it some 80 times."""
    generator, holds = np.random.default_rng(5), []
    for seed in range(200):
        label, group = accounts(generator)
        ratios = Ratios.of({"rate": (label, np.ones_like(label))}, group)
        found = interval(spread(ratios.at, 150, times=200, seed=seed)[:, 0], ratios.values[0])
        holds.append(found["low"] <= 0.25 <= found["high"])
    assert 0.89 <= np.mean(holds) <= 0.99


def test_each_resample_draws_as_many_accounts_as_there_are():
    for counts in resamples(40, 5, seed=1):
        assert counts.sum() == 40


@pytest.mark.parametrize("ties", [False, True])
def test_weighed_ranking_numbers_equal_scikit_learn(ties):
    generator = np.random.default_rng(1)
    label, group = accounts(generator)
    score = generator.random(len(label)) + 0.3 * label
    score = score.round(1) if ties else score
    weight = generator.choice([1.0, 2.5], len(label))
    ranking = Ranking.of(score, label, weight=weight, group=group)
    counts = next(iter(resamples(150, 1, seed=2)))
    for times in (np.ones(150), counts):
        used = weight * times[group]
        auc, precision = ranking.at(times)
        assert auc == pytest.approx(roc_auc_score(label, score, sample_weight=used), abs=1e-12)
        assert precision == pytest.approx(average_precision_score(label, score, sample_weight=used), abs=1e-12)


def test_one_class_has_no_auc():
    ranking = Ranking.of(np.arange(3.0), np.ones(3), weight=np.ones(3), group=np.arange(3))
    assert np.isnan(ranking.at(np.ones(3))).all()
