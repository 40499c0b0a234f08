"""`leadscore draft` on the command line: it asks, marks, refuses to overwrite, and answers programs in JSON."""

import builtins
import io
import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from data.drafting.commands import draft_from
from data.drafting.commented_yaml import Entry, to_yaml
from data.drafting.decisions import DraftQuestion
from data.drafting.questions import TerminalAnswers, answers_at, nobody
from data.errors import DataError
from data.words.playbook import load_playbook
from tests.data.drafting import crm_exports
from tests.end_to_end.command_line import leadscore

QUESTION = DraftQuestion("dates", "Which comes first?", {"day": "day first", "month": "month first"}, "day")


@pytest.fixture
def exports(tmp_path):
    """The files that a HubSpot user saved."""
    folder = tmp_path / "exports"
    folder.mkdir()
    for name, content in crm_exports.hubspot().items():
        (folder / name).write_text(content, encoding="utf-8")
    return sorted(folder.iterdir())


def run(exports, *options, home):
    return leadscore("draft", *map(str, exports), *options, home=home, COLUMNS="80")


def test_the_answer_says_what_each_file_holds_and_what_to_do_next(exports, tmp_path):
    done = run(exports, "--out", str(tmp_path / "acme"), home=tmp_path)
    assert done.code == 0
    assert "HubSpot contacts: it has Record ID," in done.stdout
    assert "capacity_per_day → 1." in done.stdout
    assert f"Next: leadscore check --playbook {tmp_path / 'acme'}" in done.stdout
    assert sorted(path.name for path in (tmp_path / "acme").iterdir()) == [
        "playbook.yaml",
        "routing.yaml",
        "scorecard.yaml",
    ]


def test_a_program_gets_the_decisions_as_json(exports, tmp_path):
    done = run(exports, "--out", str(tmp_path / "acme"), "--json", home=tmp_path)
    assert [(file["file"], file["holds"]) for file in done.json["files"]] == [
        ("all-contacts.csv", "leads"),
        ("activities.csv", "activities"),
    ]
    decisions = {decision["about"]: decision for decision in done.json["decisions"]}
    assert decisions["activities.csv: lead_id"] == {
        "about": "activities.csv: lead_id",
        "chosen": "Contact ID",
        "why": "100% of 60 Contact ID meet a Record ID of all-contacts.csv",
        "certain": True,
    }
    assert not decisions["capacity_per_day"]["certain"]


def test_a_folder_that_holds_something_is_never_overwritten(exports, tmp_path):
    out = tmp_path / "acme"
    out.mkdir()
    (out / "playbook.yaml").write_text("mine", encoding="utf-8")
    done = run(exports, "--out", str(out), "--yes", home=tmp_path)
    assert done.code == 2
    assert "holds playbook.yaml, and a draft overwrites nothing: name a new folder" in done.stderr
    assert (out / "playbook.yaml").read_text(encoding="utf-8") == "mine"


def test_a_file_in_the_place_of_the_folder_is_refused(exports, tmp_path):
    with pytest.raises(DataError, match="is a file: name a new folder"):
        draft_from(exports, out=exports[0])


def test_files_that_hold_no_outcome_are_refused_with_what_to_add(exports, tmp_path):
    done = run(exports[:1], "--out", str(tmp_path / "acme"), home=tmp_path)
    assert done.code == 2
    assert not (tmp_path / "acme").exists()
    assert done.stderr.count("\n") <= 2


def test_a_missing_file_is_named(tmp_path):
    done = run([tmp_path / "nowhere.csv"], "--out", str(tmp_path / "acme"), home=tmp_path)
    assert done.code == 2
    assert "nowhere.csv is not a file: name the files of your export" in done.stderr


def test_the_draft_finds_its_files_from_wherever_it_lies(exports, tmp_path):
    draft_from(exports, out=tmp_path / "far" / "away" / "acme")
    playbook = load_playbook(tmp_path / "far" / "away" / "acme")
    assert playbook.exports_folder == exports[0].parent


def test_answers_are_taken_and_said_in_the_playbook(exports, tmp_path):
    """Someone says that the counters are as of creation, and how many leads the team calls."""
    said = {"capacity_per_day": "12", "timezone": "Europe/Berlin"}
    counters = "all-contacts.csv: counters Number of Pageviews"

    def answer(question):
        return "attribute" if question.about == counters else said.get(question.about)

    result = draft_from(exports, out=tmp_path / "acme", answers=answer)
    business = load_playbook(tmp_path / "acme").business
    assert (business.capacity_per_day, business.timezone) == (12, "Europe/Berlin")
    assert "number_of_pageviews" in business.attributes
    assert result.undecided == []
    assert "DECIDE:" not in (tmp_path / "acme" / "playbook.yaml").read_text(encoding="utf-8")


# ---- questions


def typed(monkeypatch, *lines):
    """Type lines at a terminal, and return what was shown."""
    given_lines = iter(lines)
    monkeypatch.setattr(builtins, "input", lambda prompt="": next(given_lines))
    return Console(file=io.StringIO(), width=80)


def test_a_question_is_answered_by_number(monkeypatch):
    console = typed(monkeypatch, "2")
    assert TerminalAnswers(console)(QUESTION) == "month"
    assert "Which comes first?" in console.file.getvalue()


def test_return_takes_the_safe_answer(monkeypatch):
    assert TerminalAnswers(typed(monkeypatch, ""))(QUESTION) == "day"


def test_what_is_no_choice_is_asked_again(monkeypatch):
    console = typed(monkeypatch, "7", "perhaps", "1")
    assert TerminalAnswers(console)(QUESTION) == "day"
    assert console.file.getvalue().count("Choose a number from 1 to 2.") == 2


def test_an_open_question_takes_whatever_fits(monkeypatch):
    """There a number is the answer itself, not one of a list."""
    question = DraftQuestion("capacity", "How many?", {"25": "25, as seen"}, "25", str.isdigit, "there are 90 a day")
    console = typed(monkeypatch, "a lot", "1")
    assert TerminalAnswers(console)(question) == "1"
    assert "There are 90 a day. How many?" in console.file.getvalue()
    assert "a lot does not fit." in console.file.getvalue()


def test_where_a_program_reads_nobody_is_asked():
    assert answers_at(Console(file=io.StringIO())) is nobody


# ---- YAML


@given(
    st.dictionaries(st.text(min_size=1, max_size=12), st.text(max_size=20) | st.booleans() | st.integers(), max_size=5)
)
def test_whatever_is_written_reads_back_as_it_was(content):
    """Keys and values come from users' files: NO, on, 012, colons and control characters among them."""
    text = to_yaml((Entry("flow", content), Entry("list", list(content)), Entry("block", ((Entry("a", 1)),))))
    read = yaml.safe_load(text)
    assert read["flow"] == content
    assert read["list"] == list(content)


def test_json_of_a_draft_is_plain(exports, tmp_path):
    assert json.loads(json.dumps(draft_from(exports, out=tmp_path / "acme").as_json()))["folder"] == str(
        tmp_path / "acme"
    )
