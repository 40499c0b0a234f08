"""Charts show what their part of the evaluation holds, whatever is missing in it."""

import json

import pytest

from tests.training.reporting.sample import document, evaluation, rules_only, without_amounts
from training.evaluation.scorer_evaluation import GainCurve, GainPoint, ReliabilityCurve, ReliabilityPoint
from training.reporting.charts import (
    NARROW,
    WIDE,
    against_chart,
    conversions_chart,
    gain_chart,
    horizon_chart,
    lift_chart,
    origins_chart,
    plan_chart,
    reasons_chart,
    reliability_chart,
    scorers_chart,
    segments_chart,
)
from training.reporting.svg import picture, words_of

CHARTS = {
    "plan": lambda e, width: plan_chart(e.data, e.origins, width=width),
    "horizon": lambda e, width: horizon_chart(e.data.horizon, e.goal.horizon_days, width=width),
    "scorers": lambda e, width: scorers_chart(e.scorers, width=width),
    "origins": lambda e, width: origins_chart(e.origins, width=width),
    "reliability": lambda e, width: reliability_chart(e.curves.reliability, width=width),
    "gain": lambda e, width: gain_chart(e.curves.gain, width=width),
    "lift": lambda e, width: lift_chart(e.curves.lift, width=width),
    "conversions": lambda e, width: conversions_chart(e.replay.participants, width=width),
    "against": lambda e, width: against_chart(e.replay.pairwise, width=width),
    "segments": lambda e, width: segments_chart(e.segments, width=width),
    "reasons": lambda e, width: reasons_chart(e.reasons, width=width),
}
EMPTY = {
    "horizon": lambda: horizon_chart(rules_only().data.horizon, 30.0),
    "scorers": lambda: scorers_chart([]),
    "origins": lambda: origins_chart([]),
    "reliability": lambda: reliability_chart([]),
    "gain": lambda: gain_chart([]),
    "lift": lambda: lift_chart([]),
    "conversions": lambda: conversions_chart([]),
    "against": lambda: against_chart([]),
    "segments": lambda: segments_chart([]),
    "reasons": lambda: reasons_chart([]),
}


def rows_of(spec):
    """Give every row of data in a chart, however deep; Altair gathers what several parts share under ``datasets``."""
    if isinstance(spec, dict):
        for name, part in spec.items():
            if name == "datasets":
                yield from (row for rows in part.values() for row in json.loads(rows))
            elif name == "values" and isinstance(part, str):
                yield from json.loads(part)
            else:
                yield from rows_of(part)
    elif isinstance(spec, list):
        for part in spec:
            yield from rows_of(part)


def numbers_of(chart):
    return {value for row in rows_of(chart.to_dict()) for value in row.values() if isinstance(value, int | float)}


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_chart_is_valid_and_becomes_a_picture_without_a_warning(name, width, capfd):
    chart = CHARTS[name](evaluation(), width)
    chart.to_dict()  # checked against the schema of Vega-Lite
    assert picture(chart).startswith("<svg")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", sorted(set(CHARTS) - {"against", "segments"}))
def test_a_smaller_evaluation_can_be_drawn_too(name, capfd):
    """One participant, one origin, no amounts."""
    assert picture(CHARTS[name](without_amounts(), NARROW)).startswith("<svg")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", EMPTY)
def test_where_there_is_nothing_the_chart_says_so(name):
    chart = EMPTY[name]()
    assert [row["says"] for row in rows_of(chart.to_dict())] == ["nothing to show"]
    assert all(words_of(chart))


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_says_in_words_what_it_shows(name):
    title, about = words_of(CHARTS[name](evaluation(), WIDE))
    assert 10 < len(title) < 90
    assert about.endswith(".")


def test_dots_and_intervals_are_the_numbers_of_the_evaluation():
    scorers = evaluation().scorers
    drawn = numbers_of(scorers_chart(scorers))
    for scorer in scorers[:5]:
        for metric in (scorer.log_loss, scorer.auc, scorer.precision_at_capacity, scorer.lift_at_10):
            assert {metric.value, metric.low, metric.high} <= drawn


def test_a_scorer_that_says_the_same_of_all_is_the_dashed_line_and_no_row():
    scorers = evaluation().scorers
    rows = list(rows_of(scorers_chart(scorers).to_dict()))
    assert "base rate" not in {row.get("row") for row in rows}
    assert scorers[0].base_log_loss in {row.get("value") for row in rows}


def test_a_number_that_is_not_known_has_no_dot():
    scorers = document()["scorers"]
    scorers[1]["auc"] = None
    scorers[2]["auc"] = {"value": 0.86, "low": None, "high": None}
    drawn = numbers_of(scorers_chart(evaluation(scorers=scorers).scorers))
    assert 0.8 not in drawn
    assert 0.86 in drawn


def test_the_plan_shows_each_block_and_a_purge_between_them():
    rows = list(rows_of(CHARTS["plan"](evaluation(), WIDE).to_dict()))
    assert [row["phase"] for row in rows if row["row"] == "origin 3"] == ["train", "purge", "test"]
    ends = {(row["from"], row["to"]) for row in rows if row["row"] == "origin 3"}
    assert {start for start, _ in ends} - {end for _, end in ends} == {min(start for start, _ in ends)}


def test_segments_with_too_few_leads_have_no_dot():
    found = [segment for segment in evaluation().segments if segment.attribute == "industry"]
    rows = {row.get("row") for row in rows_of(segments_chart(found).to_dict())}
    assert "the public sector" in rows
    assert "education" not in rows


def test_what_is_not_known_of_a_curve_is_not_drawn():
    points = (GainPoint(called=0.0, found=None), GainPoint(called=1.0, found=None))
    curve = GainCurve(name="demo", kind="model", points=points)
    assert [row["says"] for row in rows_of(gain_chart([curve]).to_dict())] == ["nothing to show"]


def test_a_scorer_with_one_chance_for_all_has_no_reliability_to_draw():
    point = ReliabilityPoint(predicted=0.1, observed=0.1, share=1.0, low=0.08, high=0.12)
    flat = ReliabilityCurve(name="base rate", kind="baseline", points=(point,), error=0.0, noise_95=0.01)
    curves = [*evaluation().curves.reliability[:1], flat]
    assert "base rate" not in json.dumps(reliability_chart(curves).to_dict())


def test_long_lines_keep_their_first_and_last_point():
    points = tuple(GainPoint(called=step / 9_000, found=step / 9_000) for step in range(9_001))
    curve = GainCurve(name="demo", kind="model", points=points)
    rows = [row for row in rows_of(gain_chart([curve]).to_dict()) if "series" in row]
    assert len(rows) < 200
    assert (rows[0]["across"], rows[-1]["across"]) == (0, 1)
