"""The model card says on one page what a version is, how good, and what it is not for."""

import json

import pytest
from markupsafe import Markup

from tests.training.reporting.pages import Page
from tests.training.reporting.sample import document, evaluation, rules_only
from training.reporting import card
from training.reporting.card import ModelCard, card_of, render_card


@pytest.fixture(autouse=True)
def undrawn(monkeypatch):
    monkeypatch.setattr(card, "figure", lambda _draw: Markup("<figure></figure>"))


def test_the_card_holds_the_numbers_of_the_evaluation():
    found = evaluation()
    card_ = card_of(found)
    assert card_.goal == found.goal
    assert card_.gates == found.gates
    assert card_.feature_groups == found.reasons
    assert card_.data_window.plan == found.data.plan
    assert card_.rows.base_rate == found.data.base_rate
    assert card_.metrics.auc == found.scorers[0].auc
    assert card_.calibration.ece == found.scorers[0].ece
    assert [other.name for other in card_.compared_with] == [other.name for other in found.scorers[1:]]


def test_the_card_is_strict_json_and_reads_back():
    for found in (evaluation(), rules_only()):
        text = card_of(found).to_json()
        json.loads(text, parse_constant=pytest.fail)
        assert ModelCard.model_validate_json(text) == card_of(found)


@pytest.mark.parametrize("found", [evaluation(), rules_only()], ids=["model", "rules only"])
def test_every_card_says_what_it_is_not_for(found):
    said = " ".join(card_of(found).must_not_be_used_for)
    for words in ("hiring, credit", "2025-01-06 to 2026-05-01", "later than 30 days", "Proof of cause", "no refusal"):
        assert words in said


def test_segments_that_were_too_small_are_named():
    said = " ".join(card_of(evaluation()).must_not_be_used_for)
    assert "“education”, “a partner”" in said
    assert "software" not in said


def test_chances_that_are_off_beyond_noise_are_not_for_forecasts():
    assert "Exact chances" not in " ".join(card_of(evaluation()).must_not_be_used_for)
    scorers = document()["scorers"]
    scorers[0]["ece"] = {"value": 0.031, "noise_95": 0.012}
    found = evaluation(scorers=scorers)
    assert "off by 0.031, more than the 0.012" in " ".join(card_of(found).must_not_be_used_for)


def test_a_question_that_a_gate_asks_stands_on_the_card():
    gates = document()["gates"]
    gates[0] |= {"question": True, "says": "rating looks written by people who knew the outcome."}
    said = card_of(evaluation(gates=gates)).must_not_be_used_for
    assert "Serving before a question is answered: rating looks written by people who knew the outcome." in said


def test_an_accepted_risk_and_a_failed_gate_are_never_left_out():
    gates = document()["gates"]
    gates[0]["passed"] = False
    found = evaluation(gates=gates)
    said = " ".join(card_of(found).must_not_be_used_for)
    assert found.accepted_risk in said
    assert "the gate future shift failed" in said
    text = Page(render_card(found)).text
    assert "A risk was accepted" in text
    assert "A gate failed future shift" in text


def test_rules_alone_have_a_card_of_their_own():
    rules_card = card_of(rules_only())
    assert rules_card.model is None
    assert any("there is none yet" in sentence for sentence in rules_card.must_not_be_used_for)
    assert "No model version" in Page(render_card(rules_only())).text


def test_the_page_shows_what_the_json_says():
    text = Page(render_card(evaluation())).text
    for sentence in card_of(evaluation()).must_not_be_used_for:
        assert " ".join(sentence.split()) in text


@pytest.mark.parametrize("found", [evaluation(), rules_only()], ids=["model", "rules only"])
def test_every_tag_closes_and_nothing_runs(found):
    page = Page(render_card(found))
    assert page.wrong == []
    assert {"script", "link", "iframe", "img"}.isdisjoint(page.tags)


def test_the_playbooks_title_stays_text():
    found = evaluation(playbook={"name": "demo", "title": "<script>alert(1)</script>"})
    assert "script" not in Page(render_card(found)).tags
