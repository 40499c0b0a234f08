"""A playbook's mistakes are reported all at once, each with file, line and what to do."""

import itertools
import re
import shutil
from pathlib import Path

import pytest
import yaml

from data.errors import PlaybookError
from data.words.playbook import load_playbook

DEMO = Path(__file__).parents[2] / "data/playbooks/demo"


@pytest.fixture
def playbook(tmp_path):
    """Return a copy of the demo playbook that a test may change."""
    return Path(shutil.copytree(DEMO, tmp_path / "demo"))


def mistakes_in(folder):
    with pytest.raises(PlaybookError) as error:
        load_playbook(folder)
    return str(error.value).replace(f"{folder}/", "").splitlines()


def spoil(folder, name, old, new):
    file = folder / f"{name}.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize("name", ["demo", "bpi2012"])
def test_the_playbooks_that_come_along_are_well(name):
    assert load_playbook(DEMO.parent / name).business.name == name


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (
            "playbook",
            "lead_id: visitor",
            "lead_idd: visitor",
            "sources.1.columns.lead_idd: unknown name; did you mean lead_id?",
        ),
        (
            "playbook",
            "holds: outcomes",
            "holds: outcome",
            "sources.4.holds: unknown holds outcome; did you mean outcomes?",
        ),
        ("playbook", "goal: {stage: sql", "goal: {stage: sqll", "goal.stage: unknown stage sqll; did you mean sql?"),
        ("playbook", "Europe/Berlin", "Europe/Berlim", "timezone: Europe/Berlim is not a time zone"),
        ("playbook", "capacity_per_day: 10", "capacity_per_day: .inf", "capacity_per_day: should be a finite number"),
        (
            "playbook",
            "[lead_status]",
            "[lead_statu]",
            "unknown activity or attribute lead_statu; did you mean lead_status?",
        ),
        (
            "playbook",
            "rises_with: [demo_request",
            "rises_with: [demo_reqest",
            "features.rises_with.0: unknown activity or attribute demo_reqest; did you mean demo_request?",
        ),
        (
            "playbook",
            "page_view/pricing]",
            "page_view/prices]",
            "features.rises_with.2: unknown subject prices; did you mean pricing?",
        ),
        (
            "playbook",
            "page_view/pricing]",
            "page_view/]",
            "features.rises_with.2: page_view/ lacks the subject after the slash",
        ),
        (
            "playbook",
            "page_view/pricing]",
            "demo_request/blue]",
            "features.rises_with.2: demo_request carries no subject; remove it",
        ),
        ("playbook", "page_view/pricing]", "employees/9]", "features.rises_with.2: unknown activity employees"),
        (
            "playbook",
            "page_view/pricing]",
            "industry]",
            "features.rises_with.2: industry is a category, whose values have no order",
        ),
        (
            "playbook",
            "falls_with: [unsubscribe]",
            "falls_with: [lead_status]",
            "features.falls_with.0: lead_status is on never_use, so no score depends on it",
        ),
        (
            "playbook",
            "falls_with: [unsubscribe]",
            "falls_with: [unsubscribe, email_reply]",
            "features.falls_with.1: email_reply is also in rises_with; keep one of the two.",
        ),
        (
            "playbook",
            "rises_with: [demo",
            "rises_wiht: [demo",
            "features.rises_wiht: unknown name; did you mean rises_w",
        ),
        ("playbook", "file: outcomes.csv", "file: /etc/passwd", "the path must stay inside the folder of exports"),
        ("playbook", "  call: {did", "  call: {dit", "activities.call.dit: unknown name; did you mean did?"),
        ("playbook", "Call: call", "on: call", "YAML reads on as true: put it in quotes"),
        ("playbook", "name: demo", "name: demo\nname: other", "name is given twice (first on line 2): keep one."),
        ("scorecard", "points: 40", "poinst: 40", "rules.0.poinst: unknown name; did you mean points?"),
        ("playbook", "closed_by: [won,", "final: [wonn]\nclosed_by: [won,", "unknown stage wonn; did you mean won?"),
        ("playbook", "closed_by: [won,", "final: [mql]\nclosed_by: [won,", "mql does not close a lead"),
        ("playbook", "closed_by: [won,", "reopened_by: [webinair]\nclosed_by: [won,", "did you mean webinar?"),
        (
            "playbook",
            "closed_by: [won,",
            "reopened_by: [demo_request]\nfinal: [won, lost, disqualified]\nclosed_by: [won,",
            "every stage that closes a lead is final",
        ),
        ("scorecard", "half_life_days: 14", "half_life_days: 14, within_days: 3", "exclude each other"),
        ("scorecard", "in: [student]", "in: [studend]", "unknown value studend; did you mean student?"),
        ("scorecard", "{activity: webinar", "{activity: webinair", "unknown activity webinair; did you mean webinar?"),
        ("scorecard", "{inactive_days: 30,", "{", "a rule names an activity, an attribute or inactive_days"),
        ("routing", "A: 0.05", "A: 0.95", "grades: the shares of A, B and C must leave room for D"),
    ],
)
def test_a_mistake_is_named_by_file_and_line(playbook, name, old, new, expected):
    line = spoil(playbook, name, old, new)
    mistakes = mistakes_in(playbook)
    assert any(expected in mistake for mistake in mistakes)
    assert any(mistake.startswith((f"{name}.yaml:{line}:", f"{name}.yaml:{line + 1}:")) for mistake in mistakes)


def test_a_number_and_a_yes_or_no_may_only_raise_a_score(playbook):
    spoil(playbook, "playbook", "rises_with: [", "rises_with: [employees, business_email, email_click/spring, ")
    assert load_playbook(playbook).business.features.rises_with[:2] == ("employees", "business_email")


def test_an_activity_with_intent_opens_what_was_lost_but_not_what_was_won(playbook):
    lifecycle = load_playbook(playbook).business.lifecycle
    assert lifecycle.reopening == {"demo_request", "trial_start", "meeting"}
    assert lifecycle.closing - lifecycle.final == {"lost", "disqualified"}


def test_a_playbook_says_itself_what_opens_a_lead_and_after_what(playbook):
    spoil(playbook, "playbook", "closed_by: [won,", "reopened_by: [webinar]\nfinal: [disqualified]\nclosed_by: [won,")
    lifecycle = load_playbook(playbook).business.lifecycle
    assert lifecycle.reopening == {"webinar"}
    assert lifecycle.final == {"sql", "won", "disqualified"}, "the goal and won are final whatever a playbook says"


def test_what_is_never_used_opens_no_lead_again(playbook):
    spoil(playbook, "playbook", "never_use: [lead_status]", "never_use: [demo_request]")
    text = (playbook / "playbook.yaml").read_text(encoding="utf-8")
    line = next(number for number, each in enumerate(text.splitlines(), 1) if each.startswith("  demo_request:"))
    why = "demo_request is on never_use, so it opens no lead again; remove one of the two."
    assert f"playbook.yaml:{line}: activities.demo_request.intent: {why}" in mistakes_in(playbook)


def test_mistakes_of_all_files_are_told_at_once(playbook):
    spoil(playbook, "playbook", "goal: {stage: sql", "goal: {stage: sqll")
    spoil(playbook, "playbook", "closed_by: [won", "closed_by: [wonn")
    spoil(playbook, "scorecard", "{activity: webinar", "{activity: webinair")
    spoil(playbook, "routing", "hysteresis_points: 5", "hysteresis_points: -5")
    named = [one.split(".yaml:")[0] for one in mistakes_in(playbook)]
    assert named == ["routing", "playbook", "playbook", "scorecard"]


LAUGHS = "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in itertools.pairwise("abcdefgh")
)


def test_a_repeated_place_is_read_as_if_written_out(playbook):
    spoil(playbook, "playbook", "bot_view: {did", "bot_view: &words {did")
    spoil(
        playbook,
        "playbook",
        "  webinar: {did: watched a webinar, one: webinar, many: webinars, value: seconds}",
        "  webinar: *words",
    )
    found = load_playbook(playbook).business.activities
    assert found["webinar"] == found["bot_view"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("? [a, b]\n: c\n", "playbook.yaml:1: a list or mapping cannot be a key"),
        ("a:\n  ? {b: c}\n  : d\n", "playbook.yaml:2: a list or mapping cannot be a key"),
        ("a: &x [*x]\n", "playbook.yaml:1: this alias contains itself: write the values out."),
        ("b: 1\na: &x {? *x : 1}\n", "playbook.yaml:2: this alias contains itself: write the values out."),
        (LAUGHS, "playbook.yaml:1: aliases (*name) expand to too many values"),
        ("<<: {a: b}\n", "playbook.yaml:1: << (merge) is not supported: write the values out."),
        ("a: b\n---\nc: d\n", "playbook.yaml:2: this is not YAML (but found another document)"),
        ('a: 1\nb: "open\n', "playbook.yaml:3: this is not YAML"),
        ("a: 1\nb: \x00\n", "playbook.yaml:2: this is not YAML (special characters are not allowed)"),
        ("a: 1\nb: !!python/name:os.system x\n", "playbook.yaml:2: 'x' is not a value that a playbook can hold"),
        ("a: !!int x\n", "playbook.yaml:1: 'x' is not a value that a playbook can hold"),
        ("[" * 4000 + "]" * 4000, "playbook.yaml:1: lists and mappings are nested too deeply"),
        ("- a\n", "playbook.yaml:1: expected a mapping of name, title"),
        ("only words", "playbook.yaml:1: expected a mapping of name, title"),
        ("", "playbook.yaml:1: expected a mapping of name, title"),
        ("1: x\n", "playbook.yaml:1: "),
    ],
)
def test_what_is_no_playbook_is_one_clear_sentence(playbook, text, expected):
    (playbook / "playbook.yaml").write_text(text)
    assert mistakes_in(playbook)[0].startswith(expected)


def test_other_encodings_are_refused(playbook):
    (playbook / "playbook.yaml").write_bytes("title: Größe".encode("utf-16"))
    assert mistakes_in(playbook)[0].startswith("playbook.yaml:1: this cannot be read as UTF-8 text")


def test_missing_files_and_folders_are_named(playbook, tmp_path):
    (playbook / "routing.yaml").unlink()
    assert "routing.yaml does not exist" in mistakes_in(playbook)[0]
    assert "is not a folder" in mistakes_in(tmp_path / "nowhere")[0]


def test_a_word_of_an_event_log_means_one_thing(tmp_path):
    bpi = Path(shutil.copytree(DEMO.parent / "bpi2012", tmp_path / "bpi2012"))
    line = spoil(bpi, "playbook", "outcomes:\n", "ignore: [A_APPROVED|COMPLETE]\n    outcomes:\n")
    mistake = mistakes_in(bpi)[0]
    assert "A_APPROVED|COMPLETE: a word is an activity (kinds), an outcome (outcomes) or neither (ignore)" in mistake
    assert int(mistake.split(":")[1]) < line


def test_the_folder_of_exports_may_come_from_the_environment(playbook, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEADSCORE_DATA", "my/exports")
    assert load_playbook(playbook).exports_folder == tmp_path / "my/exports", (
        "a relative path counts from the working directory"
    )
    monkeypatch.delenv("LEADSCORE_DATA")
    assert load_playbook(playbook).exports_folder == (playbook / "../../store/demo/exports").resolve()


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("scorecard.yaml", "subject: pricing", "subject: pricng", "unknown subject pricng; did you mean pricing?"),
        ("scorecard.yaml", "activity: webinar,", "activity: webinar, subject: pricing,", "webinar carries no subject"),
        ("scorecard.yaml", "in: [student]", "in: [studnet]", "unknown value studnet; did you mean student?"),
        ("scorecard.yaml", "is: false", "is: maybe", "expected true or false"),
        (
            "scorecard.yaml",
            "attribute: employees, at_least: 200",
            "attribute: employees, is: many",
            "expected a number",
        ),
        ("scorecard.yaml", "attribute: business_email, is: false", "attribute: lead_status, is: new", "never_use"),
        ("playbook.yaml", "says: works in {value}", "says: works somewhere", "the words lack {value}"),
        (
            "playbook.yaml",
            "words: {public: the public sector",
            "words: {publik: the public sector",
            "unknown value publik",
        ),
    ],
)
def test_what_can_never_apply_is_a_mistake(playbook, file, old, new, expected):
    folder = playbook
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PlaybookError, match=re.escape(expected)) as caught:
        load_playbook(folder)
    line = next(number for number, was in enumerate(text.splitlines(), 1) if old in was)
    assert f"{file}:" in str(caught.value)
    assert any(f"{file}:{number}:" in str(caught.value) for number in range(line - 1, line + 2)), caught.value


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (
            {"name": "x", "reduce": "trend", "activity": "call", "days": 30, "long_days": 7},
            "must be shorter than long_days",
        ),
        ({"name": "x", "reduce": "decayed", "activity": "call"}, "half_life_days: missing"),
        ({"name": "x", "reduce": "sum"}, "activity: missing"),
        ({"name": "x", "reduce": "median"}, "unknown reduce median; did you mean mean?"),
        ({"name": "x", "reduce": "trend", "activity": "call", "days": 7}, "long_days: missing"),
        (
            {"name": "x", "reduce": "count", "activity": "call", "half_life_days": 7},
            "half_life_days: unknown name",
        ),
        ({"name": "x", "reduce": "count", "activity": "page_view", "subject": "prices"}, "unknown subject prices"),
        ({"name": "x", "reduce": "sum", "activity": "webinar_"}, "unknown activity webinar_"),
        ({"name": "x", "reduce": "sum", "activity": "demo_request"}, "carries no value to sum"),
        ({"name": "x", "reduce": "count", "activity": "call", "says": "called {many}"}, "unknown placeholder {many}"),
        ({"name": "x", "reduce": "previous_value", "attribute": "senority"}, "did you mean seniority?"),
        ({"name": "x", "reduce": "days_since_change"}, "attribute: missing"),
        ({"name": "x", "reduce": "previous_value", "attribute": "seniority", "says": "{n}"}, "unknown placeholder {n}"),
        ({"name": "x", "reduce": "attribute_changes", "attribute": "lead_status"}, "lead_status is on never_use"),
    ],
)
def test_a_wished_feature_that_makes_no_sense_is_a_mistake(playbook, added, expected):
    folder = playbook
    content = yaml.safe_load((folder / "playbook.yaml").read_text(encoding="utf-8"))
    content["features"]["add"] = [added]
    (folder / "playbook.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(PlaybookError, match=re.escape(expected)):
        load_playbook(folder)


def test_an_added_feature_cannot_look_at_what_is_never_used(playbook):
    content = yaml.safe_load((playbook / "playbook.yaml").read_text(encoding="utf-8"))
    content["features"]["add"] = [{"name": "x", "reduce": "count", "activity": "call"}]
    content["never_use"] = ["call"]
    (playbook / "playbook.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(PlaybookError, match=r"features\.add\.0\.activity: call is on never_use"):
        load_playbook(playbook)


def test_a_company_that_only_has_leads_needs_no_activities(playbook):
    folder = playbook
    content = yaml.safe_load((folder / "playbook.yaml").read_text(encoding="utf-8"))
    content |= {"activities": {}, "features": {}, "sources": [content["sources"][0]]}
    (folder / "playbook.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    rule = {"attribute": "seniority", "in": ["vp"], "points": 15, "because": "can sign"}
    (folder / "scorecard.yaml").write_text(yaml.safe_dump({"rules": [rule]}), encoding="utf-8")
    shutil.rmtree(folder / "scorecards")
    assert load_playbook(folder).business.activities == {}


def test_point_rules_in_scorecards_are_rivals_by_file_name(playbook):
    rules = (playbook / "scorecard.yaml").read_text()
    (playbook / "scorecards" / "b.yaml").write_text(rules.replace("name: marketing rules", "name: first idea"))
    (playbook / "scorecards" / "a.yml").write_text(rules.replace("name: marketing rules\n", ""))
    (playbook / "scorecards" / ".b.yaml").write_text("an editor's: [")
    (playbook / "scorecards" / "notes.md").write_text("- [not rules")
    found = load_playbook(playbook)
    assert [rules.name for rules in found.rivals] == ["a", "first idea", "rules of last year"]
    assert found.rivals[1].rules == found.scorecard.rules


def test_a_playbook_needs_no_rivals(playbook):
    shutil.rmtree(playbook / "scorecards")
    assert load_playbook(playbook).rivals == ()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("activity: webinar,", "activity: webinair,", "unknown activity webinair; did you mean webinar?"),
        ("points: 50,", "poinst: 50,", "rules.0.poinst: unknown name; did you mean points?"),
        ("attribute: employees,", "attribute: lead_status,", "lead_status is on the playbook's never_use"),
    ],
)
def test_a_rival_is_checked_as_the_scorecard_is(playbook, old, new, expected):
    line = spoil(playbook, "scorecards/last_year", old, new)
    mistakes = mistakes_in(playbook)
    assert any(
        expected in mistake and mistake.startswith(f"scorecards/last_year.yaml:{line}:") for mistake in mistakes
    ), mistakes


def test_no_two_sets_of_rules_are_called_alike(playbook):
    shutil.copy(playbook / "scorecard.yaml", playbook / "scorecards" / "copy.yaml")
    line = spoil(playbook, "scorecards/last_year", "name: rules of last year", "name: marketing rules")
    mistakes = mistakes_in(playbook)
    assert [mistake.split(": ")[0] for mistake in mistakes] == [
        "scorecards/copy.yaml:2",
        f"scorecards/last_year.yaml:{line}",
    ]
    assert all("marketing rules is already the name of the rules in scorecard.yaml" in mistake for mistake in mistakes)
