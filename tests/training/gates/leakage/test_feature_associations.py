"""Each measure is what a library, or counting by hand, says it is."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, chi2_contingency
from scipy.stats.contingency import association
from sklearn.metrics import roc_auc_score

from tests.training.gates.leakage.planted import attribute, counted
from training.gates.leakage.certainty import lowest_share
from training.gates.leakage.feature_associations import associations, cramers_v
from training.gates.leakage.outcome_arrays import Outcome, distinct, outcomes_of

NUMBER, CATEGORY = attribute("lunch"), attribute("lunch", "category")


def outcome(success, group=None, weight=None):
    success = np.asarray(success, dtype=float)
    each = np.arange(len(success))
    weight = np.ones(len(success)) if weight is None else np.asarray(weight)
    return Outcome("won", success, weight, each if group is None else np.asarray(group), each)


def measured(values, result, feature=NUMBER):
    """Return {measure: largest value}."""
    found = {}
    for each in associations(pd.Series(values), feature, [result]):
        found[each.measure] = max(found.get(each.measure, 0.0), each.value)
    return found


def giving_away(values, result, feature=NUMBER):
    return {each.measure for each in associations(pd.Series(values), feature, [result]) if each.gives_away}


@pytest.mark.parametrize("seed", range(10))
def test_the_auc_is_scikit_learns_whichever_way_round(seed):
    generator = np.random.default_rng(seed)
    values, success = generator.integers(0, 8, 300).astype(float), generator.random(300) < 0.3
    weight = generator.integers(1, 5, 300).astype(float)
    expected = roc_auc_score(success, values, sample_weight=weight)
    for column in (values, -values):
        assert measured(column, outcome(success, weight=weight))["auc"] == pytest.approx(max(expected, 1 - expected))


@pytest.mark.parametrize("seed", range(10))
def test_what_is_missing_is_put_where_it_tells_most(seed):
    generator = np.random.default_rng(seed)
    success = generator.random(300) < 0.3
    values = np.where(generator.random(300) < 0.5, generator.random(300), np.nan)
    filled = [np.where(np.isnan(values), end, values) for end in (-1, 2)]
    known = ~np.isnan(values)
    all_ = [(success, one) for one in filled] + [(success[known], values[known])]
    best = max(abs(roc_auc_score(*pair) - 0.5) for pair in all_)
    assert measured(values, outcome(success))["auc"] == pytest.approx(0.5 + best)


@pytest.mark.parametrize("seed", range(5))
def test_the_correlation_is_pearsons(seed):
    generator = np.random.default_rng(seed)
    success = generator.random(200) < 0.4
    values = success * generator.random() + generator.normal(size=200)
    assert measured(values, outcome(success))["correlation"] == pytest.approx(abs(np.corrcoef(values, success)[0, 1]))


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=2, max_size=6))
def test_cramers_v_is_scipys_with_its_bias_taken_off(counts):
    """Bergsma 2013, step by step."""
    table = np.array(counts, dtype=float)
    n, (rows, columns) = table.sum(), table.shape
    chi2 = chi2_contingency(table, correction=False).statistic
    surprise = max(0.0, chi2 / n - (rows - 1) * (columns - 1) / (n - 1))
    kept = [size - (size - 1) ** 2 / (n - 1) for size in (rows, columns)]
    assert cramers_v(table) == pytest.approx(min(np.sqrt(surprise / (min(kept) - 1)), 1), abs=1e-9)
    assert association(table.astype(int), method="cramer") >= cramers_v(table) - 0.1


@pytest.mark.parametrize("categories", [2, 10, 100])
def test_a_category_of_luck_has_no_cramers_v_however_many_values_it_has(categories):
    generator = np.random.default_rng(categories)
    found = []
    for _ in range(20):
        values = generator.integers(0, categories, 400).astype(str)
        found.append(measured(values, outcome(generator.random(400) < 0.3), CATEGORY)["cramers_v"])
    assert np.mean(found) < 0.1


@pytest.mark.parametrize("n", [10, 20, 100])
@pytest.mark.parametrize("hits", [0, 1, 9, 10])
def test_the_lower_end_of_a_share_is_scipys_exact_one(n, hits):
    expected = binomtest(hits, n).proportion_ci(0.95, method="exact").low
    assert lowest_share(hits / n, n, doubt=0.025) == pytest.approx(expected)


def test_a_rate_that_is_learnt_from_other_accounts_cannot_be_known_by_heart():
    generator = np.random.default_rng(1)
    names = np.arange(400).astype(str)
    assert measured(names, outcome(generator.random(400) < 0.3), CATEGORY)["auc"] < 0.6


def with_luncheons(winners, losers, *, of=(60, 400)):
    """So many winners and losers had lunch, of so many."""
    success = np.repeat([1.0, 0.0], of)
    lunch = np.concatenate([np.arange(of[0]) < winners, np.arange(of[1]) < losers]).astype(float)
    return lunch, outcome(success)


@pytest.mark.parametrize(
    ("winners", "losers", "caught"),
    [
        (19, 0, False),  # too few to tell
        (20, 0, True),
        (20, 1, True),
        (20, 2, False),  # nine in ten
        (59, 3, True),
        (59, 6, False),
    ],
)
def test_an_activity_that_only_successes_have_is_caught_from_twenty_accounts_on(winners, losers, caught):
    lunch, result = with_luncheons(winners, losers)
    assert ("certainty" in giving_away(lunch, result, counted("lunch"))) is caught


def test_what_gives_away_fewer_than_one_success_in_ten_is_left_alone():
    assert "certainty" in giving_away(*with_luncheons(30, 0, of=(300, 2_000)), counted("lunch"))
    assert not giving_away(*with_luncheons(29, 0, of=(300, 2_000)), counted("lunch"))


def test_where_success_is_the_rule_it_is_failure_that_is_given_away():
    lunch, result = with_luncheons(30, 0)
    turned = outcome(1 - result.success)
    found = [each for each in associations(pd.Series(lunch), counted("lunch"), [turned]) if each.gives_away]
    assert [each.measure for each in found] == ["certainty"] * len(found)
    assert found
    assert "100% never won" in found[0].says
    common, ruled = with_luncheons(200, 0, of=(420, 60))
    assert not giving_away(common, ruled, counted("lunch"))


def test_accounts_count_and_not_their_rows():
    """Two hundred rows of the same five accounts are five cases."""
    lunch, result = with_luncheons(40, 0)
    crowded = outcome(result.success, group=np.where(lunch > 0, np.arange(len(lunch)) % 5, np.arange(len(lunch))))
    assert "certainty" in giving_away(lunch, result, counted("lunch"))
    assert not giving_away(lunch, crowded, counted("lunch"))


def test_an_auc_above_the_bar_by_luck_of_a_few_accounts_gives_nothing_away():
    """Rows of a single large account make the AUC; drawn anew, it may be absent."""
    generator = np.random.default_rng(2)
    success = np.r_[np.ones(500), np.ones(25), np.zeros(400)]
    group = np.r_[np.zeros(500), 1 + np.arange(425)].astype(int)
    values = np.r_[np.full(500, 9.0), generator.random(25), generator.random(400)]
    assert measured(values, outcome(success, group=group))["auc"] > 0.95
    assert not giving_away(values, outcome(success, group=group))


def test_both_outcomes_count_each_lead_once():
    rows = pd.DataFrame(
        {
            "lead_id": ["a", "a", "b"],
            "group": ["x", "x", "x"],
            "label": [0.0, 1.0, 0.0],
            "goal_at": [9e15, 9e15, np.nan],
        }
    )
    within, at_last = outcomes_of(rows, horizon_days=30)
    assert within.weight.tolist() == [0.5, 0.5, 1.0]
    assert within.success.tolist() == [0, 1, 0]
    assert at_last.success.tolist() == [1, 1, 0]
    assert at_last.rate == 0.5
    assert (within.groups, within.successful_leads, distinct(within.lead)) == (1, 1, 2)
