"""A rating written by people who knew the outcome is asked about; honest attributes as strong as it are not."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.gates.leakage.when_written import HONEST, NUMBER, rating, simulated, sure_rating, with_first
from training.gates.gate import NOT_CONTRADICTED, QUESTION, require_passed
from training.gates.leakage.hindsight import VERDICT, hindsight
from training.gates.leakage.lead_activities import LeadActivities


@pytest.mark.parametrize("plant", [rating, sure_rating])
def test_a_rating_after_the_fact_is_a_question_and_stops_nothing(known_history, plant):
    gate = hindsight(plant(known_history, np.random.default_rng(1)))
    assert gate.state == QUESTION
    assert gate.says.startswith(
        f"planted {VERDICT} the outcome: it identifies the leads that reached the goal with an "
    )
    assert "set as_of_creation: true for it in playbook.yaml; if people fill it in later, put planted on" in gate.says
    assert require_passed([gate], accept_risk=None) == (gate,)


@pytest.mark.parametrize("wave", ["missing where nobody won", "the other way round"])
def test_numbers_are_seen_through_too(known_history, wave):
    """A number that only successes have, or that is low where they succeed."""
    drawn = 1.5 * known_history.won + np.random.default_rng(2).normal(size=len(known_history.won))
    values = -drawn if wave == "the other way round" else np.where(drawn > 1, drawn, np.nan)
    assert hindsight(with_first(known_history.leads, values, NUMBER)).state == QUESTION


@pytest.mark.parametrize("plant", HONEST)
def test_honest_attributes_are_no_question(known_history, plant):
    """The true chance at creation is as telling as anything honest can be."""
    gate = hindsight(plant(known_history, np.random.default_rng(1)))
    assert gate.state == "passed", gate.says


def test_the_playbooks_word_answers_the_question(known_history):
    leads = rating(known_history, np.random.default_rng(1))
    vouched = leads.business.attributes["planted"].model_copy(update={"as_of_creation": True})
    attributes = {**leads.business.attributes, "planted": vouched}
    told = replace(leads, business=leads.business.model_copy(update={"attributes": attributes}))
    assert hindsight(told).state == "passed"
    denied = replace(leads, business=leads.business.model_copy(update={"never_use": ("planted",)}))
    assert hindsight(denied).state == "passed"


def test_a_pass_proves_nothing_where_a_rating_could_not_have_been_seen():
    """With 300 leads not even a rating that is nearly sure stands out; the gate says so in place of passing it."""
    with simulated(3, leads=300) as company:
        gate = hindsight(sure_rating(company, np.random.default_rng(1)))
        assert (gate.state, gate.passed) == (NOT_CONTRADICTED, True)


def test_few_leads_prove_nothing(known_history):
    leads = rating(known_history, np.random.default_rng(1))
    young = replace(leads, end_us=int(leads.rows["created_at"].min()))
    gate = hindsight(young)
    assert (gate.passed, gate.conclusive) == (True, False)


def without_activities(leads):
    """Return the leads of a company that records no activities."""
    none = leads.activities.later[[]]
    return replace(leads, activities=LeadActivities(none, none, none, none))


def test_a_table_of_leads_without_activities_is_asked_about_too(known_history):
    leads = without_activities(rating(known_history, np.random.default_rng(1)))
    assert hindsight(leads).state == QUESTION


def test_where_nothing_else_is_known_there_is_nothing_to_ask(known_history):
    """A company's only attribute may tell all there is; nothing could reflect it."""
    leads = without_activities(sure_rating(known_history, np.random.default_rng(1)))
    alone = {"planted": leads.business.attributes["planted"]}
    only = replace(leads, business=leads.business.model_copy(update={"attributes": alone}))
    assert hindsight(only).state == "passed"


def test_what_is_over_on_its_first_day_is_left_out(known_history):
    """On that day activity and outcome come together, and a field may well say what was decided."""
    leads = rating(known_history, np.random.default_rng(1))
    at_once = replace(leads, over_at_once=np.ones(len(leads.rows), dtype=bool))
    gate = hindsight(at_once)
    assert (gate.passed, gate.conclusive) == (True, False)
