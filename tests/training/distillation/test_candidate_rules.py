"""Every candidate is a rule of the language on columns that the training set holds."""

import numpy as np
import pytest

from data.words.point_rules import ActivityRule, AttributeRule, InactivityRule, ScorecardRules
from models.scorecard import compile_scorecard
from training.dataset.feature_values import values_of
from training.distillation.candidate_rules import MOST_VALUES, candidates
from training.distillation.rule_yaml import read_rules, write_rules


@pytest.fixture(scope="module")
def found(world, dataset):
    rows = dataset.block("train")
    return candidates(dataset, rows, world.playbook.business, target=rows["label"].to_numpy())


def test_a_candidates_column_is_what_its_rule_gives(found, world, dataset):
    """All of them in one card, which also says that each is a rule of the language on columns that are held."""
    rows = dataset.block("train")
    card = compile_scorecard(ScorecardRules(rules=[one.rule for one in found]), world.playbook.business)
    reasons = card.score_many(values_of(card.catalog, rows, dataset=dataset)).reasons
    np.testing.assert_allclose(reasons, np.stack([one.column for one in found], axis=1), rtol=1e-6)


def test_every_candidate_could_stand_in_the_playbook(found, world, tmp_path):
    file = tmp_path / "scorecard.yaml"
    file.write_text(write_rules(ScorecardRules(rules=[one.rule for one in found]), about=()), encoding="utf-8")
    assert len(read_rules(file, world.playbook.business).rules) == len(found)


def test_candidates_are_many_kinds_of_rules_and_no_two_alike(found):
    assert {type(one.rule) for one in found} == {ActivityRule, AttributeRule, InactivityRule}
    assert len({one.column.tobytes() for one in found}) == len(found)
    assert {one.rule.at_most for one in found if isinstance(one.rule, ActivityRule)} == {1, 2, 3, 5, 10}
    assert all(len(getattr(one.rule, "among", None) or ()) <= MOST_VALUES for one in found)
    limits = {one.rule.at_least for one in found if getattr(one.rule, "attribute", "") == "employees"}
    assert {10, 100} & limits
