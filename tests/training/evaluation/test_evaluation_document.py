"""The evaluation is one frozen, versioned document that reads back as it was written."""

import functools
import importlib
import json
import math
import pkgutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ValidationError

import training
from tests.training.reporting.pages import changed, leaves
from tests.training.reporting.sample import document, evaluation, rules_only, without_amounts
from training.errors import TrainingError
from training.evaluation.evaluation_document import FILE, Evaluation, read_evaluation
from training.statistics.estimate import Estimate, EvaluationPart

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
PATHS = [path for path, number in leaves(document()) if isinstance(number, float)]


@pytest.mark.parametrize("found", [evaluation(), rules_only(), without_amounts()], ids=["model", "rules", "small"])
def test_it_reads_back_as_it_was_written(found, tmp_path):
    (tmp_path / FILE).write_text(found.to_json(), encoding="utf-8")
    assert read_evaluation(tmp_path) == found


@settings(max_examples=25)
@given(path=st.sampled_from(PATHS), number=NUMBERS)
def test_every_number_reads_back_exactly(path, number):
    found = Evaluation.model_validate(changed(document(), path, number))
    assert Evaluation.model_validate_json(found.to_json()) == found


@given(value=st.floats(), low=st.floats(), high=st.floats())
def test_no_number_is_ever_nan_or_infinite(value, low, high):
    """JSON has no NaN; a number that does not exist is null."""
    estimate = Estimate(value=value, low=low, high=high)
    parsed = json.loads(estimate.model_dump_json(), parse_constant=pytest.fail)
    assert parsed == {
        name: number if math.isfinite(number) else None
        for name, number in (("value", value), ("low", low), ("high", high))
    }


@settings(max_examples=100)
@given(path=st.sampled_from(PATHS), number=st.sampled_from([math.nan, math.inf, -math.inf]))
def test_no_number_of_the_document_can_be_nan_or_infinite(path, number):
    """Where a number may be missing it becomes null; everywhere else the document is refused."""
    content = changed(document(), path, number)
    try:
        found = Evaluation.model_validate(content)
    except ValidationError:
        return
    written = json.loads(found.to_json(), parse_constant=pytest.fail)
    assert functools.reduce(lambda part, key: part[key], path, written) is None


def test_every_result_of_training_is_of_the_kind_that_refuses_them():
    """Whatever module defines it: results derive from one base, and none may turn its refusal off."""
    for module in pkgutil.walk_packages(training.__path__, "training."):
        if module.name != "training.registry.served_model":  # MLflow runs this one, as a model
            importlib.import_module(module.name)
    models = [each for each in _subclasses(BaseModel) if each.__module__.startswith("training.")]
    assert len(models) > 30
    for each in models:
        assert issubclass(each, EvaluationPart), each
        assert each.model_config["allow_inf_nan"] is False, each


def _subclasses(of):
    return [each for child in of.__subclasses__() for each in (child, *_subclasses(child))]


def test_a_count_that_is_nan_is_refused():
    with pytest.raises(ValidationError, match="finite"):
        Evaluation.model_validate({**document(), "capacity_per_day": math.nan})


def test_it_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        evaluation().verdict = "better"


def test_an_unknown_field_is_refused_however_deep():
    content = document()
    content["data"]["plan"]["test"]["hours"] = 3
    with pytest.raises(ValidationError, match=r"data\.plan\.test\.hours"):
        Evaluation.model_validate(content)


def test_its_json_schema_describes_it():
    schema = Evaluation.model_json_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    for found in (evaluation(), rules_only()):
        validator.validate(json.loads(found.to_json()))
    assert not validator.is_valid({**document(), "format_version": 2})


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{", "Invalid JSON"), ('{"format_version": 9}', "format_version"), ('{"format": "leadscore-judgement-1"}', "")],
)
def test_a_damaged_or_older_document_is_a_sentence(tmp_path, text, reason):
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(TrainingError, match=rf"{reason}.*train again to have a report"):
        read_evaluation(tmp_path)


def test_without_a_report_there_is_a_sentence(tmp_path):
    with pytest.raises(TrainingError, match=r"No such file.*train again to have a report"):
        read_evaluation(tmp_path)
