"""A learned rule gives its reason in the playbook's words."""

import pytest

from tests.training.small import playbook as small_playbook
from training.distillation.rule_wording import activity_words, range_words, truth_words, values_words


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kind": "visit", "subject": None, "within_days": None, "half_life_days": None}, "visited us"),
        ({"kind": "visit", "subject": None, "within_days": 1, "half_life_days": None}, "visited us in the last day"),
        (
            {"kind": "visit", "subject": None, "within_days": 30, "half_life_days": None},
            "visited us in the last 30 days",
        ),
        ({"kind": "visit", "subject": "fair", "within_days": None, "half_life_days": 7}, "met us at a fair lately"),
        ({"kind": "visit", "subject": "web", "within_days": None, "half_life_days": None}, "visited us (web)"),
    ],
)
def test_activities_are_said_in_the_playbooks_words(arguments, words):
    fair = {"did": "met us at a fair", "one": "fair", "many": "fairs"}
    visit = {"did": "visited us", "one": "visit", "many": "visits", "subject": True, "subjects": {"fair": fair}}
    assert activity_words(small_playbook(activities={"visit": visit}), **arguments) == words


def test_attributes_are_said_in_the_playbooks_words():
    playbook = small_playbook(
        attributes={
            "industry": {"type": "category", "says": "company in {value}", "words": {"public": "the public sector"}},
            "employees": {"type": "numeric", "says": "company of {value} employees"},
            "private": {"type": "boolean", "says": "writes privately", "says_not": "writes from a company"},
        }
    )
    assert values_words(playbook, "industry", ["public"]) == "company in the public sector"
    assert values_words(playbook, "industry", ["law", "it", "public"]) == "company in law, it or the public sector"
    assert range_words(playbook, "employees", at_least=200) == "company of 200 or more employees"
    assert range_words(playbook, "employees", below=50) == "company of less than 50 employees"
    assert range_words(playbook, "employees", at_least=50, below=1500) == "company of 50 to 1,500 employees"
    assert truth_words(playbook, "private", true=True) == "writes privately"
    assert truth_words(playbook, "private", true=False) == "writes from a company"
