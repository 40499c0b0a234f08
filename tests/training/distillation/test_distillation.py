"""A model becomes a few point rules in whole points, none of which says the contrary of what it shows."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from data.words.point_rules import ActivityRule, AttributeRule, InactivityRule, ScorecardRules
from features.catalog import Catalog
from features.reducers import AttributeValue
from models.calibration import sigmoid
from models.receipt import ScorerId
from models.scorecard import compile_scorecard
from training.dataset.feature_values import values_of
from training.distillation.distillation import distil
from training.distillation.rule_selection import MOST_ON_A_TOPIC, MOST_RULES
from training.statistics.scoring_metrics import losses


@dataclass(frozen=True)
class Teacher:
    """A model that says what it is told to."""

    chance: float = 0.2
    card: object = None

    @property
    def id(self):
        return ScorerId("model", "teacher", "1", "f" * 64)

    @property
    def catalog(self):
        return Catalog(()) if self.card is None else self.card.catalog

    def score_many(self, frame):
        return self

    @property
    def probabilities(self):
        return self.chance


# ---- what it is like


def test_there_are_few_rules_in_whole_points(learned):
    rules = learned.rules
    assert 5 <= len(rules.rules) <= MOST_RULES
    numbers = [rules.base_points, rules.threshold, *(rule.points for rule in rules.rules)]
    assert all(float(number).is_integer() for number in numbers)
    assert all(abs(rule.points) >= 1 for rule in rules.rules)


def test_no_topic_has_many_rules_and_no_two_conditions_overlap(learned, dataset):
    topics = [
        (getattr(rule, "activity", None), getattr(rule, "subject", None), getattr(rule, "attribute", None))
        for rule in learned.rules.rules
    ]
    assert max(topics.count(topic) for topic in topics) <= MOST_ON_A_TOPIC
    rows = dataset.block("test")
    met = learned.scorecard.score_many(values_of(learned.scorecard.catalog, rows, dataset=dataset)).reasons != 0
    for one in range(len(topics)):
        for other in range(one):
            if topics[one] == topics[other] and topics[one][2] is not None:
                assert not (met[:, one] & met[:, other]).any()


def test_each_rule_has_the_sign_that_it_shows_by_itself(learned, dataset, model):
    """Nobody who looks at the leads of one rule alone finds that it says the contrary of what they did."""
    rows = dataset.block("train")
    says = model.score_many(rows).probabilities
    reasons = learned.scorecard.score_many(values_of(learned.scorecard.catalog, rows, dataset=dataset)).reasons
    for rule, moved in zip(learned.rules.rules, reasons.T, strict=True):
        together = np.cov(moved / rule.points, says, aweights=rows["weight"])[0, 1]
        assert np.sign(together) == np.sign(rule.points), rule.because


def test_it_is_better_than_no_scorer_and_says_nearly_what_the_model_says(learned, dataset, model):
    rows = dataset.block("test")
    label, weight = rows["label"].to_numpy(), rows["weight"].to_numpy()
    found = learned.scorecard.score_many(values_of(learned.scorecard.catalog, rows, dataset=dataset))
    loss = np.average(losses(found.probabilities, label), weights=weight)
    assert loss < np.average(losses(np.full(len(rows), dataset.base_rate), label), weights=weight) - 0.02
    assert spearmanr(found.points, model.score_many(rows).points)[0] > 0.7


def test_an_average_lead_has_fifty_points(learned, dataset):
    """And ten more double the odds: the scale of the model, give or take what the calibration says of it."""
    calibration = learned.scorecard.calibration
    even = math.log(dataset.base_rate / (1 - dataset.base_rate))
    assert calibration.logit(50) == pytest.approx(even, abs=0.7)
    assert calibration.slope == pytest.approx(math.log(2) / 10, rel=0.4)


def test_the_same_model_and_rows_give_the_same_rules(learned, world, dataset, model):
    assert distil(model, dataset, world.playbook).to_yaml() == learned.to_yaml()


def test_of_many_rows_some_are_drawn_always_the_same(world, dataset, model, monkeypatch):
    monkeypatch.setattr("training.distillation.distillation.MOST_ROWS", 1_000)
    one, again = (distil(model, dataset, world.playbook, seed=5).to_yaml() for _ in range(2))
    assert one == again
    assert "Learned on 1,000 snapshots" in one
    assert distil(model, dataset, world.playbook, seed=6).to_yaml() != one


def test_no_row_of_the_test_block_moves_anything(learned, world, dataset, model):
    spoilt = dataset.rows.copy()
    later = spoilt["block"] == "test"
    spoilt.loc[later, "label"] = 1 - spoilt.loc[later, "label"]
    assert distil(model, replace(dataset, rows=spoilt), world.playbook).to_yaml() == learned.to_yaml()


# ---- what it is learned from


def test_a_teacher_that_is_a_points_table_is_found_again(world, dataset):
    """Where a few rules say all there is, the learned ones say the same."""
    told = [
        ActivityRule(activity="call", points=20, at_most=1, within_days=30, because="talked to us"),
        ActivityRule(activity="page_view", subject="pricing", points=6, at_most=3, within_days=7, because="prices"),
        AttributeRule.model_validate(
            {"attribute": "seniority", "in": ["student"], "points": -25, "because": "student"}
        ),
        InactivityRule(inactive_days=30, points=-15, because="has gone quiet"),
    ]
    card = compile_scorecard(ScorecardRules(rules=told), world.playbook.business)
    rows = dataset.block("train")
    points = card.score_many(values_of(card.catalog, rows, dataset=dataset)).points
    teacher = Teacher(np.array([sigmoid(math.log(2) / 10 * each - 2.5) for each in points.tolist()]), card)
    blank = replace(dataset, rows=dataset.rows.assign(label=_label_as(dataset.rows, rows.index, teacher.chance)))
    found = distil(teacher, blank, world.playbook)
    later = dataset.block("test")
    scores = [one.score_many(values_of(one.catalog, later, dataset=dataset)).points for one in (card, found.scorecard)]
    assert spearmanr(*scores)[0] > 0.98
    assert {_without_words(rule) for rule in told if rule.points < 0} <= set(map(_without_words, found.rules.rules))


def _label_as(rows, known, chance):
    """Make the outcome of these rows their chance, so that the target is the model's probability."""
    label = rows["label"].copy()
    label.loc[known] = chance
    return label


def _without_words(rule):
    fields = rule.model_dump(by_alias=True, exclude_none=True, exclude={"because", "points"})
    return str(sorted(fields.items()))


def test_a_teacher_that_says_the_same_of_everyone_teaches_nothing(world, dataset):
    flat = replace(dataset, rows=dataset.rows.assign(label=0.2))
    assert distil(Teacher(0.2), flat, world.playbook) is None


def test_the_more_leads_succeeded_the_more_their_outcomes_count(world, dataset, monkeypatch):
    """Beside a teacher that knows nothing, the outcomes alone make the rules, and the more so the more there are."""
    spread = []
    for trusted in (100_000, 1_000, 10):
        monkeypatch.setattr("training.distillation.distillation.TRUSTED_AS", trusted)
        found = distil(Teacher(np.float64(dataset.base_rate)), dataset, world.playbook)
        spread.append(0 if found is None else sum(abs(rule.points) for rule in found.rules.rules))
    assert spread[0] < spread[1] < spread[2]


@pytest.mark.parametrize("which", [0, -1])
def test_nothing_on_never_use_is_touched(learned, world, dataset, model, which):
    named = [getattr(rule, "activity", None) or getattr(rule, "attribute", None) for rule in learned.rules.rules]
    forbidden = [name for name in named if name is not None][which]
    never = (*world.playbook.business.never_use, forbidden)
    playbook = replace(world.playbook, business=world.playbook.business.model_copy(update={"never_use": never}))
    kinds = tuple(name for name in never if name in playbook.business.activities)
    obeying = replace(
        dataset,
        catalog=Catalog(dataset.catalog.features, kinds),
        scorecard=replace(dataset.scorecard, catalog=Catalog(dataset.scorecard.catalog.features, kinds)),
    )
    told = replace(model, encoding=replace(model.encoding, catalog=Catalog(model.catalog.features, kinds)))
    found = distil(told, obeying, playbook)
    assert forbidden not in {
        getattr(rule, name, None) for rule in found.rules.rules for name in ("activity", "attribute")
    }
    assert len(found.rules.rules) >= 3


def test_a_playbook_without_activities_gets_rules_about_attributes(world, dataset):
    playbook = world.playbook.business.model_copy(update={"activities": {}})
    only = tuple(feature for feature in dataset.catalog.features if isinstance(feature.reduce, AttributeValue))
    card = compile_scorecard(_one_rule(attribute="business_email", **{"is": False}), playbook)
    found = _distilled(world, dataset, playbook=playbook, features=only, card=card)
    assert {type(rule) for rule in found.rules.rules} == {AttributeRule}


def test_a_playbook_without_attributes_gets_rules_about_what_leads_did(world, dataset):
    playbook = world.playbook.business.model_copy(update={"attributes": {}, "segments": (), "never_use": ()})
    only = tuple(feature for feature in dataset.catalog.features if not isinstance(feature.reduce, AttributeValue))
    card = compile_scorecard(_one_rule(activity="demo_request"), playbook)
    found = _distilled(world, dataset, playbook=playbook, features=only, card=card)
    assert {type(rule) for rule in found.rules.rules} <= {ActivityRule, InactivityRule}


def _one_rule(**fields):
    return ScorecardRules.model_validate({"rules": [{"points": 10, "because": "for a test", **fields}]})


def _distilled(world, dataset, *, playbook, features, card):
    """Distil from the outcomes alone, through a teacher that is of no use, on some of the features."""
    fewer = replace(dataset, catalog=Catalog(features), scorecard=card)
    fewer = replace(fewer, rows=fewer.rows.drop(columns=[name for name in fewer.rows if name.startswith("rules.")]))
    held = values_of(card.catalog, dataset.rows, dataset=dataset).add_prefix("rules.")
    fewer = replace(fewer, rows=pd.concat([fewer.rows, held], axis=1))
    return distil(Teacher(np.float64(dataset.base_rate)), fewer, replace(world.playbook, business=playbook))


def test_nothing_to_make_rules_of_makes_none(world, dataset):
    """A training set that holds the age of leads alone has no column that a rule could tell."""
    age = tuple(feature for feature in dataset.catalog.features if feature.name == "lead_age")
    bare = replace(dataset, catalog=Catalog(age), scorecard=replace(dataset.scorecard, catalog=Catalog(())))
    assert distil(Teacher(0.1), bare, world.playbook) is None
