"""Learned rules are written as people write theirs, come back as they were, and count what the file says."""

import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from data.errors import PlaybookError
from data.instants import DAY_US
from data.words.playbook import load_playbook
from data.words.point_rules import ActivityRule, AttributeRule, InactivityRule, ScorecardRules
from training.dataset.feature_values import values_of
from training.distillation.rule_yaml import read_rules, write_rules
from training.errors import TrainingError
from training.fitting.scorecard_fit import calibrated_rules
from training.statistics.estimate import CalibrationError, Estimate
from training.statistics.scorer_metrics import Metrics, ScorerEvaluation


@pytest.fixture
def in_place(learned, world, tmp_path):
    """The small company with the learned rules in place of its own."""
    for name in ("playbook", "routing"):
        shutil.copy(world.playbook.path / f"{name}.yaml", tmp_path)
    (tmp_path / "scorecard.yaml").write_text(learned.to_yaml(), encoding="utf-8")
    return load_playbook(tmp_path, exports=world.playbook.exports_folder)


def test_the_file_takes_the_place_of_the_playbooks_own(learned, in_place, dataset):
    """The rules come back as they were and, on the same history, as the very same scorer."""
    assert in_place.scorecard == learned.rules
    assert calibrated_rules(in_place.scorecard, dataset, playbook=in_place).id == learned.scorecard.id


def test_the_file_reads_like_one_that_people_wrote(learned):
    text = learned.to_yaml()
    lines = text.splitlines()
    first = next(at for at, line in enumerate(lines) if not line.startswith("#"))
    assert lines[0].startswith("# Point rules learned from the model leadscore-demo, fingerprint abcdef12")
    assert all(len(line) <= 120 for line in lines[:first])
    assert [line.partition(":")[0] for line in lines[first : first + 4]] == [
        "name",
        "base_points",
        "threshold",
        "rules",
    ]
    assert len(lines) == first + 4 + len(learned.rules.rules)
    for line in lines[first + 4 :]:
        assert line.startswith("  - {")
        assert "because: " in line
        assert not any(isinstance(value, float) for value in yaml.safe_load(line)[0].values())


def test_the_comment_tells_how_well_they_did_where_that_is_known(learned):
    def scorer(name, loss, auc):
        known = {"log_loss": estimate(loss), "auc": estimate(auc)}
        numbers = dict.fromkeys(Metrics.model_fields, None) | known | {"rows": 9, "positives": 1}
        ece = CalibrationError(value=None, noise_95=None)
        return ScorerEvaluation(**(numbers | {"ece": ece}), name=name, kind="rules", version="", fingerprint="")

    def estimate(value):
        return Estimate(value=value, low=None, high=None)

    scorers = [scorer("learned rules", 0.28341, 0.8461), scorer("marketing rules", 0.3043, 0.8)]
    text = learned.to_yaml(scorers=scorers)
    assert "#   learned rules: log loss 0.2834, AUC 0.846\n" in text
    assert "#   marketing rules: log loss 0.3043, AUC 0.800\n" in text
    assert yaml.safe_load(text) == yaml.safe_load(learned.to_yaml())


def test_points_are_what_a_person_with_the_file_and_the_history_counts(learned, world, dataset, warehouse):
    rows = dataset.block("test").sample(40, random_state=1)
    card = learned.scorecard
    scored = card.score_many(values_of(card.catalog, rows, dataset=dataset)).points
    sheet = yaml.safe_load(learned.to_yaml())
    history = {name: warehouse.frame(name) for name in ("leads", "activities")}
    never = world.playbook.business.never_use
    counted = [
        by_hand(sheet, lead, as_of, never=never, **history)
        for lead, as_of in zip(rows["lead_id"], rows["as_of"], strict=True)
    ]
    assert np.ptp(counted) > 20
    np.testing.assert_allclose(scored, counted, atol=1e-6)


def by_hand(sheet, lead_id, as_of, *, leads, activities, never):
    """Go through the rules of the file, one by one, with what was known of one lead."""
    known = activities[(activities["lead_id"] == lead_id) & (activities["known_at"] < as_of)]
    known = known[(known["occurred_at"] < as_of) & ~known["kind"].isin(never)]
    version = leads[(leads["lead_id"] == lead_id) & (leads["known_at"] < as_of)].sort_values("known_at").iloc[-1]
    points = sheet["base_points"]
    for rule in sheet["rules"]:
        points += rule["points"] * times(rule, known, version, as_of=as_of)
    return points


def times(rule, known, version, *, as_of):
    if "inactive_days" in rule:
        since = version["created_at"] if known.empty else known["occurred_at"].max()
        return as_of - since >= rule["inactive_days"] * DAY_US
    if "attribute" in rule:
        value = version[rule["attribute"]]
        if pd.isna(value):
            return False
        if "in" in rule:
            return value in rule["in"]
        return value == rule["is"] if "is" in rule else rule.get("at_least", -1e9) <= value < rule.get("below", 1e9)
    these = known[known["kind"] == rule["activity"]]
    these = these[these["subject"] == rule["subject"]] if "subject" in rule else these
    age = (as_of - these["occurred_at"]) / DAY_US
    if "half_life_days" in rule:
        return min(rule["at_most"], (2 ** (-age / rule["half_life_days"])).sum())
    return min(rule["at_most"], (age <= rule.get("within_days", 1e9)).sum())


words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), min_size=3, max_size=30)


@given(words, words, st.lists(words, min_size=1, max_size=4), st.integers(-40, 40), st.sampled_from([None, 0.5, 7.0]))
def test_whatever_the_words_are_the_rules_come_back(because, subject, values, points, days):
    rules = ScorecardRules(
        base_points=points,
        rules=(
            ActivityRule(activity="visit", subject=subject, points=points, within_days=days, because=because),
            AttributeRule.model_validate({"attribute": "kind", "in": values, "points": 1.5, "because": because}),
            AttributeRule.model_validate({"attribute": "kind", "is": False, "points": points, "because": because}),
            InactivityRule(inactive_days=30, points=points, because=because),
        ),
    )
    text = write_rules(rules, about=("a comment", "of two lines"))
    assert ScorecardRules.model_validate(yaml.safe_load(text)) == rules
    assert text.startswith("# a comment\n# of two lines\nname: scorecard\n")


def test_rules_that_were_changed_by_hand_are_checked_when_read(learned, world, tmp_path):
    file = tmp_path / "scorecard.yaml"
    file.write_text(learned.to_yaml(), encoding="utf-8")
    assert read_rules(file, world.playbook.business) == learned.rules
    file.write_text(learned.to_yaml().replace("activity: ", "activity: x_", 1), encoding="utf-8")
    with pytest.raises(PlaybookError, match=r"scorecard\.yaml:\d+: rules\.0\.activity: unknown activity x_"):
        read_rules(file, world.playbook.business)
    file.write_text("name: nothing\n", encoding="utf-8")
    with pytest.raises(PlaybookError, match="rules: missing"):
        read_rules(file, world.playbook.business)
    with pytest.raises(TrainingError, match="does not exist, expected point rules learned from a model"):
        read_rules(tmp_path / "nowhere.yaml", world.playbook.business)
