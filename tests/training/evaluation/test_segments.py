"""Each kind of lead is evaluated by itself, and only where there are enough leads."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from tests.training.small import day, playbook
from training.evaluation.segments import METRICS, segments
from training.statistics.comparison import Contender

ATTRIBUTES = {
    "source": {
        "type": "category",
        "says": "came through {value}",
        "label": "source",
        "words": {"search": "a search engine"},
    },
    "business_email": {
        "type": "boolean",
        "says": "writes from a company address",
        "says_not": "writes from a private address",
    },
}


def rows_of(values, *, leads=None, seed=1, rate=0.3, column="source"):
    """Rows with one segment; each lead has one row unless `leads` says whose each is."""
    generator = np.random.default_rng(seed)
    size = len(values)
    chance = np.clip(generator.beta(2, 2 / rate - 2, size), 0.01, 0.99)
    names = [f"lead {number}" for number in (range(size) if leads is None else leads)]
    rows = pd.DataFrame(
        {
            "lead_id": names,
            "as_of": [day(number % 30) for number in range(size)],
            "group": names,
            "weight": generator.choice([1.0, 2.0], size),
            "label": (generator.random(size) < chance).astype(float),
            f"segment.{column}": pd.Series(values, dtype=object),
        }
    )
    return rows, chance


def evaluated(rows, chance, *, names=("source",), resamples=50):
    contenders = [Contender.baseline("model", chance), Contender.baseline("flat", np.full(len(rows), 0.3))]
    return segments(contenders, rows, business=playbook(attributes=ATTRIBUTES, segments=names), resamples=resamples)


def test_numbers_of_a_segment_are_those_of_its_rows_alone():
    rows, chance = rows_of(["search"] * 400 + ["advert"] * 300)
    found = {one.value: one for one in evaluated(rows, chance)}
    assert list(found) == ["search", "advert"]
    for value, start, end in (("search", 0, 400), ("advert", 400, 700)):
        label, weight, own = rows["label"][start:end], rows["weight"][start:end], chance[start:end]
        model = found[value].scorers[0]
        assert model.log_loss.value == pytest.approx(log_loss(label, own, sample_weight=weight))
        assert model.auc.value == pytest.approx(roc_auc_score(label, own, sample_weight=weight))
        assert model.base_rate.value == pytest.approx(np.average(label, weights=weight))
        assert model.lift_at_10.value == pytest.approx(model.precision_at_10.value / model.base_rate.value)
        assert (found[value].rows, found[value].positives) == (end - start, label.sum())
        for name in METRICS:
            number = getattr(model, name)
            assert number.low <= number.value <= number.high


def test_the_numbers_of_a_segment_are_the_same_whatever_the_other_segments_are():
    rows, chance = rows_of(["search"] * 400 + ["advert"] * 300)
    alone = evaluated(rows[:400], chance[:400])
    assert alone[0] == evaluated(rows, chance)[0]


def test_a_segment_with_too_few_leads_has_a_note_and_no_numbers():
    rows, chance = rows_of(["search"] * 400 + ["advert"] * 60)
    rows.loc[400:, "label"] = [1.0] * 4 + [0.0] * 56
    found = evaluated(rows, chance)[1]
    assert found.note == "too few to judge: 4 leads that reached won"
    assert all(getattr(scorer, name) is None for scorer in found.scorers for name in METRICS)
    assert [scorer.name for scorer in found.scorers] == ["model", "flat"]
    rows.loc[400:, "label"] = 1 - rows.loc[400:, "label"]
    assert evaluated(rows, chance)[1].note == "too few to judge: 4 leads that did not reach won"


def test_many_rows_of_one_lead_are_one_lead():
    rows, chance = rows_of(["search"] * 400, leads=[number // 100 for number in range(400)])
    rows["label"] = np.repeat([1.0, 0.0, 0.0, 1.0], 100)
    found = evaluated(rows, chance)[0]
    assert (found.leads, found.positives) == (4, 200)
    assert found.note == "too few to judge: 2 leads that reached won"


def test_missing_values_are_unknown_and_come_last():
    rows, chance = rows_of([None] * 300 + ["search"] * 100 + [float("nan")] * 100)
    found = evaluated(rows, chance)
    assert [(one.value, one.rows, one.says) for one in found] == [
        ("search", 100, "came through a search engine"),
        ("unknown", 400, "source unknown"),
    ]


def test_values_beyond_the_twelve_largest_are_one_segment():
    values = [f"source {number:02}" for number in range(30) for _ in range(60 - number)]
    rows, chance = rows_of([*values, *[None] * 5])
    found = evaluated(rows, chance)
    assert [one.value for one in found] == [
        *[f"source {number:02}" for number in range(11)],
        "other values",
        "unknown",
    ]
    assert found[-2].says == "any other source"
    assert sum(one.rows for one in found) == len(rows)


def test_booleans_have_the_playbooks_words():
    rows, chance = rows_of([1.0] * 200 + [0.0] * 150 + [np.nan] * 50, column="business_email")
    rows["segment.business_email"] = rows["segment.business_email"].astype(float)
    found = evaluated(rows, chance, names=("business_email",))
    assert [(one.value, one.says) for one in found] == [
        ("yes", "writes from a company address"),
        ("no", "writes from a private address"),
        ("unknown", "business email unknown"),
    ]
    assert {one.label for one in found} == {"business email"}


def test_without_segments_there_is_nothing():
    rows, chance = rows_of(["search"] * 50)
    assert evaluated(rows, chance, names=()) == ()
