"""The report says everything the evaluation says and nothing else, and is safe to open and to send."""

import re

import pytest
from markupsafe import Markup

from tests.training.reporting.pages import Page, changed, everywhere, leaves
from tests.training.reporting.sample import document, evaluation, rules_only, without_amounts
from training.evaluation.evaluation_document import Evaluation
from training.gates.gate import NOT_CONTRADICTED, QUESTION
from training.reporting import page, report
from training.reporting.report import render_report, worded_rules

MOST_BYTES = 1_500_000
NAMES = {"name", "title", "says", "lead_id", "label", "note", "verdict", "accepted", "accepted_risk", "fingerprint"}
EVIL = "<script>alert('x')</script> & \"'"
IN_PICTURES = {"curves", "by_day", "curve", "format_version"}

# Shown of the headline origin alone, or elsewhere in the evaluation under another name; the value of a difference is
# subtracted from the two numbers shown beside it.
UNSAID = re.compile(
    r"model\.bands\.threshold|model\.steps|model\.directions\..*|data\.horizon\.watched_days"
    r"|.*\.(train|test)\.days|segments\.#\.scorers\.#\.lift_at_10\..*"
    r"|(origins\.#\.)?differences\.#\.log_loss\.value|replay\.pairwise\.#\.(conversions|value)_more\.value"
    r"|origins\.#\.scorers\.#\.(rows|positives|base_log_loss)"
    r"|origins\.#\.scorers\.#\.(brier_skill|pr_auc|base_rate|lift_at_5|lift_at_20|found_by_best_25|top_over_bottom|slope"
    r"|ece|value_at_capacity)\..*"
)


@pytest.fixture(scope="module")
def pages():
    made = {"full": evaluation, "rules only": rules_only, "small": without_amounts}
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
    text, content = Page(pages["full"]).text, document()
    places = [
        text.index(words) for words in (content["verdict"], content["accepted_risk"], "successes found in the replay")
    ]
    assert places == sorted(places)


def test_the_figures_on_top_are_those_of_the_model_beside_the_rules(pages):
    text = Page(pages["full"]).text
    for words in ("70% 63% – 76% 51% (45% – 58%) marketing rules", "482 of 803", "0.256", "0.364 without any scorer"):
        assert words in text


def test_every_gate_shows_its_outcome(undrawn):
    gates = document()["gates"]
    gates[0]["passed"] = False
    gates[1]["conclusive"] = False
    gates[3]["question"] = True
    text = Page(render_report(evaluation(gates=gates))).text
    assert "A gate failed future shift: 2,000 snapshots" in text
    assert text.count("✓ passed") == 2
    assert (text.count(f"~ {NOT_CONTRADICTED}"), text.count(f"? {QUESTION}")) == (1, 1)
    assert (text.count("✗ failed"), text.count("! failed, accepted")) == (1, 1)


def test_a_model_that_no_gate_held_has_no_warning(undrawn):
    text = Page(render_report(without_amounts())).text
    assert "A risk was accepted" not in text
    assert "✗ failed" not in text
    assert "! failed" not in text


def test_a_reason_for_a_gate_that_did_not_fail_is_told_as_such(undrawn):
    text = Page(render_report(without_amounts(accepted_risk="we know better"))).text
    assert "A risk would have been accepted No gate failed, so nothing had to be accepted." in text
    assert "The reason given: “we know better”" in text


def test_rules_alone_say_what_is_missing_for_a_model(pages):
    text = Page(pages["rules only"]).text
    assert "23 more leads that reach sql make a small model" in text
    assert "Nothing was evaluated" in text


def test_rules_alone_that_were_evaluated_have_their_figures(undrawn):
    text = Page(render_report(rules_only(scorers=document()["scorers"][1:2]))).text
    assert "called snapshots that succeed higher is better 51% 45% – 58%" in text


def test_segments_with_too_few_leads_say_so(pages):
    text = Page(pages["full"]).text
    assert "education too few to judge: 4 leads that reached sql 61 240 4 –" in text


def test_without_amounts_nothing_is_said_of_value(pages):
    assert "value found" in Page(pages["full"]).text
    assert "value found" not in Page(pages["small"]).text


def test_every_number_comes_from_the_evaluation(undrawn):
    """Change one, and the page changes: none is rounded away or left out, but those that are known to be."""
    content = document()
    before = render_report(evaluation())
    first = {}
    for path, number in leaves(content):
        if not IN_PICTURES.intersection(path):
            first.setdefault(".".join("#" if isinstance(step, int) else step for step in path), (path, number))
    unsaid = {
        name
        for name, (path, number) in first.items()
        if render_report(Evaluation.model_validate(changed(content, path, other(number)))) == before
    }
    assert {name for name in unsaid if not UNSAID.fullmatch(name)} == set()


def other(number):
    """Return another number of the same type."""
    return type(number)(number * 1.7 + 13.37)


@pytest.mark.parametrize("part", [name for name, field in Evaluation.model_fields.items() if not field.is_required()])
def test_any_optional_part_may_be_absent(undrawn, part):
    content = document()
    content.pop(part, None)
    assert Page(render_report(Evaluation.model_validate(content))).wrong == []


def test_any_number_may_be_unknown(unpictured):
    """A bootstrap over too few accounts has no ends, and a rate over none has no value."""

    def forget(_name, value):
        return {"value": None, "low": None, "high": None} if isinstance(value, dict) and "low" in value else value

    content = everywhere(document(), forget)
    content["curves"] = document()["curves"]
    seen = Page(render_report(Evaluation.model_validate(content)))
    assert seen.wrong == []
    assert "nan" not in seen.text.lower().split()
    assert "None" not in seen.text.split()


def test_whatever_a_name_holds_it_stays_text(undrawn):
    """A lead may call itself anything."""

    def poison(name, value):
        return f"{value}{EVIL}" if name in NAMES and isinstance(value, str) else value

    content = everywhere(document(), poison)
    content["learned_scorecard"]["yaml"] = content["learned_scorecard"]["yaml"].replace(
        "has gone quiet", "<script>x</script>"
    )
    seen = Page(render_report(Evaluation.model_validate(content)))
    assert seen.wrong == []
    assert "script" not in seen.tags
    assert EVIL in seen.text
    assert not [attribute for attribute, _ in seen.attributes if attribute.startswith("on")]


def test_receipts_stand_side_by_side_and_add_up(pages):
    example = document()["replay"]["pairwise"][0]["only_first"]["examples"][0]
    text = Page(pages["full"]).text
    shown = text[text.index("L-1000") : text.index("L-1001")]
    assert "demo grade A" in shown
    assert "marketing rules grade C" in shown
    for side in ("first_receipt", "other_receipt"):
        receipt = example[side]
        total = receipt["base_points"] + sum(one["points"] for one in receipt["reasons"]) + receipt["rest_points"]
        assert total == pytest.approx(receipt["points"])
        assert all(one["says"] in shown for one in receipt["reasons"])


def test_the_learned_scorecard_is_told_in_words_and_as_yaml(pages):
    learned = evaluation().learned_scorecard
    rules = worded_rules(learned)
    assert [rule.counts for rule in rules] == [
        "each demo_request, at most 1",
        "each page_view of pricing, at most 4, halved every 7 days",
        "each trial_use, at most 6, of the last 30 days",
        "seniority is director or vp or c_level",
        "employees from 200",
        "no activity for 30 days",
    ]
    assert " ".join(learned.yaml.split()) in Page(pages["full"]).text


def test_a_difference_never_contradicts_the_two_numbers_beside_it(undrawn):
    """482.4 and 353.4 would be 129.0 apart to their last digit, but 482 and 353 are what a reader can subtract."""
    content = document()
    first, rules = content["replay"]["participants"][:2]
    first["conversions"]["value"], rules["conversions"]["value"] = 482.4, 353.6
    content["replay"]["pairwise"][0]["conversions_more"]["value"] = 128.8
    text = Page(render_report(Evaluation.model_validate(content))).text
    assert "482" in text
    assert "354 (" in text
    assert "+128 (+108 – +150) difference" in text
