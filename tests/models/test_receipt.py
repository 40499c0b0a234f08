"""A receipt adds up, and so does the difference between two."""

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from models.receipt import LEAST_TOLD, Reason, Receipt, ScorerId, by_size, changes, displayed, told_reasons

SCORER = ScorerId("model", "test", "1", "f" * 64)
POINTS = st.floats(-200, 200)


@st.composite
def receipts(draw, base=None):
    """Draw a receipt whose points are the sum of its lines; some were stretched."""
    lines = draw(st.dictionaries(st.sampled_from("abcdefgh"), POINTS.filter(bool), max_size=8))
    start = draw(POINTS) if base is None else base
    reasons = by_size([Reason(code, f"did {code}", points) for code, points in lines.items()])
    points = start + math.fsum(lines.values())
    stretch = draw(st.none() | st.floats(0, 20))
    return Receipt("ann", 5, points, start, 0.2, "B", reasons, SCORER, stretch=stretch)


@given(receipts(), receipts())
def test_what_changed_adds_up_to_the_difference(before, after):
    moved = math.fsum(reason.points for reason in changes(before, after))
    assert math.isclose(moved, after.points - before.points, abs_tol=1e-9)


@given(receipts())
def test_nothing_changed_between_a_receipt_and_itself(receipt):
    assert changes(receipt, receipt) == ()


@given(receipts(), st.integers(0, 9))
def test_what_is_not_shown_stands_in_the_rest(receipt, shown):
    content = receipt.as_json(shown)
    total = content["base_points"] + math.fsum(r["points"] for r in content["reasons"]) + content["rest_points"]
    assert math.isclose(total, content["points"], abs_tol=1e-9)
    assert content["score"] == displayed(receipt.points)
    assert 0 <= content["score"] <= 100
    assert content["stretch"] == receipt.stretch


@given(receipts(), st.booleans(), st.sets(st.sampled_from("abcdefgh")))
def test_a_receipt_as_it_is_told_adds_up_and_says_never_once(receipt, is_whole, unheard):
    """What never happened is one line, and so is what moved the score by less than half a point."""
    reasons = [
        replace(reason, says=f"never did {reason.code}") if reason.code in unheard else reason
        for reason in receipt.reasons
    ]
    told = replace(receipt, reasons=tuple(reasons)).told(is_whole=is_whole)
    total = told.base_points + math.fsum(reason.points for reason in told.reasons)
    assert math.isclose(total, told.points, abs_tol=1e-9)
    assert sum(reason.says.startswith("never ") for reason in told.reasons) <= 1
    assert not is_whole or sum(abs(reason.points) < LEAST_TOLD for reason in told.reasons) <= 1
    assert len({reason.code for reason in told.reasons}) == len(told.reasons)


def test_many_things_that_never_happened_are_named_and_counted():
    did = ["met us", "asked for a demo", "wrote to us", "read the blog", "called us"]
    told = told_reasons([Reason(name, f"never {name}", -1.0) for name in did])
    assert told == (Reason("never", "never met us, asked for a demo, wrote to us or 2 more", -5.0),)
    assert told_reasons([Reason("a", "never met us", -1.0)]) == (Reason("a", "never met us", -1.0),)


@given(receipts())
def test_the_reasons_that_moved_most_come_first(receipt):
    sizes = [abs(reason.points) for reason in receipt.reasons]
    assert sizes == sorted(sizes, reverse=True)


def test_the_score_json_has_the_agreed_names():
    receipt = Receipt("ann", 1_000_000, 61.5, 50.0, 0.2, "B", (Reason("a", "did a", 11.5),), SCORER)
    assert receipt.as_json(5, newest_activity_at=0) == {
        "lead_id": "ann",
        "as_of": "1970-01-01T00:00:01Z",
        "score": 62,
        "points": 61.5,
        "base_points": 50.0,
        "probability": 0.2,
        "chance": "about 1 in 5",
        "grade": "B",
        "reasons": [{"code": "a", "says": "did a", "points": 11.5}],
        "rest_points": 0.0,
        "stretch": None,
        "scorer": {"kind": "model", "name": "test", "version": "1", "fingerprint": "f" * 64},
        "degraded": False,
        "newest_activity_at": "1970-01-01T00:00:00Z",
    }
