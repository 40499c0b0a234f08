"""The rules that are chosen explain the target together, and none is there to correct another."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from data.words.point_rules import ActivityRule
from training.distillation.candidate_rules import CandidateRule
from training.distillation.rule_selection import SelectionProblem, cross_entropy


def choice(columns, target, *, weight=None, topics=None):
    rules = [ActivityRule(activity=f"kind_{at}", points=1, because="for a test") for at in range(columns.shape[1])]
    made = [
        CandidateRule(rule, ("activity", topic, None), column.astype(np.float32))
        for rule, topic, column in zip(rules, topics or [rule.activity for rule in rules], columns.T, strict=True)
    ]
    return SelectionProblem(made, target, np.ones(len(target)) if weight is None else weight)


def counts(rows, columns, seed=3):
    return np.random.default_rng(seed).poisson(0.7, (rows, columns)).astype(np.float64)


def test_weights_are_those_of_scikit_learns_logistic_regression():
    """With soft targets each row counts twice there: as a success with its probability, as a failure with the rest."""
    generator = np.random.default_rng(1)
    columns, weight = counts(500, 4), generator.uniform(0.5, 2, 500)
    target = 1 / (1 + np.exp(1.5 - columns @ [0.8, -0.4, 0.1, 0.5] + generator.normal(0, 0.5, 500)))
    chosen = choice(columns, target, weight=weight).fitted((0, 1, 3))
    twice = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1_000).fit(
        np.r_[columns[:, [0, 1, 3]], columns[:, [0, 1, 3]]],
        np.repeat([1, 0], 500),
        sample_weight=np.r_[weight * target, weight * (1 - target)],
    )
    np.testing.assert_allclose(chosen.beta, np.r_[twice.intercept_, twice.coef_[0]], atol=1e-4)
    assert chosen.loss == pytest.approx(cross_entropy(chosen.margin, target, weight=weight))


def test_what_is_foreseen_of_a_candidate_is_what_a_weighted_regression_would_gain():
    columns, generator = counts(400, 5), np.random.default_rng(2)
    target = 1 / (1 + np.exp(1 - columns @ [0.6, 0.5, 0.3, 0.2, 0.1])) * generator.uniform(0.8, 1, 400)
    made = choice(columns, target)
    chosen = made.fitted((0,))
    gains = made._gains(chosen)
    chance = 1 / (1 + np.exp(-chosen.margin))
    root = np.sqrt(chance * (1 - chance))
    wanted = (target - chance) / root

    def left(design):
        best, *_ = np.linalg.lstsq(design * root[:, None], wanted, rcond=None)
        return ((wanted - (design * root[:, None]) @ best) ** 2).sum()

    design = np.column_stack([np.ones(400), columns[:, 0]])
    expected = [
        (left(design) - left(np.column_stack([design, columns[:, at]]))) / 2 / len(target) for at in range(1, 5)
    ]
    assert gains[0] == 0
    np.testing.assert_allclose(gains[1:], expected, rtol=1e-3)


def test_the_rules_that_make_the_target_are_chosen_and_no_others():
    """Every other candidate would bring a little too, since chance is in the target."""
    columns, chance = counts(3_000, 30), np.random.default_rng(4).normal(0, 0.5, 3_000)
    target = 1 / (1 + np.exp(2 + chance - columns[:, [4, 11, 17]] @ [1.0, -0.9, 0.7]))
    chosen = choice(columns, target).select()
    assert sorted(chosen.members) == [4, 11, 17]
    weights = dict(zip(chosen.members, chosen.beta[1:], strict=True))
    assert [weights[at] for at in (4, 11, 17)] == pytest.approx([1.0, -0.9, 0.7], abs=0.1)


def test_two_rules_that_would_cancel_are_not_both_chosen():
    """Of two counts that come together, the one that only corrects the other would speak against what it shows."""
    many = counts(3_000, 1, seed=8)
    few = np.minimum(many, 1) + np.random.default_rng(9).integers(0, 2, (3_000, 1)) * many
    target = 1 / (1 + np.exp(2 - 2.0 * many + 0.9 * few))[:, 0]
    both = choice(np.hstack([many, few]), target)
    together = both.fitted((0, 1))
    assert together.beta[1:] == pytest.approx([2.0, -0.9], abs=0.01)
    assert np.corrcoef(few[:, 0], target)[0, 1] > 0.2
    chosen = both.select()
    assert chosen.members == (0,)
    assert chosen.loss - together.loss > 0.05 * (both.fitted(()).loss - chosen.loss)


def test_a_rule_that_would_cancel_another_takes_no_ones_place():
    many, other = counts(3_000, 2, seed=8).T
    few = np.minimum(many, 1) + np.random.default_rng(9).integers(0, 2, 3_000) * many
    target = 1 / (1 + np.exp(2 - 2.0 * many + 0.9 * few - 0.3 * other))
    assert choice(np.column_stack([many, few, other]), target).select(2).members == (0, 2)


def test_a_topic_has_two_rules_at_most():
    columns = counts(3_000, 4)
    target = 1 / (1 + np.exp(3 - columns @ [0.6, 0.5, 0.4, 0.3]))
    assert sorted(choice(columns, target).select().members) == [0, 1, 2, 3]
    assert sorted(choice(columns, target, topics=["one", "one", "one", "another"]).select().members) == [0, 1, 3]


def test_rules_on_one_topic_do_not_contradict_one_another():
    columns = counts(3_000, 3)
    target = 1 / (1 + np.exp(3 - columns @ [0.6, -0.5, 0.4]))
    assert sorted(choice(columns, target).select().members) == [0, 1, 2]
    assert sorted(choice(columns, target, topics=["one", "one", "another"]).select().members) == [0, 2]


def test_a_rule_that_would_round_to_nothing_is_left_out():
    columns = counts(3_000, 2)
    target = 1 / (1 + np.exp(1 - columns @ [0.3, 0.1]))
    assert choice(columns, target).select().members == (0, 1)
    assert choice(columns, target).select(least_weight=0.2).members == (0,)
    assert choice(columns, target).select(1).members == (0,)
