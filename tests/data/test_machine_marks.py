"""Activities that follow others faster than a person can become another kind, by what was known by then."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.commands import check
from data.errors import PlaybookError
from data.home import Home
from data.words.machine_rules import MachineRule, Occurrence, Timeline
from data.workspace import Workspace
from tests.data.company import LEADS, TWO_LEADS, company, imported, rows
from tests.data.machine_facts import ACTIVITIES, ANSWER, BURST, RULE_LISTS, activity, as_file, histories, oracle
from tests.data.screens import shown

WEB = {
    "file": "web.csv",
    "holds": "activities",
    "columns": {"activity_id": "id", "kind": "kind", "known_at": "known_at"},
}


def clicks(*seconds):
    return [activity(f"c{number}", at=at) for number, at in enumerate(seconds, start=1)]


def company_of(folder, activities, rules, *, leads=TWO_LEADS, **says):
    files = {"leads.csv": leads, "web.csv": as_file(activities)}
    return company(folder, files, [LEADS, WEB], activities=ACTIVITIES, machines=rules, **says)


def kinds(warehouse):
    return dict(rows(warehouse, "activities", "activity_id", "kind"))


def marked(folder, activities, *rules):
    found = kinds(imported(company_of(folder, activities, list(rules))))
    return [name for name, kind in sorted(found.items()) if kind == "machine_click"]


def test_the_last_of_a_burst_become_a_machines_and_the_first_stay(tmp_path):
    assert marked(tmp_path, clicks(0, 2, 4, 6, 30), BURST) == ["c3", "c4"]


def test_the_window_has_both_its_ends(tmp_path):
    assert marked(tmp_path / "in", clicks(0, 5, 10), BURST) == ["c3"]
    assert marked(tmp_path / "out", clicks(0, 5, 10.000001), BURST) == []


def test_a_click_right_after_a_delivery_is_a_machines(tmp_path):
    mails = [activity("d1", "delivered", 0), activity("d2", "delivered", 60)]
    assert marked(tmp_path, [*mails, *clicks(0, 1, 1.5, 59, 60.5)], ANSWER) == ["c1", "c2", "c5"]


def test_what_became_known_later_does_not_count(tmp_path):
    """The first click was reported a minute late: when the third became known, only two were."""
    late = [activity("c1", at=0, known=60), activity("c2", at=1), activity("c3", at=2), activity("c4", at=3)]
    assert marked(tmp_path / "burst", late, BURST) == ["c4"]
    mails = [activity("d1", "delivered", at=0, known=60), activity("c1", at=0.5)]
    assert marked(tmp_path / "answer", mails, ANSWER) == []


def test_at_one_instant_ids_say_which_come_first(tmp_path):
    assert marked(tmp_path, clicks(0, 0, 0, 0), BURST) == ["c3", "c4"]


def test_other_leads_and_other_kinds_make_no_burst(tmp_path):
    others = [activity("x1", at=0, lead="bob"), activity("x2", "view", at=1), *clicks(2, 3)]
    assert marked(tmp_path, others, BURST) == []


def test_rejected_activities_make_no_burst(tmp_path):
    """c2 stands twice with other content: the earlier one counts, once."""
    assert marked(tmp_path, [*clicks(0, 1), activity("c2", at=2), activity("c3", at=40)], BURST) == []


def test_activities_that_were_marked_before_count_and_stay(tmp_path):
    assert marked(tmp_path, [activity("m1", "machine_click", 0), *clicks(1, 2)], BURST) == ["c2", "m1"]


def test_rows_that_the_service_stored_stay_as_they_are(tmp_path):
    folder = company(
        tmp_path,
        {"leads.csv": TWO_LEADS, "web.csv": as_file(clicks(0, 1, 2, 3)), "more.csv": as_file([activity("n1", at=4)])},
        [LEADS, {**WEB, "machines": "marked"}, {**WEB, "file": "more.csv"}],
        activities=ACTIVITIES,
        machines=[BURST],
    )
    warehouse = imported(folder)
    assert [name for name, kind in kinds(warehouse).items() if kind == "machine_click"] == ["n1"]
    assert [(count.marked, count.of) for count in warehouse.quality.machines] == [(1, 1)]


def test_check_says_how_many_each_rule_marked(tmp_path):
    facts = [activity("d1", "delivered", 0), *clicks(1, 2, 3, 4), activity("x1", at=90, lead="bob")]
    playbook = company_of(tmp_path, facts, [BURST, ANSWER])
    report = check(Workspace(playbook, Home(tmp_path / "home")))
    counted = [(count.marked, count.of, count.leads) for count in report.report.machines]
    assert counted == [(2, 5, 1), (1, 5, 1)]
    assert "2 of 5 click, of 1 lead, look like a machine and became machine_click: the 3rd and later" in shown(report)


def test_another_rule_means_other_tables(tmp_path):
    one = imported(company_of(tmp_path, clicks(0, 1, 2), [BURST]))
    other = imported(company_of(tmp_path, clicks(0, 1, 2), [{**BURST, "at_least": 4}]))
    assert (one.folder, kinds(one)["c3"], kinds(other)["c3"]) != (other.folder, "click", "click")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(several=st.lists(histories(), min_size=4, max_size=4), rules=RULE_LISTS)
def test_a_history_is_marked_as_the_definition_says(tmp_path_factory, several, rules):
    """Several histories are imported at once, each of leads of its own: an import takes far longer than a history."""
    history = [
        {**one, "id": f"{number}-{one['id']}", "lead": f"{one['lead']}-{number}"}
        for number, each in enumerate(several)
        for one in each
    ]
    leads = "lead_id,created_at\n" + "".join(f"{lead},2026-01-01\n" for lead in {one["lead"] for one in history})
    folder = company_of(tmp_path_factory.mktemp("marks"), history, rules, leads=leads)
    assert kinds(imported(folder)) == oracle(history, rules)


@given(history=histories(), rules=RULE_LISTS)
def test_a_timeline_agrees_with_the_definition(history, rules):
    """As in the service: activities arrive in the order in which they become known, and what is stored is marked."""
    parsed = [MachineRule(**rule) for rule in rules]
    timelines = {"ann": Timeline(), "bob": Timeline()}
    found = {}
    for one in sorted(history, key=lambda each: (each["known_at"], each["occurred_at"], each["id"])):
        sent = Occurrence(one["occurred_at"], one["known_at"], one["id"], one["kind"])
        found[one["id"]] = timelines[one["lead"]].kind_of(parsed, sent)
        timelines[one["lead"]].add(sent._replace(kind=found[one["id"]]))
    assert found == oracle(history, rules)


MISTAKES = {
    "unknown kind": ([{**BURST, "kinds": ["clack"]}], "unknown activity clack; did you mean click?"),
    "unknown become": ([{**BURST, "become": "machine_clack"}], "unknown activity machine_clack"),
    "unknown after": ([{**ANSWER, "after": "deliverd"}], "unknown activity deliverd; did you mean delivered?"),
    "becomes itself": ([{**BURST, "become": "click"}], "click is among the kinds of a rule"),
    "after a kind that changes": ([{**ANSWER, "after": "click"}], "click is itself a kind that rules change"),
    "no test": ([{"kinds": ["click"], "within_s": 1, "become": "machine_click"}], "give one test"),
    "two tests": ([{**BURST, "after": "delivered"}], "give one test"),
    "no seconds": ([{**BURST, "within_s": 0}], "greater than 0"),
    "one is no burst": ([{**BURST, "at_least": 1}], "greater than or equal to 2"),
    "two meanings": ([BURST, {**ANSWER, "become": "view"}], "click becomes machine_click by an earlier rule and view"),
    "two origins": ([BURST, {**BURST, "kinds": ["view"]}], "machine_click is made of click by an earlier rule"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_named_by_file_and_line(tmp_path, name):
    rules, says = MISTAKES[name]
    with pytest.raises(PlaybookError) as caught:
        company_of(tmp_path, clicks(0), rules)
    lines = (tmp_path / "playbook.yaml").read_text().splitlines()
    (mistake,) = [line for line in str(caught.value).splitlines() if says in line]
    line = int(mistake.removeprefix(f"{tmp_path / 'playbook.yaml'}:").partition(":")[0])
    assert line > lines.index("machines:"), mistake


@pytest.mark.parametrize(
    ("own", "becoming", "says"),
    [
        ({"subject": True}, {"subject": False}, "machine_click cannot carry the subjects of click; set subject: true"),
        ({"value": "points"}, {}, "machine_click does not carry the value of click; set value: points"),
    ],
)
def test_what_an_activity_carries_must_fit_what_it_becomes(tmp_path, own, becoming, says):
    kinds_of = {name: {**words, "subject": False} for name, words in ACTIVITIES.items()}
    kinds_of = {**kinds_of, "click": {**kinds_of["click"], **own}}
    kinds_of["machine_click"] |= becoming
    kinds_of["view"]["subject"] = True
    with pytest.raises(PlaybookError, match=says):
        company(tmp_path, {"leads.csv": TWO_LEADS}, [LEADS], activities=kinds_of, machines=[BURST])
