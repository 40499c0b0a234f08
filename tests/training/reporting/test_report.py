"""The report says everything the judgement says and nothing else, and is safe to open and to send."""

import re

import pytest
from markupsafe import Markup

from tests.training.reporting.pages import Page, changed, everywhere, leaves
from tests.training.reporting.sample import judgement, rules_only, without_amounts
from training.reporting import page, report
from training.reporting.report import render_report, worded_rules

MOST_BYTES = 1_500_000
NAMES = {"name", "title", "says", "lead_id", "label", "note", "verdict", "accepted", "accepted_risk", "fingerprint"}
EVIL = "<script>alert('x')</script> & \"'"
IN_PICTURES = {"curves", "by_day", "curve"}

# Said of the headline origin alone, or elsewhere in the judgement under another name.
UNSAID = re.compile(
    r"data\.features|model\.bands\.threshold|.*\.(train|calibrate|test)\.days|segments\.#\.scorers\.#\.lift_at_10\..*"
    r"|origins\.#\.scorers\.#\.(rows|positives|base_log_loss)"
    r"|origins\.#\.scorers\.#\.(brier_skill|pr_auc|base_rate|lift_at_5|lift_at_20|found_by_best_25|top_over_bottom|slope"
    r"|ece|value_at_capacity)\..*"
)


@pytest.fixture(scope="module")
def pages():
    made = {"full": judgement, "rules only": rules_only, "small": without_amounts}
    return {name: render_report(make()) for name, make in made.items()}


@pytest.fixture
def undrawn(monkeypatch):
    """Leave the pictures out: what tests of words and tables look at is there without them."""
    monkeypatch.setattr(report, "figure", lambda _draw: Markup("<figure></figure>"))


@pytest.fixture
def unpictured(monkeypatch):
    """Make the charts and check them, but leave the drawing out."""
    monkeypatch.setattr(page, "picture", lambda chart: chart.to_dict() and "<svg></svg>")


@pytest.mark.parametrize("name", ["full", "rules only", "small"])
def test_every_tag_closes_and_no_id_comes_twice(pages, name):
    seen = Page(pages[name])
    assert seen.wrong == []
    assert len(seen.ids) == len(set(seen.ids))


@pytest.mark.parametrize("name", ["full", "rules only", "small"])
def test_nothing_is_loaded_and_nothing_runs(pages, name):
    """It is opened from a mail, on a train, years later."""
    seen = Page(pages[name])
    assert {"script", "link", "iframe", "img", "object", "embed", "base", "form"}.isdisjoint(seen.tags)
    assert not [value for attribute, value in seen.attributes if attribute in {"src", "srcset", "xlink:href"}]
    assert {value[0] for attribute, value in seen.attributes if attribute == "href"} <= {"#"}
    assert not [attribute for attribute, _ in seen.attributes if attribute.startswith("on")]
    assert not re.search(r"@import|@font-face|url\((?!#)", pages[name])
    assert set(re.findall(r"https?://[^\s\"'<)]+", pages[name])) <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("name", ["full", "rules only", "small"])
def test_it_can_be_mailed(pages, name):
    assert len(pages[name].encode()) < MOST_BYTES


@pytest.mark.parametrize("name", ["full", "rules only", "small"])
def test_every_entry_of_the_contents_leads_somewhere(pages, name):
    seen = Page(pages[name])
    targets = {value[1:] for attribute, value in seen.attributes if attribute == "href"}
    assert targets
    assert targets <= set(seen.ids)


def test_the_verdict_comes_first_then_the_accepted_risk_then_the_figures(pages):
    text, found = Page(pages["full"]).text, judgement()
    places = [
        text.index(words) for words in (found["verdict"], found["accepted_risk"], "successes found in the replay")
    ]
    assert places == sorted(places)


def test_the_figures_on_top_are_those_of_the_model_beside_the_rules(pages):
    text = Page(pages["full"]).text
    for words in ("70% 63% – 76% 51% (45% – 58%) marketing rules", "482 of 803", "0.256", "0.364 without any scorer"):
        assert words in text


def test_every_gate_says_whether_it_passed(undrawn):
    found = judgement()
    found["gates"][0]["passed"] = False
    text = Page(render_report(found)).text
    assert "A gate failed future shift: 2,000 snapshots" in text
    assert text.count("✓ passed") == 4
    assert (text.count("✗ failed"), text.count("! failed, accepted")) == (1, 1)


def test_a_model_that_no_gate_held_has_no_warning(undrawn):
    text = Page(render_report(without_amounts())).text
    assert "A risk was accepted" not in text
    assert "✗ failed" not in text
    assert "! failed" not in text


def test_a_reason_for_a_gate_that_did_not_fail_is_told_as_such(undrawn):
    text = Page(render_report({**without_amounts(), "accepted_risk": "we know better"})).text
    assert "A risk would have been accepted No gate had to be passed over. The reason given: “we know better”" in text


def test_rules_alone_say_what_is_missing_for_a_model(pages):
    text = Page(pages["rules only"]).text
    assert "23 more leads that reach sql make a small model" in text
    assert "Nothing was judged" in text


def test_rules_alone_that_were_judged_have_their_figures(undrawn):
    text = Page(render_report({**rules_only(), "scorers": judgement()["scorers"][1:2]})).text
    assert "called leads that succeed higher is better 51% 45% – 58%" in text


def test_segments_with_too_few_leads_say_so(pages):
    text = Page(pages["full"]).text
    assert "education 61 240 4 – too few to judge: 4 leads that reached sql" in text


def test_without_amounts_nothing_is_said_of_value(pages):
    assert "value found" in Page(pages["full"]).text
    assert "value found" not in Page(pages["small"]).text


def test_every_number_comes_from_the_judgement(undrawn):
    """Change one, and the page changes: none is rounded away or left out, but those that are known to be."""
    found = judgement()
    before = render_report(found)
    first = {}
    for path, number in leaves(found):
        if not IN_PICTURES.intersection(path):
            first.setdefault(".".join("#" if isinstance(step, int) else step for step in path), (path, number))
    unsaid = {
        name
        for name, (path, number) in first.items()
        if render_report(changed(found, path, number * 1.7 + 13.37)) == before
    }
    assert {name for name in unsaid if not UNSAID.fullmatch(name)} == set()


@pytest.mark.parametrize("part", [*judgement()])
def test_any_part_may_be_absent(undrawn, part):
    required = {"format", "playbook", "goal", "capacity_per_day", "trained_at", "data", "standing", "verdict"}
    if part in required:
        return
    found = judgement()
    del found[part]
    assert Page(render_report(found)).wrong == []


def test_any_number_may_be_unknown(unpictured):
    """A bootstrap over too few accounts has no ends, and a rate over none has no value."""

    def forget(_name, value):
        return {"value": None, "low": None, "high": None} if isinstance(value, dict) and "low" in value else value

    found = everywhere(judgement(), forget)
    found["curves"] = judgement()["curves"]
    seen = Page(render_report(found))
    assert seen.wrong == []
    assert "nan" not in seen.text.lower().split()
    assert "None" not in seen.text.split()


def test_whatever_a_name_holds_it_stays_text(undrawn):
    """A lead may call itself anything."""

    def poison(name, value):
        return f"{value}{EVIL}" if name in NAMES and isinstance(value, str) else value

    found = everywhere(judgement(), poison)
    found["learned_scorecard"]["yaml"] = found["learned_scorecard"]["yaml"].replace(
        "has gone quiet", "<script>x</script>"
    )
    html = render_report(found)
    seen = Page(html)
    assert seen.wrong == []
    assert "script" not in seen.tags
    assert EVIL in seen.text
    assert not [attribute for attribute, _ in seen.attributes if attribute.startswith("on")]


def test_receipts_stand_side_by_side_and_add_up(pages):
    example = judgement()["arena"]["against"][0]["only_ours"]["examples"][0]
    text = Page(pages["full"]).text
    said = text[text.index("L-1000") : text.index("L-1001")]
    assert "demo grade A" in said
    assert "marketing rules grade C" in said
    for side in ("ours", "theirs"):
        receipt = example[side]
        total = receipt["base_points"] + sum(one["points"] for one in receipt["reasons"]) + receipt["rest_points"]
        assert total == pytest.approx(receipt["points"])
        assert all(one["says"] in said for one in receipt["reasons"])


def test_the_learned_scorecard_is_told_in_words_and_as_yaml(pages):
    learned = judgement()["learned_scorecard"]
    rules = worded_rules(learned)
    assert [rule["counts"] for rule in rules] == [
        "each demo_request, at most 1",
        "each page_view of pricing, at most 4, halved every 7 days",
        "each trial_use, at most 6, of the last 30 days",
        "seniority is director or vp or c_level",
        "employees from 200",
        "no activity for 30 days",
    ]
    assert " ".join(learned["yaml"].split()) in Page(pages["full"]).text
