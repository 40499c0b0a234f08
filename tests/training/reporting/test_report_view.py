"""Templates can ask for any part of a judgement, and JSON can hold it."""

import json
import math

import numpy as np

from training.reporting.report_view import complete, telling, the_model, the_rules

SCORERS = [
    {"name": "rules", "kind": "rules", "auc": {"value": 0.8, "low": 0.7, "high": 0.9}},
    {"name": "champion", "kind": "model", "auc": None},
    {"name": "demo", "kind": "model", "auc": {"value": 0.9, "low": 0.8, "high": 0.95}},
    {"name": "base rate", "kind": "baseline", "auc": {"value": 0.5, "low": 0.5, "high": 0.5}},
]


def test_an_absent_part_and_a_part_that_is_none_are_the_same():
    assert complete({}) == complete({"arena": None, "segments": None, "curves": None, "model": None})


def test_a_complete_judgement_is_strict_json():
    """NaN is no JSON, and numbers of NumPy's are none either."""
    found = complete({"data": {"rate": math.nan, "rows": np.int64(3), "share": np.float64(0.5), "list": (1, np.nan)}})
    assert json.loads(json.dumps(found, allow_nan=False))["data"] == {
        "rate": None,
        "rows": 3,
        "share": 0.5,
        "list": [1, None],
    }


def test_completing_twice_changes_nothing():
    once = complete({"verdict": "fine", "scorers": SCORERS})
    assert complete(once) == once


def test_the_model_is_the_one_that_is_named():
    assert the_model(SCORERS, "demo")["name"] == "demo"
    assert the_model(SCORERS)["name"] == "champion"
    assert the_model(SCORERS[:1]) is None
    assert the_rules(SCORERS)["name"] == "rules"


def test_only_scorers_that_tell_leads_apart_are_telling():
    assert [one["name"] for one in telling(SCORERS)] == ["rules", "champion", "demo"]
    assert telling(SCORERS[3:]) == SCORERS[3:]
