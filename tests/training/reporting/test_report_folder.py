"""A report is written whole or not at all, and an older one stays until then."""

import json
from pathlib import Path

import pytest
from markupsafe import Markup

from tests.training.reporting.sample import evaluation, rules_only
from training.errors import TrainingError
from training.evaluation.evaluation_document import Evaluation
from training.reporting import card, report
from training.reporting.card import card_of
from training.reporting.report_folder import renew_card, write_report


@pytest.fixture(autouse=True)
def undrawn(monkeypatch):
    for module in (card, report):
        monkeypatch.setattr(module, "figure", lambda _draw: Markup("<figure></figure>"))


def test_the_four_files_stand_together_and_say_the_same(tmp_path):
    place = tmp_path / "runs" / "1"
    files = write_report(evaluation(), place)
    assert [file.name for file in files] == ["report.html", "card.html", "card.json", "evaluation.json"]
    assert sorted(place.iterdir()) == sorted(files)
    assert Evaluation.model_validate_json((place / "evaluation.json").read_bytes()) == evaluation()
    assert (place / "card.json").read_text(encoding="utf-8") == card_of(evaluation()).to_json()


def test_the_card_says_unsigned_until_the_model_is_signed_and_then_by_which_key(tmp_path):
    write_report(evaluation(), tmp_path)
    assert json.loads((tmp_path / "card.json").read_text())["signature"] == {"state": "unsigned", "key_id": None}
    assert "Unsigned: nobody vouches yet" in (tmp_path / "card.html").read_text(encoding="utf-8")
    before = {name: (tmp_path / name).read_bytes() for name in ("report.html", "evaluation.json")}
    renew_card(tmp_path, signed_by="7c8edf77d1d0aec9")
    assert json.loads((tmp_path / "card.json").read_text())["signature"]["state"] == "signed"
    assert "Signed by the key 7c8edf77d1d0aec9" in (tmp_path / "card.html").read_text(encoding="utf-8")
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_point_rules_have_no_signature(tmp_path):
    write_report(rules_only(), tmp_path)
    assert json.loads((tmp_path / "card.json").read_text())["signature"] is None
    assert "nsigned" not in (tmp_path / "card.html").read_text(encoding="utf-8")


def test_a_card_without_its_evaluation_is_a_sentence(tmp_path):
    with pytest.raises(TrainingError, match="cannot be read"):
        renew_card(tmp_path, signed_by="7c8edf77d1d0aec9")


def test_writing_again_replaces_all_of_it(tmp_path):
    write_report(evaluation(), tmp_path / "report")
    write_report(rules_only(), tmp_path / "report")
    assert json.loads((tmp_path / "report" / "evaluation.json").read_text(encoding="utf-8"))["model"] is None
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_what_cannot_be_written_leaves_the_older_report_as_it_was(tmp_path, monkeypatch):
    place = tmp_path / "report"
    before = {file.name: file.read_text(encoding="utf-8") for file in write_report(rules_only(), place)}
    told = Path.write_text

    def full(path, text, **given):
        if path.name == "card.json":
            raise OSError(28, "No space left on device")
        return told(path, text, **given)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(TrainingError, match=r"No space left on device.*make room"):
        write_report(evaluation(), place)
    assert {file.name: file.read_text(encoding="utf-8") for file in place.iterdir()} == before
    assert list(tmp_path.iterdir()) == [place]


def test_a_folder_that_cannot_be_exchanged_comes_back(tmp_path, monkeypatch):
    place = tmp_path / "report"
    write_report(rules_only(), place)
    rename, refused = Path.rename, []

    def refuse_once(path, target):
        if target == place and not refused:
            refused.append(path)
            raise OSError(13, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse_once)
    with pytest.raises(TrainingError, match="Permission denied"):
        write_report(evaluation(), place)
    assert json.loads((place / "evaluation.json").read_text(encoding="utf-8"))["model"] is None
    assert list(tmp_path.iterdir()) == [place]


def test_a_place_inside_a_file_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(TrainingError, match="cannot be written"):
        write_report(rules_only(), tmp_path / "file" / "report")
