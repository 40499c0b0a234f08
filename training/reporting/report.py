"""The report of one training: everything its judgement holds, as one HTML file that loads nothing."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from markupsafe import Markup

from data.point_rules import ActivityRule, AttributeRule, InactivityRule, ScorecardRules
from training.reporting import charts
from training.reporting.metric_names import METRICS
from training.reporting.number_format import shown, value
from training.reporting.page import figure, render, swatches
from training.reporting.report_view import complete, telling, the_model, the_rules

_FIGURES = ("horizon", "scorers", "origins", "reliability", "gain", "lift", "conversions", "against", "reasons")
_RUNGS = ("rules only", "small model", "full model")


def render_report(judgement: Mapping[str, Any]) -> str:
    """
    Write the report.

    Args:
        judgement: what a training found; parts that point rules alone do not have may be absent or None.

    Returns:
        HTML, with every style and picture inside it.
    """
    whole = complete(judgement)
    entrants = (whole["arena"] or {"entrants": []})["entrants"]
    return render(
        "report.html.j2",
        j=whole,
        model=the_model(whole["scorers"], (whole["model"] or {}).get("name")),
        rungs=_RUNGS,
        headline=list(headline(whole)),
        figures={**dict.fromkeys(_FIGURES, ""), **dict(_figures(whole))},
        segments=_by_attribute(whole),
        rules=worded_rules(whole["learned_scorecard"]),
        swatches={**swatches(whole["scorers"]), **swatches(entrants)},
    )


def headline(whole: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """
    Give the three or four figures that stand on top, each with what it is to be compared with.

    Args:
        whole: a judgement with every part present.
    """
    scorers = whole["scorers"]
    rules = the_rules(scorers)
    ours = the_model(scorers, (whole["model"] or {}).get("name")) or rules
    if ours is None:
        return
    other = rules if rules is not ours else None
    yield _headline("precision_at_capacity", ours, other)
    if (found := _found(whole)) is not None:
        yield found
    beside = [(f"{value(ours['base_log_loss'], 'loss')}", "without any scorer")]
    yield {**_headline("log_loss", ours, None), "beside": beside}
    yield _headline("auc", ours, other)


def _headline(metric: str, ours: Mapping[str, Any], other: Mapping[str, Any] | None) -> dict[str, Any]:
    said = METRICS[metric]
    beside = [] if other is None else [(shown(other[metric], said.shape), str(other["name"]))]
    return {
        "words": said.words,
        "aim": said.aim,
        "number": ours[metric],
        "shape": said.shape,
        "beside": beside,
        "of": "",
    }


def _found(whole: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give how many successes the replay found with the first entrant's calls; None without a replay."""
    arena = whole["arena"]
    if arena is None or not arena["entrants"]:
        return None
    ours, *others = arena["entrants"]
    rules = the_rules(others)
    more = next((one for one in arena["against"] if rules is not None and one["name"] == rules["name"]), None)
    beside = [] if rules is None else [(shown(rules["conversions"], "count"), str(rules["name"]))]
    if more is not None:
        beside.append((shown(more["conversions_more"], "count", sign=True), "difference"))
    return {
        "words": "successes found in the replay",
        "aim": f"{value(arena['capacity_per_day'], 'count')} calls a day for {value(arena['days'], 'count')} days",
        "number": ours["conversions"],
        "shape": "count",
        "of": f"of {value(arena['conversions'], 'count')}",
        "beside": beside,
    }


def _figures(whole: Mapping[str, Any]) -> Iterator[tuple[str, Markup]]:
    """Draw what there is something to draw of."""
    data, curves, arena = whole["data"], whole["curves"], whole["arena"] or {"entrants": [], "against": []}
    horizon, horizon_days = data.get("horizon") or {}, whole["goal"]["horizon_days"]
    yield "plan", figure(lambda width: charts.plan_chart(data, whole["origins"], width=width))
    if horizon.get("curve"):
        yield "horizon", figure(lambda width: charts.horizon_chart(horizon, horizon_days, width=width))
    if len(whole["scorers"]) > 1:
        yield "scorers", figure(lambda width: charts.scorers_chart(whole["scorers"], width=width))
    if len(whole["origins"]) > 1:
        yield "origins", figure(lambda width: charts.origins_chart(whole["origins"], width=width))
    if curves["reliability"]:
        yield "reliability", figure(lambda width: charts.reliability_chart(curves["reliability"], width=width))
    gain, lift = (_of_the_telling(curves[name], whole["scorers"]) for name in ("gain", "lift"))
    if gain:
        yield "gain", figure(lambda width: charts.gain_chart(gain, width=width))
    if lift:
        yield "lift", figure(lambda width: charts.lift_chart(lift, width=width))
    if arena["entrants"]:
        yield "conversions", figure(lambda width: charts.conversions_chart(arena["entrants"], width=width))
    if arena["against"]:
        yield "against", figure(lambda width: charts.against_chart(arena["against"], width=width))
    if whole["reasons"]:
        yield "reasons", figure(lambda width: charts.reasons_chart(whole["reasons"], width=width))


def _of_the_telling(curves: list[Mapping[str, Any]], scorers: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Leave out the curves of scorers that say the same of every lead: their lists are drawn by lot."""
    mute = {one["name"] for one in scorers} - {one["name"] for one in telling(scorers)}
    return [curve for curve in curves if curve["name"] not in mute]


def _by_attribute(whole: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Group the segments by their attribute, each group with its picture."""
    grouped = itertools.groupby(whole["segments"], key=lambda one: (one["attribute"], one["label"]))
    return [_attribute(label, list(rows)) for (_, label), rows in grouped]


def _attribute(label: str, rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "label": label,
        "rows": rows,
        "scorers": list({scorer["name"]: scorer for row in rows for scorer in row["scorers"]}),
        "figure": figure(lambda width: charts.segments_chart(rows, width=width)),
    }


def worded_rules(learned: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Give the rules of a learned scorecard as a person reads them: why, what is counted, and the points."""
    if learned is None:
        return []
    card = ScorecardRules.model_validate(yaml.safe_load(learned["yaml"]))
    return [{"because": rule.because, "counts": _counted(rule), "points": rule.points} for rule in card.rules]


def _counted(rule: ActivityRule | AttributeRule | InactivityRule) -> str:
    if isinstance(rule, InactivityRule):
        return f"no activity for {rule.inactive_days:g} days"
    if isinstance(rule, AttributeRule):
        return f"{rule.attribute} {_condition(rule)}"
    parts = (
        f"each {rule.activity}" + (f" of {rule.subject}" if rule.subject else ""),
        f"at most {rule.at_most:g}" if rule.at_most is not None else "",
        f"halved every {rule.half_life_days:g} days" if rule.half_life_days is not None else "",
        f"of the last {rule.within_days:g} days" if rule.within_days is not None else "",
    )
    return ", ".join(part for part in parts if part)


def _condition(rule: AttributeRule) -> str:
    if rule.among is not None:
        return f"is {' or '.join(str(one) for one in rule.among)}"
    if rule.equals is not None:
        return f"is {str(rule.equals).lower() if isinstance(rule.equals, bool) else rule.equals}"
    ends = (("from", rule.at_least), ("below", rule.below))
    return " and ".join(f"{word} {end:g}" for word, end in ends if end is not None)
