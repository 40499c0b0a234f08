"""The report of one training: everything its evaluation holds, as one HTML file that loads nothing."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import yaml
from markupsafe import Markup

from data.words.point_rules import ActivityRule, AttributeRule, InactivityRule, ScorecardRules
from models.cold_start import Rung
from training.evaluation.evaluation_document import Evaluation
from training.evaluation.scorer_evaluation import SegmentEvaluation, SegmentMetrics, first_of, ranking_scorers
from training.evaluation.training_summary import LearnedScorecard
from training.replay.replay_evaluation import ReplayEvaluation
from training.reporting import charts
from training.reporting.metric_names import METRICS
from training.reporting.page import figure, render, swatches
from training.statistics.number_format import Shape, Shown, difference, interval, shown, value
from training.statistics.scorer_metrics import ScorerEvaluation

_FIGURES = ("horizon", "scorers", "origins", "reliability", "gain", "lift", "conversions", "against", "reasons")


@dataclass(frozen=True, slots=True)
class Headline:
    """
    A figure that stands on top, with what it is to be compared with.

    Attributes:
        words: what is counted.
        aim: which way is good.
        number: the figure.
        shape: how it is written.
        beside: numbers to compare it with, each with its words.
        total: what it is a part of; empty where that does not apply.
    """

    words: str
    aim: str
    number: Shown
    shape: Shape
    beside: tuple[tuple[str, str], ...] = ()
    total: str = ""


@dataclass(frozen=True, slots=True)
class AttributeSegments:
    """The segments of one attribute, the scorers evaluated in them, and their picture."""

    label: str
    rows: tuple[SegmentEvaluation, ...]
    figure: Markup

    def known(self, row: SegmentEvaluation) -> list[SegmentMetrics]:
        """Return the scorers that have numbers in a segment."""
        return [scorer for scorer in row.scorers if scorer.is_known]


@dataclass(frozen=True, slots=True)
class WordedRule:
    """A rule of a learned scorecard as a person reads it: why, what is counted, and the points."""

    because: str
    counts: str
    points: float


def render_report(evaluation: Evaluation) -> str:
    """
    Write the report.

    Returns:
        HTML, with every style and picture inside it.
    """
    participants = () if evaluation.replay is None else evaluation.replay.participants
    return render(
        "report.html.j2",
        evaluation=evaluation,
        model=evaluation.model_scorer,
        rungs=get_args(Rung),
        headline=list(headline(evaluation)),
        figures={**dict.fromkeys(_FIGURES, ""), **dict(_figures(evaluation))},
        segments=_by_attribute(evaluation.segments),
        rules=worded_rules(evaluation.learned_scorecard),
        swatches={**swatches(evaluation.scorers), **swatches(participants)},
    )


def headline(evaluation: Evaluation) -> Iterator[Headline]:
    """Yield the three or four figures that stand on top: the model's, or else those of the point rules."""
    rules = evaluation.rules_scorer
    main = evaluation.model_scorer or rules
    if main is None:
        return
    other = rules if rules is not main else None
    if evaluation.replay is not None and evaluation.replay.participants:
        yield _successes_found(evaluation.replay)  # counts leads, as a team does, and so stands first
    yield _headline("precision_at_capacity", main, other)
    base = (value(main.base_log_loss, "loss"), "without any scorer")
    loss = METRICS["log_loss"]
    yield Headline(loss.words, loss.aim, main.log_loss, loss.shape, (base,))
    yield _headline("auc", main, other)


def _headline(metric: str, main: ScorerEvaluation, other: ScorerEvaluation | None) -> Headline:
    meaning = METRICS[metric]
    beside = () if other is None else ((shown(getattr(other, metric), meaning.shape), other.name),)
    return Headline(meaning.words, meaning.aim, getattr(main, metric), meaning.shape, beside)


def _successes_found(replay: ReplayEvaluation) -> Headline:
    """Return how many successes the first participant's calls found, beside those of the point rules."""
    first, *others = replay.participants
    rules = first_of(others, "rules")
    beside = [] if rules is None else [(shown(rules.conversions, "count"), rules.name)]
    pair = next((each for each in replay.pairwise if rules is not None and each.name == rules.name), None)
    if rules is not None and pair is not None:
        more = difference(value(first.conversions, "count"), value(rules.conversions, "count"))
        around = interval(pair.conversions_more, "count", sign=True)
        beside.append((f"{more} ({around})" if around else more, "difference"))
    return Headline(
        words="successes found in the replay",
        aim=f"leads; {value(replay.capacity_per_day, 'count')} calls a day for {value(replay.days, 'count')} days",
        number=first.conversions,
        shape="count",
        beside=tuple(beside),
        total=f"of {value(replay.conversions, 'count')}",
    )


def _figures(evaluation: Evaluation) -> Iterator[tuple[str, Markup]]:
    """Draw every chart for which there is something to draw."""
    data, curves, replay = evaluation.data, evaluation.curves, evaluation.replay
    days, scorers = evaluation.goal.horizon_days, evaluation.scorers
    yield "plan", figure(lambda width: charts.plan_chart(data, evaluation.origins, width=width))
    if data.horizon.curve:
        yield "horizon", figure(lambda width: charts.horizon_chart(data.horizon, days, width=width))
    if len(scorers) > 1:
        yield "scorers", figure(lambda width: charts.scorers_chart(scorers, width=width))
    if len(evaluation.origins) > 1:
        yield "origins", figure(lambda width: charts.origins_chart(evaluation.origins, width=width))
    if curves.reliability:
        yield "reliability", figure(lambda width: charts.reliability_chart(curves.reliability, width=width))
    # The list of a scorer that gives every lead the same chance is in random order: it has no curve to show.
    constant = {scorer.name for scorer in scorers} - {scorer.name for scorer in ranking_scorers(scorers)}
    if gain := [curve for curve in curves.gain if curve.name not in constant]:
        yield "gain", figure(lambda width: charts.gain_chart(gain, width=width))
    if lift := [curve for curve in curves.lift if curve.name not in constant]:
        yield "lift", figure(lambda width: charts.lift_chart(lift, width=width))
    if replay is not None and replay.participants:
        yield "conversions", figure(lambda width: charts.conversions_chart(replay.participants, width=width))
    if replay is not None and replay.pairwise:
        yield "against", figure(lambda width: charts.against_chart(replay.pairwise, width=width))
    if evaluation.reasons:
        yield "reasons", figure(lambda width: charts.reasons_chart(evaluation.reasons, width=width))


def _by_attribute(segments: Sequence[SegmentEvaluation]) -> list[AttributeSegments]:
    """Group the segments by their attribute, each group with its picture."""
    grouped = itertools.groupby(segments, key=lambda segment: (segment.attribute, segment.label))
    return [_attribute(label, tuple(rows)) for (_, label), rows in grouped]


def _attribute(label: str, rows: tuple[SegmentEvaluation, ...]) -> AttributeSegments:
    return AttributeSegments(label, rows, figure(lambda width: charts.segments_chart(rows, width=width)))


def worded_rules(learned: LearnedScorecard | None) -> list[WordedRule]:
    """Return the rules of a learned scorecard as a person reads them."""
    if learned is None:
        return []
    card = ScorecardRules.model_validate(yaml.safe_load(learned.yaml))
    return [WordedRule(rule.because, _counted(rule), rule.points) for rule in card.rules]


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
        return f"is {' or '.join(str(each) for each in rule.among)}"
    if rule.equals is not None:
        return f"is {str(rule.equals).lower() if isinstance(rule.equals, bool) else rule.equals}"
    limits: tuple[tuple[str, Any], ...] = (("from", rule.at_least), ("below", rule.below))
    return " and ".join(f"{word} {limit:g}" for word, limit in limits if limit is not None)
