"""Charts of how good a scorer is in each segment, and of what moves the scores."""

from collections.abc import Sequence

import altair as alt

from training.evaluation.scorer_evaluation import SegmentEvaluation
from training.evaluation.training_summary import ReasonWeight
from training.reporting.charts.dots import Panel, dot, dots
from training.reporting.charts.frame import (
    WIDE,
    Chart,
    framed,
    layered,
    legend_of,
    named_rows,
    nothing,
    room_for,
    values,
)
from training.reporting.metric_names import METRICS
from training.reporting.palette import MODEL, series_of
from training.statistics.number_format import known
from training.statistics.number_format import value as written

_MOST_REASONS = 15


def segments_chart(segments: Sequence[SegmentEvaluation], *, metric: str = "auc", width: int = WIDE) -> Chart:
    """
    Draw how good each scorer is in each segment of one attribute.

    Args:
        segments: the evaluation's, of one attribute.
        metric: a number that segments have; one of METRICS.
        width: of the chart [px].
    """
    meaning = METRICS[metric]
    label = segments[0].label if segments else ""
    title = f"By {label}: {meaning.words} in each part of the leads"
    about = "Dots with 95 % intervals, one row for each segment. Segments with too few leads to judge have no dot."
    evaluated = [
        each for each in segments if any(known(getattr(scorer, metric)) is not None for scorer in each.scorers)
    ]
    if not evaluated:
        return nothing(title=title, about=about, width=width)
    series = series_of([scorer for segment in evaluated for scorer in segment.scorers])
    shown = {each.label for each in series}
    rows = [segment.says for segment in evaluated]
    segment_dots = [
        dot(segment.says, scorer.name, getattr(scorer, metric))
        for segment in evaluated
        for scorer in segment.scorers
        if scorer.name in shown
    ]
    labels = room_for(rows, width // 5 * 2 - 30)
    rule = 1.0 if meaning.better == "near one" else None
    axis = Panel(meaning.words, meaning.aim, "%" if meaning.shape == "share" else ".2f", rule)
    legend = legend_of(series, width)
    room = width - labels - 20
    drawn = dots(segment_dots, axis, rows=rows, series=series, width=room, labels=labels, legend=legend)
    return framed(alt.vconcat(drawn), title=title, about=about)


def reasons_chart(reasons: Sequence[ReasonWeight], *, width: int = WIDE) -> Chart:
    """
    Draw how far each reason moves the points on average.

    Args:
        reasons: the evaluation's, largest first; the first 15 are drawn.
        width: of the chart [px].
    """
    title = "What moves the scores most, over all leads"
    about = "Average number of points that each reason moves a score, up or down; ten points double the odds."
    drawn = [
        {"says": reason.says, "points": reason.mean_points, "written": written(reason.mean_points, "points")}
        for reason in reasons[:_MOST_REASONS]
    ]
    if not drawn:
        return nothing(title=title, about=about, width=width)
    names = [reason.says for reason in reasons[:_MOST_REASONS]]
    labels = room_for(names, width // 2 - 20)
    y = alt.Y("says:N", sort=names, axis=named_rows(names, labels))
    x = alt.X("points:Q", axis=alt.Axis(title="points moved on average, up or down", tickCount=5))
    base = alt.Chart(values(drawn)).encode(y=y, x=x)
    bars = base.mark_bar(color=MODEL, height=13)
    words = base.mark_text(align="left", dx=5).encode(text="written:N")
    return framed(
        layered(bars, words).properties(width=width - labels - 50, height=len(drawn) * 25), title=title, about=about
    )
