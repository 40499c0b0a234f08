"""A feature that gives the outcome away by itself is caught by name, however it does so; an honest one never is."""

from dataclasses import replace

import numpy as np
import pytest

from models.scorecard import compile_scorecard
from tests.training.dataset.test_dataset import Leaking
from tests.training.gates.leakage.planted import (
    at_last,
    attribute,
    by_lead,
    counted,
    days_before_goal,
    since,
    some_groups,
    success,
    with_every,
    with_features,
)
from training.dataset.dataset_builder import assemble
from training.gates.leakage.dominance import dominance

SEEDS = [range(2), pytest.param(range(2, 12), marks=pytest.mark.slow)]
"""Draws of the company; the docstring of the gate tells of all twelve."""
YES, NO = np.array("yes", dtype=object), np.array("no", dtype=object)


def noisy(generator, flags, share):
    """Turn a share of the flags round."""
    return flags ^ (generator.random(len(flags)) < share)


def says_the_label(dataset, generator):
    return attribute("lunch"), success(dataset) + generator.normal(0, 0.2, len(dataset.rows))


def says_the_opposite(dataset, generator):
    return attribute("lunch"), -1.0 * success(dataset) + generator.normal(0, 0.2, len(dataset.rows))


def says_who_succeeds_at_last(dataset, generator):
    """Today's field, written into the past."""
    return attribute("lunch", "boolean"), noisy(generator, at_last(dataset), 0.01).astype(float)


def says_it_as_a_category(dataset, generator):
    return attribute("lunch", "category"), np.where(noisy(generator, at_last(dataset), 0.01), YES, NO)


def says_it_with_one_of_many_values(dataset, generator):
    """The successes of a year have a project number; all others stand under one of 30 countries."""
    country = by_lead(dataset, lambda leads: generator.integers(0, 30, leads).astype(str).astype(object))
    project = by_lead(dataset, lambda leads: np.where(generator.random(leads) < 0.5, "P1", "P2").astype(object))
    return attribute("lunch", "category"), np.where(at_last(dataset), project, country)


def is_known_of_successes_alone(dataset, generator):
    amount = by_lead(dataset, lambda leads: generator.lognormal(3, 1, leads))
    return attribute("lunch"), np.where(at_last(dataset), amount, np.nan)


def is_known_of_half_the_leads(dataset, generator):
    """Where it is known it says all; of the others nothing."""
    known = by_lead(dataset, lambda leads: generator.random(leads) < 0.5)
    return attribute("lunch"), np.where(known, at_last(dataset) + generator.normal(0, 0.2, len(known)), np.nan)


def is_high_for_some_successes(dataset, generator):
    """Most of the successes have a number that nobody else has; the others look like everyone."""
    chosen = at_last(dataset) & by_lead(dataset, lambda leads: generator.random(leads) < 0.7)
    usual = by_lead(dataset, lambda leads: generator.integers(0, 50, leads).astype(float))
    return attribute("lunch"), np.where(chosen, 99.0, usual)


def is_written_before_the_goal(dataset, generator):
    known = days_before_goal(dataset, generator.uniform(1, 20))
    return counted("lunch"), (known < 30).astype(float)


def was_written_before_the_goal(dataset, generator):
    return since("lunch"), days_before_goal(dataset, generator.uniform(1, 20))


LEAKS = (
    says_the_label,
    says_the_opposite,
    says_who_succeeds_at_last,
    says_it_as_a_category,
    says_it_with_one_of_many_values,
    is_known_of_successes_alone,
    is_known_of_half_the_leads,
    is_high_for_some_successes,
    is_written_before_the_goal,
    was_written_before_the_goal,
)


@pytest.fixture(scope="module")
def speaking(playbook):
    more = {"lunch": playbook.activities["meeting"], "fax": playbook.activities["call"]}
    return playbook.model_copy(update={"activities": {**playbook.activities, **more}})


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("leak", LEAKS)
def test_every_planted_leak_is_caught_by_name(dataset, speaking, leak, seeds):
    small = with_every(dataset, 10)
    for seed in seeds:
        company = some_groups(small, seed)
        feature, values = leak(company, np.random.default_rng(seed))
        found = dominance(with_features(company, {feature: values}), speaking, seed=seed)
        assert not found.passed, (leak, seed, found)
        assert found.says.startswith(f"{feature.name} ("), found.says
        assert found.says.endswith("if it is written because of the outcome, put lunch on never_use."), found.says


@pytest.mark.parametrize("seeds", SEEDS)
def test_honest_companies_pass(dataset, playbook, seeds):
    """Every feature there is, in many draws of accounts."""
    for seed in seeds:
        found = dominance(some_groups(dataset, seed, share=0.6), playbook, seed=seed)
        assert found.passed, found.says
        assert found.numbers["features"] == len(dataset.columns)
        assert found.numbers["auc"] < 0.9
        assert found.says.startswith("The strongest single feature, ")
        assert found.says.endswith(f"has an AUC of {found.numbers['auc']:.2f}, expected at most 0.95.")


def test_the_same_activity_written_into_history_is_caught(world, warehouse, speaking):
    """The whole way: snapshots, features and all, from a history into which someone wrote it."""
    rules = compile_scorecard(world.playbook.scorecard, speaking)
    found = dominance(assemble(Leaking(warehouse, "fax"), speaking, scorecard=rules), speaking, seed=1)
    assert not found.passed
    assert found.says.startswith(
        ("fax_", "kind_of_last_1 (kind of the last activity) gives the outcome away: of the leads")
    )
    assert "put fax" in found.says


def rare(generator, dataset, leads):
    """Know something of so many leads, and nothing of the others."""
    code = by_lead(dataset, generator.permutation)
    return np.where(code < leads, generator.random(len(code)), np.nan)


@pytest.mark.parametrize("leads", [25, 60, 200])
def test_luck_trips_nothing(dataset, speaking, leads):
    """Two hundred features that know something of a few leads, and nothing of their outcome."""
    few = with_every(dataset, 200)
    generator = np.random.default_rng(leads)
    columns = {attribute(f"luck_{at}"): rare(generator, few, leads) for at in range(200)}
    found = dominance(with_features(few, columns), speaking, seed=1)
    assert found.passed, found.says


def test_names_of_accounts_are_no_leak(dataset, speaking):
    """A category with a value for each account has the outcome of its train rows by heart and knows nothing."""
    planted = with_features(dataset, {attribute("account", "category"): dataset.rows["group"].to_numpy()})
    assert dominance(planted, speaking, seed=1).passed


def test_too_few_successes_say_so(dataset, playbook):
    rows = dataset.block("train")
    losers = rows[rows["goal_at"].isna()].head(500)
    found = dominance(replace(dataset, rows=losers), playbook, seed=1)
    assert found.passed
    assert "takes 20 accounts with success" in found.says


@pytest.mark.parametrize("empty", [True, False])
def test_a_training_set_without_rows_or_values_is_no_hindrance(dataset, playbook, empty):
    rows = dataset.rows.head(0) if empty else dataset.rows.assign(**dict.fromkeys(dataset.catalog.names, np.nan))
    assert dominance(replace(dataset, rows=rows), playbook, seed=1).passed
