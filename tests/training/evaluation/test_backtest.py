"""At every origin all scorers are evaluated on the same rows, and none is called better by chance."""

import threading
from dataclasses import replace

import lightgbm
import numpy as np
import pytest
from scipy.special import expit

from tests.training.drawn import drawn
from training.dataset.origins import at_origin, plan_origins
from training.errors import FewLeadsError
from training.evaluation import backtest
from training.evaluation.backtest import differences, evaluate_origins, with_contender
from training.evaluation.training_summary import FamilyChoice
from training.statistics.comparison import Contender
from training.statistics.estimate import NO_ESTIMATE, Estimate
from training.statistics.scoring_metrics import EvaluationRows


@pytest.fixture(scope="module")
def thread_counts():
    """Hold the number of threads of every call of LightGBM, as ``origin`` hears them."""
    return []


@pytest.fixture(scope="module")
def origin(world, dataset, thread_counts):
    def heard(parameters):
        thread_counts.append((parameters or {}).get("num_threads"))
        return written(parameters)

    written = lightgbm.basic._param_dict_to_str
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lightgbm.basic, "_param_dict_to_str", heard)
        (found,) = evaluate_origins((dataset,), world.playbook).origins
    return found


def test_every_call_of_lightgbm_asks_for_the_same_threads(origin, thread_counts):
    """It keeps one number for the whole process: a call with another beside a fit in a second thread kills both."""
    assert len(thread_counts) > 10
    assert set(thread_counts) == {origin.fitted.parameters["num_threads"]}


def test_the_model_comes_first_then_the_rules_then_the_baselines(origin):
    assert [one.kind for one in origin.contenders] == ["model", "rules", "baseline", "baseline"]
    assert [one.name for one in origin.scorers] == [one.name for one in origin.contenders]
    assert {len(one.probability) for one in origin.contenders} == {origin.scorers[0].rows}


def test_differences_are_the_models_against_each_other_on_the_same_rows(origin):
    losses = [one.log_loss.value for one in origin.scorers]
    for other, found in zip(losses[1:], origin.differences, strict=True):
        assert found.log_loss.value == pytest.approx(losses[0] - other, abs=1e-9)


def test_a_contender_that_joins_is_evaluated_like_the_others(origin):
    rules = origin.contenders[1]
    twin = Contender(name="twin", kind="learned rules", version="", fingerprint="", probability=rules.probability)
    found = with_contender(origin, twin, capacity_per_day=10)
    assert found.scorers[-1].log_loss == origin.scorers[1].log_loss
    assert found.differences[-1].log_loss == origin.differences[0].log_loss
    assert len(found.contenders) == len(origin.contenders) + 1


def test_an_equal_scorer_is_neither_beaten_nor_lost_to(origin):
    model = origin.contenders[0]
    judged = EvaluationRows.of(origin.dataset.block("test"))
    (found,) = differences((model, Contender.baseline("same", model.probability.copy())), judged)
    assert found.log_loss == Estimate(value=0.0, low=0.0, high=0.0)


def test_an_origin_names_its_weeks_and_the_scorers_that_were_beaten(origin):
    found = origin.evaluation(3)
    assert found.number == 3
    assert found.test.model_dump() == origin.dataset.manifest["plan"]["test"]
    assert found.says.startswith("The model beats ")
    assert "base rate" in found.says


def test_an_earlier_origin_with_too_few_leads_is_left_out_and_the_last_is_not(long):
    early, whole, folder = long
    hopeless = replace(early, rows=early.rows.assign(label=0.0))
    (found,) = evaluate_origins((hopeless, whole), folder).origins
    assert found.dataset is whole
    with pytest.raises(FewLeadsError):
        evaluate_origins((hopeless,), folder)


@pytest.fixture(scope="module")
def long():
    """Two origins of a history long enough for both, and the playbook."""
    whole, folder = drawn(8_000, 12)
    early = at_origin(whole, plan_origins(whole.rows, horizon=whole.horizon_us)[-2])
    return early, whole, folder


def test_an_origin_evaluated_beside_another_has_the_numbers_it_has_alone(long, monkeypatch):
    """With the same family: which one serves is told by all origins together."""
    early, whole, folder = long
    same = FamilyChoice(family="trees", log_loss={}, difference=NO_ESTIMATE, standard_error=0.0, says="")
    monkeypatch.setattr(backtest, "choose_family", lambda *_: same)
    both = evaluate_origins((early, whole), folder).origins
    (alone,) = evaluate_origins((early,), folder).origins
    assert both[0].evaluation(1) == alone.evaluation(1)
    assert both[1].dataset is whole


def test_a_backtest_that_is_interrupted_leaves_no_thread_working(long, monkeypatch):
    """Ctrl-C reaches the thread of the last origin; the one beside it ends at its next step, with nothing evaluated."""
    early, whole, folder = long
    finished = []
    monkeypatch.setattr(backtest, "differences", lambda *_: finished.append(1))

    def interrupt(what, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate_origins((early, whole), folder, progress=interrupt)
    assert not [one for one in threading.enumerate() if "ThreadPool" in one.name]
    assert not finished


def test_an_error_at_an_earlier_origin_is_raised(long, monkeypatch):
    early, whole, folder = long
    monkeypatch.setattr(backtest, "fit_families", refused)
    with pytest.raises(ArithmeticError, match="no families"):
        evaluate_origins((early, whole), folder)


def test_where_the_truth_is_a_regression_it_serves_and_trees_are_a_baseline(long):
    """Outcomes are drawn anew from log-odds that are linear in logarithms: nothing is left for trees to find."""
    early, whole, folder = long
    numbers = [one.name for one in whole.catalog.features if not one.is_category][:5]

    def linear(dataset):
        shown = np.log1p(dataset.rows[numbers].fillna(0.0).abs()).to_numpy()
        chance = expit((shown - shown.mean(axis=0)) @ np.array([0.9, -0.9, 0.6, -0.6, 0.9]) - 1.2)
        luck = np.random.default_rng(3).random(len(chance))
        return replace(dataset, rows=dataset.rows.assign(label=(luck < chance).astype(float)))

    found = evaluate_origins((linear(early), linear(whole)), folder)
    assert found.choice.family == "regression"
    assert {one.fitted.family for one in found.origins} == {"regression"}
    for one in found.origins:
        assert [each.name for each in one.scorers] == ["model", folder.scorecard.name, "base rate", "boosted trees"]
    losses = [[each.log_loss.value for each in one.scorers] for one in found.origins]
    assert losses[-1][0] < losses[-1][2]


def refused(dataset, *, seed, **_):
    """Refuse one of two origins, whichever thread asks."""
    if threading.current_thread() is threading.main_thread():
        return ()
    message = "no families"
    raise ArithmeticError(message)
