"""What a user gets wrong is said in a clear sentence, with exit code 2, and nothing is left half-written."""

import json
import shutil
from pathlib import Path

import pytest

from tests.end_to_end.command_line import leadscore

DEMO = Path(__file__).resolve().parents[2] / "data" / "playbooks" / "demo"


@pytest.fixture
def playbook(tmp_path):
    shutil.copytree(DEMO, tmp_path / "playbook")
    return tmp_path / "playbook"


def refused(done, *words):
    """The mistake is named on stderr, and as JSON where that was asked for."""
    assert done.code == 2, (done.stdout, done.stderr)
    for word in words:
        assert word in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", ["check", "build", "train", "load"])
def test_missing_exports_are_named(verb, playbook, tmp_path):
    done = leadscore(verb, "--playbook", str(playbook), "--exports", str(tmp_path / "nowhere"), home=tmp_path / "home")
    refused(done, "leads.parquet", "nowhere")


def test_a_playbook_that_does_not_exist(tmp_path):
    refused(leadscore("check", "--playbook", str(tmp_path / "none"), home=tmp_path), "is not a folder")


def test_broken_yaml_is_named_by_file_and_line(playbook, tmp_path):
    text = (playbook / "playbook.yaml").read_text()
    (playbook / "playbook.yaml").write_text(text.replace("goal: {", "goal: {{"))
    line = next(number for number, said in enumerate(text.splitlines(), 1) if said.startswith("goal:"))
    done = leadscore("check", "--playbook", str(playbook), home=tmp_path)
    refused(done, "playbook.yaml:")
    assert any(f"playbook.yaml:{number}:" in done.stderr for number in (line, line + 1)), done.stderr


def test_every_mistake_of_a_playbook_is_named_at_once(playbook, tmp_path):
    text = (playbook / "playbook.yaml").read_text()
    text = text.replace("stage: sql, horizon_days: 30", "stage: sqll, horizon_days: -3")
    (playbook / "playbook.yaml").write_text(text.replace("capacity_per_day: 10", "capacity_per_dya: 10"))
    done = leadscore("check", "--playbook", str(playbook), home=tmp_path)
    refused(done, "horizon_days", "capacity_per_dya", "did you mean capacity_per_day?")


def test_with_json_the_mistake_is_json_too(tmp_path):
    done = leadscore("check", "--playbook", str(tmp_path / "none"), "--json", home=tmp_path)
    refused(done)
    assert "is not a folder" in json.loads(done.stdout.splitlines()[-1])["error"]


def test_nothing_is_written_where_nothing_could_be_read(playbook, tmp_path):
    leadscore("train", "--playbook", str(playbook), "--exports", str(tmp_path / "nowhere"), home=tmp_path / "home")
    home = tmp_path / "home"
    assert [path for path in home.rglob("*") if path.is_file()] == [] if home.exists() else True


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["simulate", "{out}", "--leads", "0"], "0 leads cannot be simulated"),
        (["simulate", "{out}", "--until", "yesterday"], "is not an instant"),
        (["score", "--out", "{out}.csv", "--as-of", "soon", "--playbook", "{playbook}"], "is not an instant"),
        (["score", "--out", "{out}.xlsx", "--playbook", "{playbook}"], "ends in .parquet, .csv or .jsonl"),
    ],
)
def test_arguments_that_cannot_be_meant(arguments, said, playbook, tmp_path):
    filled = [part.format(out=tmp_path / "out", playbook=playbook) for part in arguments]
    refused(leadscore(*filled, home=tmp_path / "home"), said)
    assert not (tmp_path / "out").exists()


def test_a_simulation_never_replaces_what_is_not_one(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.txt").write_text("ten years of work")
    done = leadscore("simulate", str(tmp_path / "thesis"), "--leads", "5", home=tmp_path / "home")
    assert done.code == 2
    assert (tmp_path / "thesis" / "chapter1.txt").read_text() == "ten years of work"


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A company of 30 leads, too few for a model."""
    root = tmp_path_factory.mktemp("company")
    assert leadscore("simulate", str(root / "exports"), "--leads", "30", home=root / "home").code == 0
    return root


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explain", "L-none"], "no such lead is in the history"),
        (["explain", "L000001\udcff"], "is not a lead's id"),
        (["explain", "L000001", "--as-of", "2999-01-01"], "is in the future"),
        (["score", "--out", "{root}/s.parquet", "--as-of", "2999-01-01"], "is in the future"),
        (["score", "--out", "/dev/null/s.parquet"], "cannot be written"),
        (["promote"], "leadscore train"),
        (["compare"], "leadscore train"),
    ],
)
def test_what_cannot_be_answered_is_a_sentence(arguments, said, company):
    filled = [part.format(root=company) for part in arguments]
    refused(leadscore(*filled, "--playbook", str(company / "exports"), home=company / "home"), said)
    assert not (company / "s.parquet").exists()


def test_a_home_that_is_no_folder_is_a_sentence(company):
    refused(leadscore("check", "--playbook", str(company / "exports"), home="/dev/null"), "/dev/null")


def test_without_a_model_the_rules_score_and_say_so(company):
    out = company / "rules.parquet"
    done = leadscore(
        "score", "--out", str(out), "--json", "--playbook", str(company / "exports"), home=company / "home"
    )
    assert done.code == 0, done.stderr
    assert done.json["degraded"]
    assert done.json["scorer"]["kind"] == "rules"
    assert out.exists()


def test_too_little_history_leaves_the_rules_alone_and_says_what_is_missing(tmp_path):
    """No mistake of the user's: the answer is that the point rules score, and how many leads a model would need."""
    exports, home = tmp_path / "exports", tmp_path / "home"
    assert leadscore("simulate", str(exports), "--leads", "40", home=home).code == 0
    done = leadscore("train", "--playbook", str(exports), "--json", home=home)
    assert done.code == 0, done.stderr
    assert (done.json["version"], done.json["cold_start"]["stage"]) == (None, "rules only")
    assert "more leads that reach sql" in done.json["cold_start"]["missing"]
    refused(leadscore("promote", "--playbook", str(exports), home=home), "run leadscore train first")
