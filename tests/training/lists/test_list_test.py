"""The list test holds its interval where the chances are true, and finds chances that are not."""

import numpy as np
import pandas as pd
import pytest

from data.instants import DAY_US
from data.words.playbook import load_playbook
from features.age_and_silence import AGE, LAST_ACTIVITY
from features.catalog import Catalog
from models.bands import Bands
from tests.training.drawn import DEMO
from training.dataset.dataset import Dataset
from training.lists.list_gate import list_gate
from training.lists.list_test import ScoredLists, list_test
from training.lists.reached_days import FEWEST_LEADS

BUSINESS = load_playbook(DEMO).business.model_copy(update={"segments": ("source",)})
BANDS = Bands(threshold=60, a=70, b=55, c=40)
LISTS, DAYS_BETWEEN = 6, 10


def world(seed, *, leads=600, oldest=120.0):
    """Draw the lists of some mornings with their true chances: leads share the luck of their account in part."""
    generator = np.random.default_rng(seed)
    account = generator.integers(0, leads // 2, leads)
    arrived = generator.uniform(-oldest, LISTS * DAYS_BETWEEN, leads)
    quality = generator.normal(-2.5, 1.0, leads)
    luck = np.where(generator.random(leads) < 0.3, generator.random(leads)[account], generator.random(leads))
    rows, chances = [], []
    for number in range(LISTS):
        now = number * DAYS_BETWEEN
        chance = 1 / (1 + np.exp(-(quality - 0.01 * (now - arrived))))
        here = np.flatnonzero(arrived < now)
        rows.append(
            pd.DataFrame(
                {
                    "lead_id": here.astype(str),
                    "as_of": now * DAY_US,
                    "group": account[here].astype(str),
                    "weight": 1.5,
                    "label": (luck < chance)[here].astype(float),
                    AGE.name: now - arrived[here],
                    LAST_ACTIVITY.name: (now - arrived[here]) / 2,
                    "segment.source": generator.choice(["web", "fair"], len(here)),
                    "block": "listed",
                }
            )
        )
        chances.append(chance[here])
    return pd.concat(rows, ignore_index=True), np.concatenate(chances)


def compared(rows, chance, *, spread=0.0, train=None):
    points = 50 + 14.4 * np.log(chance / (1 - chance) / 0.08)
    learnt = rows.assign(block="train") if train is None else train
    return list_test(
        ScoredLists(rows, chance, points, spread),
        Dataset(learnt, Catalog(()), None, {}),
        bands=BANDS,
        business=BUSINESS,
    )


def test_true_chances_are_within_the_interval_as_often_as_it_says():
    inside = [compared(*world(seed)).whole.as_promised for seed in range(120)]
    assert 0.90 <= np.mean(inside) <= 0.985


def test_no_kind_of_lead_is_found_wrong_where_the_chances_are_true():
    assert sum(not list_gate(compared(*world(seed))).passed for seed in range(50)) <= 1


def test_chances_that_are_half_too_high_are_found_and_named():
    rows, chance = world(1, leads=3_000)
    gate = list_gate(compared(rows, np.minimum(1.5 * chance, 0.99)))
    assert not gate.passed
    assert gate.says.startswith("6 lists of the test weeks, ")
    assert gate.says.endswith("train again with later weeks, or bring a longer history.")


def test_old_leads_that_are_promised_too_much_are_named_though_the_sum_is_right():
    rows, chance = world(2, leads=6_000)
    old = (rows[AGE.name] >= 90).to_numpy()
    found = compared(rows, np.where(old, np.minimum(2.5 * chance, 0.99), chance * 0.85))
    gate = list_gate(found)
    assert not gate.passed
    assert "of leads 90 to 180 days old" in gate.says
    ages = {group.says: group for group in found.groups if group.by == "age in days"}
    assert not ages["90 to 180"].as_promised


def test_of_what_history_does_not_know_nothing_is_decided():
    rows, chance = world(3, leads=3_000)
    age = rows[AGE.name]
    young = rows[age < 90].assign(block="train")
    found = compared(rows, np.where(age < 90, chance, 0.9), train=young)
    unknown = {group.says for group in found.groups if group.by == "age in days" and not group.known}
    assert unknown == {"90 to 180"}
    assert young["lead_id"].nunique() > FEWEST_LEADS
    assert "days old" not in list_gate(found).says


def test_groups_of_one_kind_add_up_to_all_leads():
    found = compared(*world(4))
    assert found.whole.by == "all leads"
    assert len(found.instants) == LISTS
    for by in ("days of silence", "age in days", "grade", "source"):
        parts = [group for group in found.groups if group.by == by]
        for name in ("leads", "promised", "came"):
            assert sum(getattr(part, name) for part in parts) == pytest.approx(getattr(found.whole, name)), by


def test_the_luck_of_the_calibration_widens_the_interval():
    rows, chance = world(5)
    plain, wide = (compared(rows, chance, spread=spread).whole for spread in (0.0, 0.2))
    assert wide.high - wide.promised > plain.high - plain.promised


def test_where_nothing_came_there_is_still_an_interval():
    rows, chance = world(6, leads=60)
    found = compared(replace_labels(rows, 0.0), chance).whole
    assert found.came == 0
    assert found.high > found.promised > 0


def replace_labels(rows, label):
    return rows.assign(label=label)


def test_a_list_that_promises_nothing_is_no_failure():
    rows, chance = world(7, leads=60)
    gate = list_gate(compared(replace_labels(rows, 0.0), np.full(len(chance), 1e-9)))
    assert gate.passed
