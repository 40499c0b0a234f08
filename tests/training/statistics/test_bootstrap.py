"""Intervals hold the truth as often as they say, also where rows of one account repeat one story."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

import training.statistics.bootstrap
from training.statistics.bootstrap import Ranking, Ratios, group_sums, interval, resamples, spread
from training.statistics.estimate import NO_ESTIMATE, Estimate
from training.statistics.scoring_metrics import losses


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
        holds.append(found.low <= 0.25 <= found.high)
    assert 0.89 <= np.mean(holds) <= 0.99


def test_intervals_of_auc_and_log_loss_hold_the_truth_at_least_90_times_in_100():
    """Worlds whose accounts share both their chances and their luck; the truth is that of a very large one."""

    def world(seed, groups, each=6):
        generator = np.random.default_rng(seed)
        group = np.repeat(np.arange(groups), each)
        chance = generator.beta(1, 4, groups)[group] * generator.uniform(0.5, 1.0, len(group))
        return chance, (generator.random(groups)[group] < chance).astype(float), group

    def numbers(chance, label, group):
        ones = np.ones_like(chance)
        ranking = Ranking.of(chance, label, weight=ones, group=group)
        ratios = Ratios.of({"log_loss": (losses(chance, label), ones)}, group)
        return lambda counts: np.column_stack([ranking.at(counts)[:, 0], ratios.at(counts)])

    truth = numbers(*world(1, 200_000))(np.ones((1, 200_000)))[0]
    holds = np.zeros(2)
    for seed in range(100):
        measure = numbers(*world(10 + seed, 250))
        values, drawn = measure(np.ones((1, 250)))[0], spread(measure, 250, times=200, seed=seed)
        for at in (0, 1):
            found = interval(drawn[:, at], values[at])
            holds[at] += found.low <= truth[at] <= found.high
    assert (holds >= 90).all(), holds


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


@pytest.mark.parametrize("kind", [0.0, 1.0])
def test_one_class_has_no_auc(kind):
    ranking = Ranking.of(np.arange(3.0), np.full(3, kind), weight=np.ones(3), group=np.arange(3))
    assert np.isnan(ranking.at(np.ones(3))).all()


def test_resampled_numbers_are_those_of_the_rows_copied_and_judged_by_scikit_learn():
    """The slow way: take the rows of each drawn account, as often as it was drawn, and start over."""
    label, group = accounts(np.random.default_rng(8), groups=80)
    chance = np.clip(np.random.default_rng(9).random(len(label)).round(2) + 0.2 * label, 0.01, 0.99)
    ones = np.ones_like(label)
    ranking = Ranking.of(chance, label, weight=ones, group=group)
    ratios = Ratios.of({"log_loss": (losses(chance, label), ones)}, group)
    found = spread(lambda counts: np.column_stack([ranking.at(counts), ratios.at(counts)]), 80, times=19, seed=3)
    for counts, numbers in zip(resamples(80, 19, seed=3), found, strict=True):
        rows = np.repeat(np.arange(len(label)), counts[group].astype(int))
        expected = [score(label[rows], chance[rows]) for score in (roc_auc_score, average_precision_score, log_loss)]
        assert numbers == pytest.approx(expected, abs=1e-12)


@given(
    scores=st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 3)), min_size=2, max_size=30),
    times=st.lists(st.integers(0, 4), min_size=4, max_size=4),
)
def test_the_auc_is_the_share_of_pairs_in_the_right_order(scores, times):
    """By its definition, one pair after the other; equal scores are half right."""
    score, label, group = (np.array(column) for column in zip(*scores, strict=True))
    used = np.array(times, dtype=float)[group]
    found = Ranking.of(score.astype(float), label.astype(float), weight=np.ones(len(score)), group=group).at(
        np.array(times, dtype=float)
    )[0]
    good, bad = label & (used > 0), ~label & (used > 0)
    if not (good.any() and bad.any()):
        assert np.isnan(found)
        return
    pairs = np.outer(used[good], used[bad])
    right = (score[good][:, None] > score[bad]) + 0.5 * (score[good][:, None] == score[bad])
    assert found == pytest.approx((pairs * right).sum() / pairs.sum())


def test_numbers_are_the_same_bits_however_many_resamples_are_measured_at_once(monkeypatch):
    label, group = accounts(np.random.default_rng(4))
    ranking = Ranking.of(label + 0.1 * group, label, weight=np.ones_like(label) / 3, group=group)
    ratios = Ratios.of({"rate": (label / 3, np.ones_like(label) / 7)}, group)

    def measured():
        return spread(lambda counts: np.column_stack([ranking.at(counts), ratios.at(counts)]), 150, times=50, seed=1)

    whole = measured()
    monkeypatch.setattr(training.statistics.bootstrap, "_BATCH", 8)
    assert (measured() == whole).all()
    monkeypatch.setattr(training.statistics.bootstrap, "_CELLS", 150 * 11)
    monkeypatch.setattr(training.statistics.bootstrap, "_BATCH", 64)
    assert (measured() == whole).all()


def test_it_is_told_how_many_resamples_are_done():
    counts_done = []
    spread(lambda counts: counts[:, :1], 10, times=150, seed=1, on_measured=counts_done.append)
    assert counts_done == [64, 128, 150]


def test_sums_of_groups_equal_a_matrix_product():
    generator = np.random.default_rng(2)
    counts, table = generator.poisson(1, (5, 30)).astype(float), generator.normal(size=(30, 4))
    assert group_sums(counts, table) == pytest.approx(counts @ table)
    assert group_sums(counts[0], table) == pytest.approx(counts[0] @ table)


def test_ratios_sum_an_array_once_however_often_it_is_used():
    label, group = accounts(np.random.default_rng(3))
    ones = np.ones_like(label)
    ratios = Ratios.of({"rate": (label, ones), "odds": (label, 1 - label), "whole": (ones, ones)}, group)
    assert ratios.sums.shape == (150, 3)
    assert ratios.values == pytest.approx([label.mean(), label.sum() / (1 - label).sum(), 1])
    assert ratios.sums[:, 0] == pytest.approx(np.bincount(group, weights=label))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_finite_values_have_the_quantiles_of_numpy(values):
    found = interval(np.array(values), 0.0)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])), rel=1e-9, abs=1e-6)


def test_what_does_not_exist_is_none():
    assert interval(np.array([np.nan, np.nan]), np.nan) == NO_ESTIMATE
    assert interval(np.array([1.0, 2.0]), np.nan) == NO_ESTIMATE
    assert interval(np.array([1.0, np.nan, 1.0]), 1.0) == Estimate(value=1.0, low=1.0, high=1.0)
    assert interval(np.array([np.inf] * 50), np.inf) == NO_ESTIMATE
