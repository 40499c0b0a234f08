"""The model card: on one page what a version is, how good it is, and what it must not be used for."""

from collections.abc import Iterator, Mapping
from typing import Any

from training.reporting import charts
from training.reporting.metric_names import HEADLINE, METRICS
from training.reporting.number_format import day, known, shown, value
from training.reporting.page import figure, render, swatches
from training.reporting.report import headline
from training.reporting.report_view import complete, the_model, the_rules

FORMAT = "leadscore-model-card-1"
_WHO = ("name", "kind", "version", "fingerprint")


def card_of(judgement: Mapping[str, Any]) -> dict[str, Any]:
    """
    Give the card as JSON.

    Args:
        judgement: what a training found; for point rules alone the card is theirs.

    Returns:
        ``data_window``, ``goal``, ``rows``, ``standing``, ``gates`` and ``accepted_risk``, ``metrics`` and those it is
        ``compared_with``, ``calibration``, ``feature_groups`` by mean |points|, ``must_not_be_used_for``; plain values.
    """
    whole = complete(judgement)
    model, data = whole["model"] or {}, whole["data"]
    scorer = the_model(whole["scorers"], model.get("name")) or the_rules(whole["scorers"]) or {}
    return {
        "format": FORMAT,
        "playbook": whole["playbook"],
        "scorer": {name: scorer.get(name) for name in _WHO},
        "version": whole["version"],
        "run_id": whole["run_id"],
        "trained_at": whole["trained_at"],
        "verdict": whole["verdict"],
        "used_for": "putting open leads into the order in which the sales team calls them, with reasons",
        "goal": whole["goal"],
        "capacity_per_day": whole["capacity_per_day"],
        "data_window": {name: data["plan"].get(name) for name in ("train", "calibrate", "test")}
        | {name: data.get(name) for name in ("cutoff_at", "mature_until")},
        "rows": {
            name: data.get(name)
            for name in ("snapshots", "mature", "young", "leads", "groups", "base_rate", "blocks", "positives")
        },
        "standing": whole["standing"],
        "gates": whole["gates"],
        "accepted_risk": whole["accepted_risk"],
        "metrics": {name: metric for name, metric in scorer.items() if name not in _WHO},
        "compared_with": [
            {name: other.get(name) for name in ("name", "kind", *HEADLINE)}
            for other in whole["scorers"]
            if other is not scorer
        ],
        "calibration": _calibration(model, scorer),
        "features": {name: model.get(name) for name in ("features", "features_tried", "trees")} if model else None,
        "feature_groups": whole["reasons"],
        "must_not_be_used_for": list(not_for(whole)),
    }


def render_card(judgement: Mapping[str, Any]) -> str:
    """
    Write the card as one HTML file.

    Args:
        judgement: what a training found.
    """
    whole = complete(judgement)
    reasons = whole["reasons"]
    return render(
        "card.html.j2",
        j=whole,
        card=card_of(judgement),
        headline=list(headline(whole)),
        swatches=swatches(whole["scorers"]),
        reasons=figure(lambda width: charts.reasons_chart(reasons, width=width)) if reasons else "",
    )


def not_for(whole: Mapping[str, Any]) -> Iterator[str]:
    """
    Say what this version must not be used for, a sentence each; the general first, then what its numbers forbid.

    Args:
        whole: a judgement with every part present.
    """
    data, goal = whole["data"], whole["goal"]
    plan = data["plan"]
    yield (
        "Decisions about people other than the order of sales calls: not for hiring, credit, prices, insurance, "
        "eligibility or access to anything."
    )
    yield "Turning anybody away without a person deciding: a low score is a place in the queue and no refusal."
    yield (
        f"Leads unlike those from {day(plan['train']['start'])} to {day(plan['test']['end'])}: a new market, a new "
        "product, a new source or a new way to sell is not in them."
    )
    yield (
        f"What happens later than {goal['horizon_days']:g} days: a score says whether a lead reaches {goal['stage']} "
        "within that time, and nothing about what follows."
    )
    yield "Proof of cause: a reason says what moved the score, and not what would change the outcome."
    yield from _forbidden_by_numbers(whole)


def _forbidden_by_numbers(whole: Mapping[str, Any]) -> Iterator[str]:
    """Say what the numbers of this very judgement do not carry."""
    if few := [f"“{one.get('says') or one['value']}”" for one in whole["segments"] if not _judged(one)]:
        yield f"Claims about leads of which it is said: {', '.join(few)}. There were too few of them to judge."
    scorer = the_model(whole["scorers"], (whole["model"] or {}).get("name")) or the_rules(whole["scorers"])
    if scorer is not None and _off(scorer):
        error, noise = (value(scorer["ece"][part], "loss") for part in ("value", "noise_95"))
        expected = shown(scorer["observed_over_expected"], "ratio")
        yield (
            f"Exact chances, such as forecasts of revenue: they were off by {error}, more than the {noise} that chance "
            f"explains, and observed / expected was {expected}. The order of the leads holds."
        )
    if whole["model"] is None:
        yield "Anything a learned model is for: there is none yet, and these are the point rules."
    for gate in whole["gates"]:
        if not gate["passed"] and not gate["accepted"]:
            yield f"Serving: the gate {gate['name']} failed. {gate['says']}"
    if whole["accepted_risk"] and any(gate["accepted"] for gate in whole["gates"]):
        yield f"Any use by people who were not told that a failed gate was accepted, because: {whole['accepted_risk']}."


def _judged(segment: Mapping[str, Any]) -> bool:
    return any(known(scorer.get(metric)) is not None for scorer in segment["scorers"] for metric in METRICS)


def _off(scorer: Mapping[str, Any]) -> bool:
    ece = scorer.get("ece") or {}
    error, noise = known(ece.get("value")), known(ece.get("noise_95"))
    return error is not None and noise is not None and error > noise


def _calibration(model: Mapping[str, Any], scorer: Mapping[str, Any]) -> dict[str, Any]:
    """Give how chances were made true, and whether they are."""
    said = model.get("calibration") or {}
    measured = {name: scorer.get(name) for name in ("ece", "slope", "observed_over_expected")}
    return {"chosen": said.get("chosen"), "says": said.get("says"), **measured}
