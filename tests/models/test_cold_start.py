"""The standing is read back as it was written, and a damaged one is a sentence."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cold_start import ColdStartStage, load_standing, save_standing
from models.errors import ModelError, StructureError

RUNGS = st.sampled_from(["rules only", "small model", "full model"])


@given(RUNGS, st.integers(0, 10**9), st.integers(0, 10**9), st.text(max_size=40))
def test_it_is_read_back_as_it_was_written(rung, succeeded, failed, missing):
    stage = ColdStartStage(rung, succeeded, failed, missing)
    assert ColdStartStage.from_json(json.loads(json.dumps(stage.as_json()))) == stage


def test_before_any_training_there_is_none(tmp_path):
    assert load_standing(tmp_path) is None


def test_the_newest_replaces_the_last(tmp_path):
    save_standing(
        tmp_path / "models", ColdStartStage("rules only", 3, 90, "37 more leads that reach sql make a small model")
    )
    save_standing(tmp_path / "models", ColdStartStage("full model", 900, 9000, ""))
    assert load_standing(tmp_path / "models") == ColdStartStage("full model", 900, 9000, "")
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["standing.json"]


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"rung": "top"}',
        '{"rung": "top", "succeeded": 1, "failed": 1, "missing": ""}',
        '{"rung": "rules only", "succeeded": 1.5, "failed": 1, "missing": ""}',
        '{"rung": "rules only", "succeeded": 1, "failed": 1, "missing": null}',
    ],
)
def test_a_damaged_one_is_a_sentence(tmp_path, content):
    (tmp_path / "standing.json").write_text(content)
    with pytest.raises(StructureError, match="found"):
        load_standing(tmp_path)


def test_one_that_is_no_text_is_a_sentence(tmp_path):
    (tmp_path / "standing.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ModelError, match="train again"):
        load_standing(tmp_path)
