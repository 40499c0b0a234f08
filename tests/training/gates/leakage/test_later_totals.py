"""A number of the first day that later activities reproduce is found; what is known then, however telling, is not."""

from dataclasses import replace

import numpy as np
import pytest

from data.instants import DAY_US
from tests.training.gates.leakage.when_written import HONEST, TOTALS, page_views, with_first
from training.gates.leakage.later_totals import later_totals


@pytest.mark.parametrize("plant", TOTALS)
def test_totals_of_the_future_are_found_by_name(known_history, plant):
    """Even where the file gives a history and claims that the value was known at the creation."""
    gate = later_totals(plant(known_history, np.random.default_rng(1)))
    assert not gate.passed
    assert gate.says.startswith("planted is a total of what came later: the ")
    assert "as_of_creation: true for it" in gate.says
    assert gate.says.count("reproduces") == 1


@pytest.mark.parametrize("plant", HONEST)
def test_honest_attributes_pass(known_history, plant):
    gate = later_totals(plant(known_history, np.random.default_rng(1)))
    assert gate.passed, gate.says
    assert gate.conclusive


def test_the_closing_call_is_named(known_history):
    gate = later_totals(TOTALS[1](known_history, np.random.default_rng(1)))
    assert "the minutes of the last call after the lead's first day reproduces" in gate.says
    assert gate.numbers["largest"] > 0.9


def test_a_total_of_the_first_day_is_no_leak(known_history):
    """Who looks at many pages on the first day looks at many later; that is known on the first day."""
    earlier = known_history.leads.activities.earlier["page_view"].to_numpy(dtype=float)
    assert later_totals(with_first(known_history.leads, earlier)).passed


def test_a_value_that_became_known_later_is_not_of_the_first_day(known_history):
    leads = page_views(known_history, np.random.default_rng(1))
    late = replace(leads, rows=leads.rows.assign(known_at=leads.rows["created_at"] + 3 * DAY_US))
    gate = later_totals(late)
    assert (gate.passed, gate.conclusive) == (True, False)


@pytest.mark.parametrize("excuse", ["as_of_creation", "never_use"])
def test_what_the_playbook_vouches_for_or_forbids_is_not_looked_at(known_history, excuse):
    leads = page_views(known_history, np.random.default_rng(1))
    business = leads.business
    if excuse == "never_use":
        changed = business.model_copy(update={"never_use": ("planted",)})
    else:
        vouched = business.attributes["planted"].model_copy(update={"as_of_creation": True})
        changed = business.model_copy(update={"attributes": {**business.attributes, "planted": vouched}})
    assert later_totals(replace(leads, business=changed)).passed
