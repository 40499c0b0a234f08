"""What people are told of a changed score: news as news, what grew older as such, and the small rest in one line."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.instants import DAY_US, iso
from features.feature import Feature
from features.reducers import DaysSinceLast, DecayedCount
from models.receipt import Reason, Receipt, ScorerId
from serving.scorers.live_scorer import Score
from serving.scores.score_changes import LEAST_TOLD, change_in_words, told_changes
from tests.serving.conftest import opened

FIT = {"account_id": "A-1", "attributes": {"seniority": "vp", "employees": 500, "industry": "retail"}}


def told(store, since):
    answer = store.client.get("/v1/leads/L-1/changes", params={"since": iso(since)})
    assert answer.status_code == 200, answer.text
    content = answer.json()
    total = math.fsum([content["before"]["points"], *(one["points"] for one in content["changes"])])
    assert total == pytest.approx(content["after"]["points"], abs=1e-9)
    return content


def lines(content):
    return {one["code"]: one for one in content["changes"]}


@pytest.fixture
def busy(settings, promoted):
    """A service whose model answers, and a lead that asked for a demo."""
    store = opened(settings.model_copy(update={"models": promoted}))
    with store.client:
        store.lead(**FIT)
        store.activity("a-1")
        store.clock.pass_days(1)
        yield store


def test_what_happened_is_told_as_it_is(busy):
    since = busy.clock.now_us
    busy.clock.pass_days(1)
    busy.activity("a-2")
    content = told(busy, since)
    assert not any(one["says"].startswith("getting old") and one["points"] > 0 for one in content["changes"])
    assert all(abs(one["points"]) >= LEAST_TOLD for one in content["changes"] if one["code"] != "rest")


FEATURES = (
    Feature(
        "call_days_since_last", DaysSinceLast("call"), None, "was called {ago}", "was never called", "activity:call"
    ),
    Feature(
        "visit_decayed", DecayedCount("visit", half_life_days=7.0), 0.0, "came {n}", "never came", "activity:visit"
    ),
)
CALLED, CAME = (feature.code for feature in FEATURES)


def score(day, values, **lines):
    """A score as of a day, from the two values and from {code: (words, points)}."""
    reasons = tuple(Reason(code.replace("_", ":", 1), says, points) for code, (says, points) in lines.items())
    points = math.fsum([50.0, *(reason.points for reason in reasons)])
    scorer = ScorerId("model", "small", "1", "f" * 64)
    receipt = Receipt("L-1", day * DAY_US, points, 50.0, 0.1, "C", reasons, scorer)
    return Score(receipt, None, degraded=False, values=values, threshold=60.0)


def changed(before, after):
    found = told_changes(before, after, FEATURES)
    assert math.fsum(one.points for one in found) == pytest.approx(
        after.receipt.points - before.receipt.points, abs=1e-9
    )
    return {one.code: one.says for one in found}


def test_what_only_grew_older_is_said_to_be_getting_old():
    assert (CALLED, CAME) == ("activity:call", "activity:visit")
    before = score(0, [4.0, 2.0], activity_call=("was called 4 days ago", 8.0), activity_visit=("came twice", 6.0))
    after = score(7, [11.0, 1.0], activity_call=("was called 11 days ago", 5.0), activity_visit=("came twice", 3.0))
    assert changed(before, after) == {
        CALLED: "getting old: was called 11 days ago, before: was called 4 days ago",
        CAME: "getting old: came twice",
    }


def test_news_is_told_as_it_is():
    before = score(0, [4.0, 2.0], activity_call=("was called 4 days ago", 8.0), activity_visit=("came twice", 3.0))
    after = score(7, [1.0, 2.5], activity_call=("was called yesterday", 9.0), activity_visit=("came 3 times", 6.0))
    assert changed(before, after) == {CALLED: "was called yesterday", CAME: "came 3 times"}


def test_what_happened_for_the_first_time_is_news():
    before = score(0, [None, 0.0], activity_call=("was never called", -2.0))
    after = score(7, [1.0, 0.0], activity_call=("was called yesterday", 4.0))
    assert changed(before, after) == {CALLED: "was called yesterday"}


@pytest.mark.parametrize(("by", "says"), [(0.4, "slightly differently"), (2.5, "differently")])
def test_the_same_words_and_small_moves_are_one_line(by, says):
    before = score(0, [4.0, 2.0], lead_age=("employs 500", 3.0), activity_visit=("came twice", 3.0))
    after = score(0, [4.0, 2.0], lead_age=("employs 500", 3.0 + by), activity_visit=("came 2 times", 3.1))
    assert changed(before, after) == {"rest": f"the rest weighs {says}"}


def test_a_moment_later_nothing_of_note_has_changed(busy):
    since = busy.clock.now_us
    busy.clock.now_us += 60_000_000
    content = told(busy, since)
    assert content["says"].startswith(("Nothing of note changed: ", "Nothing changed: "))
    assert set(lines(content)) <= {"rest"}


reasons = st.lists(
    st.builds(Reason, st.text("abc", min_size=1, max_size=3), st.just("something"), st.floats(-9, 9)), max_size=6
)


@given(reasons, st.integers(0, 100), st.integers(0, 100))
def test_the_sentence_names_the_direction_or_says_that_there_is_none(reasons, before, after):
    says = change_in_words(before, after, reasons)
    total = math.fsum(reason.points for reason in reasons)
    assert says.endswith(".")
    if abs(total) >= 1:
        assert says.startswith(f"From {before} to {after} points: ")
    else:
        assert says.startswith(("Nothing changed", "Nothing of note", "Gains and losses cancel out"))
