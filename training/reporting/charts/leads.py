"""Charts of whom it is good for, and of what moves the scores."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

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
from training.reporting.number_format import known
from training.reporting.number_format import value as written
from training.reporting.palette import MODEL, series_of

_MOST_REASONS = 15


def segments_chart(segments: Sequence[Mapping[str, Any]], *, metric: str = "auc", width: int = WIDE) -> Chart:
    """
    Draw how good each scorer is in each segment of one attribute.

    Args:
        segments: the judgement's, of one attribute.
        metric: which number; one of METRICS.
        width: of the chart [px].
    """
    said = METRICS[metric]
    label = str(segments[0]["label"]) if segments else ""
    title = f"By {label}: {said.words} in each part of the leads"
    about = "Dots with 95 % intervals, one row for each segment. Segments with too few leads to judge have no dot."
    judged = [one for one in segments if any(known(each.get(metric)) is not None for each in one["scorers"])]
    if not judged:
        return nothing(title=title, about=about, width=width)
    series = series_of([scorer for one in judged for scorer in one["scorers"]])
    shown = {one.label for one in series}
    rows = [segment_name(one) for one in judged]
    found = [
        dot(segment_name(one), scorer["name"], scorer.get(metric))
        for one in judged
        for scorer in one["scorers"]
        if scorer["name"] in shown
    ]
    labels = room_for(rows, width // 5 * 2 - 30)
    rule = 1.0 if said.better == "near one" else None
    axis = Panel(said.words, said.aim, "%" if said.shape == "share" else ".2f", rule)
    legend = legend_of(series, width)
    room = width - labels - 20
    drawn = dots(found, axis, rows=rows, series=series, width=room, labels=labels, legend=legend)
    return framed(alt.vconcat(drawn), title=title, about=about)


def segment_name(segment: Mapping[str, Any]) -> str:
    """Give the words of a segment's value."""
    return str(segment.get("says") or segment["value"])


def reasons_chart(reasons: Sequence[Mapping[str, Any]], *, width: int = WIDE) -> Chart:
    """
    Draw how far each reason moves the points on average.

    Args:
        reasons: the judgement's, largest first; the first 15 are drawn.
        width: of the chart [px].
    """
    title = "What moves the scores most, over all leads"
    about = "Average number of points that each reason moves a score, up or down; ten points double the odds."
    drawn = [
        {"says": one["says"], "points": one["mean_points"], "written": written(one["mean_points"], "points")}
        for one in reasons[:_MOST_REASONS]
        if known(one["mean_points"]) is not None
    ]
    if not drawn:
        return nothing(title=title, about=about, width=width)
    names = [one["says"] for one in drawn]
    labels = room_for(names, width // 2 - 20)
    y = alt.Y("says:N", sort=names, axis=named_rows(names, labels))
    x = alt.X("points:Q", axis=alt.Axis(title="points moved on average, up or down", tickCount=5))
    base = alt.Chart(values(drawn)).encode(y=y, x=x)
    bars = base.mark_bar(color=MODEL, height=13)
    words = base.mark_text(align="left", dx=5).encode(text="written:N")
    return framed(
        layered(bars, words).properties(width=width - labels - 50, height=len(drawn) * 25), title=title, about=about
    )
