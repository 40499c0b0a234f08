"""Charts of how good the chances are: scorers side by side, reliability, gain and lift."""

from collections.abc import Sequence
from typing import TypeVar

import altair as alt

from training.evaluation.scorer_evaluation import (
    GainCurve,
    GainPoint,
    LiftCurve,
    LiftPoint,
    ReliabilityCurve,
    ranking_scorers,
)
from training.replay.replay_evaluation import DayTotals
from training.reporting.charts.dots import Panel, dot, dots
from training.reporting.charts.frame import (
    WIDE,
    Chart,
    coloured,
    dashed,
    framed,
    in_percent,
    layered,
    legend_of,
    nothing,
    room_for,
    shaped,
    values,
)
from training.reporting.metric_names import METRICS
from training.reporting.palette import BAND, PAPER, QUIET, Series, series_of
from training.statistics.number_format import ends
from training.statistics.scorer_metrics import ScorerEvaluation

_FORMATS = {"log_loss": ".2f", "auc": ".2f", "precision_at_capacity": "%", "lift_at_10": ".1f"}
AnyCurve = TypeVar("AnyCurve", GainCurve, LiftCurve)
AnyPoint = TypeVar("AnyPoint", bound=GainPoint | DayTotals)
_MOST_POINTS = 160
_TICKS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
_MOST_TICKS = 4
_PANELS = 3
_LABELS = 150


def scorers_chart(scorers: Sequence[ScorerEvaluation], *, width: int = WIDE) -> Chart:
    """
    Draw the headline metrics of every scorer side by side.

    Args:
        scorers: the evaluation's.
        width: of the chart [px].
    """
    title = "Every scorer on the same later snapshots"
    about = "Dots with 95 % intervals, one row for each scorer and one panel for each of four metrics."
    if not scorers:
        return nothing(title=title, about=about, width=width)
    series = series_of(ranking_scorers(scorers))
    rows = [each.label for each in series]
    labels = room_for(rows, _LABELS)

    def panel(metric: str, room: int, *, named: bool) -> alt.LayerChart:
        meaning = METRICS[metric]
        base = scorers[0].base_log_loss if metric == "log_loss" else None
        aim = meaning.aim if base is None else f"{meaning.aim}; dashed: no scorer"
        scorer_dots = [dot(each.name, each.name, getattr(each, metric)) for each in scorers if each.name in rows]
        panelled = Panel(meaning.words, aim, _FORMATS[metric], base)
        return dots(scorer_dots, panelled, rows=rows, series=series, width=room, labels=labels if named else 0)

    if width < WIDE:
        return framed(
            alt.vconcat(*[panel(metric, width - labels - 20, named=True) for metric in _FORMATS]),
            title=title,
            about=about,
        )
    room = (width - labels - 56) // 2
    pairs = [list(_FORMATS)[start : start + 2] for start in (0, 2)]
    lines = [
        alt.hconcat(*[panel(metric, room, named=not column) for column, metric in enumerate(pair)]) for pair in pairs
    ]
    return framed(alt.vconcat(*lines), title=title, about=about)


def reliability_chart(reliability: Sequence[ReliabilityCurve], *, width: int = WIDE) -> Chart:
    """
    Draw the chance that was said against the share that came true, with what chance alone would show.

    Args:
        reliability: the evaluation's ``curves.reliability``; the first three are drawn, each in a panel of its own.
        width: of the chart [px].
    """
    title = "When it says 30 %, does it happen 3 times in 10?"
    about = (
        "Predicted chance across, share that reached the goal upwards; dots as large as the share of snapshots they "
        "stand for. On the dashed diagonal every chance comes true; in the grey band the distance may be chance. "
        "Both axes are stretched where chances are small, since most are."
    )
    drawn = [each for each in reliability if len(each.points) > 1][:_PANELS]
    if not drawn:
        return nothing(title=title, about=about, width=width)
    series = series_of(drawn)
    most = min(
        1.0, 1.06 * max(side for each in drawn for point in each.points for side in (point.predicted, point.observed))
    )
    columns = 1 if width < WIDE else max(2, len(drawn))
    size = min(300 if columns > 1 else 230, (width - 56 - 72 * (columns - 1)) // columns)
    panels = [
        _reliability(curve, mark, most=most, size=size, first=index % columns == 0)
        for index, (curve, mark) in enumerate(zip(drawn, series, strict=False))
    ]
    beside = alt.hconcat if columns > 1 else alt.vconcat
    return framed(beside(*panels), title=title, about=about)


def _reliability(curve: ReliabilityCurve, series: Series, *, most: float, size: int, first: bool) -> alt.LayerChart:
    points = [{**point.model_dump(), "series": series.label} for point in curve.points]
    scale = alt.Scale(domain=[0, most], nice=False, clamp=True, type="sqrt")
    ticks = [0.0, *[tick for tick in _TICKS if tick <= most][-_MOST_TICKS:]]
    form = in_percent(ticks[-1])
    x = alt.X("predicted:Q", scale=scale, axis=alt.Axis(title="chance that was said", format=form, values=ticks))
    up = alt.Axis(title="came true" if first else None, format=form, values=ticks)
    y = alt.Y("observed:Q", scale=scale, axis=up)
    base = alt.Chart(values(points), title=alt.Title(series.label, fontSize=12, anchor="start")).encode(x=x)
    right = alt.Chart(values([{"predicted": 0, "observed": 0}, {"predicted": most, "observed": most}]))
    known_band = [point for point in points if None not in (point["low"], point["high"])]
    band = alt.Chart(values(known_band)).mark_area(color=BAND).encode(x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q")
    biggest = max(point["share"] for point in points)
    sized = alt.Size("share:Q", scale=alt.Scale(domain=[0, biggest], range=[20, 130]), legend=None)
    return layered(
        band,
        right.mark_line(color=QUIET, strokeDash=[4, 3], strokeWidth=1).encode(x=x, y=y),
        base.mark_line(color=series.colour, strokeWidth=1.5, strokeDash=list(series.dash)).encode(y=y),
        base.mark_point(
            filled=True, color=series.colour, shape=series.shape, opacity=1, stroke=PAPER, strokeWidth=1
        ).encode(y=y, size=sized),
    ).properties(width=size, height=size, title=alt.Title(series.label, fontSize=12, anchor="start", offset=6))


def gain_chart(gain: Sequence[GainCurve], *, width: int = WIDE) -> Chart:
    """
    Draw how much of the success is found by calling from the top of the list.

    Args:
        gain: the evaluation's ``curves.gain``.
        width: of the chart [px].
    """
    title = "How much of all success sits at the top of each list"
    about = (
        "Share of snapshots called, best first, across; share of all successes among them upwards. "
        "The dashed diagonal is calling in any order."
    )
    series = series_of(gain)
    rows = [
        {"series": each.label, "across": point.called, "up": point.found}
        for each, curve in zip(series, _in_order(gain, series), strict=True)
        for point in thinned(curve.points)
        if point.found is not None
    ]
    if not rows:
        return nothing(title=title, about=about, width=width)
    x = alt.X(
        "across:Q",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(title="snapshots called, best first", format="%", tickCount=5),
    )
    y = alt.Y("up:Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(title="successes found", format="%", tickCount=5))
    legend = legend_of(series, width, lines=True)
    lines = (
        alt.Chart(values(rows))
        .mark_line()
        .encode(x=x, y=y, color=coloured(series, legend), strokeDash=dashed(series, legend))
    )
    even = alt.Chart(values([{"across": 0, "up": 0}, {"across": 1, "up": 1}]))
    anyhow = even.mark_line(color=QUIET, strokeDash=[4, 3], strokeWidth=1).encode(x=x, y=y)
    return framed(layered(anyhow, lines).properties(width=width - 70, height=300), title=title, about=about)


def lift_chart(lift: Sequence[LiftCurve], *, width: int = WIDE) -> Chart:
    """
    Draw how much more often the best snapshots succeed than all of them.

    Args:
        lift: the evaluation's ``curves.lift``.
        width: of the chart [px].
    """
    title = "How much more often the best snapshots succeed than the average one"
    about = "Share of the list across, best first; times the average upwards, with 95 % intervals. 1 is the average."
    series = series_of(lift)
    named = dict(zip([each.label for each in series], _in_order(lift, series), strict=True))
    points = [(name, point) for name, curve in named.items() for point in curve.points if point.lift is not None]
    if not points:
        return nothing(title=title, about=about, width=width)
    names = [f"{share:.0%}" for share in sorted({point.share for _, point in points})]
    rows = [{"series": name, **_whisker(point), "row": f"{point.share:.0%}"} for name, point in points]
    x = alt.X("row:N", sort=names, axis=alt.Axis(title="best of all snapshots", labelAngle=0, grid=False))
    y = alt.Y("lift:Q", scale=alt.Scale(zero=True), axis=alt.Axis(title="times the average", tickCount=5))
    order = [each.label for each in series]
    aside = alt.XOffset("series:N", sort=order, scale=alt.Scale(domain=order, padding=0.6))
    legend = legend_of(series, width)
    base = alt.Chart(values(rows)).encode(x=x, xOffset=aside, color=coloured(series, legend))
    whisker = base.mark_rule(strokeWidth=2.25).encode(y=alt.Y("low:Q", title="times the average"), y2="high:Q")
    point = base.mark_point(filled=True, size=80, opacity=1, stroke=PAPER, strokeWidth=1).encode(
        y=y, shape=shaped(series, legend)
    )
    one = alt.Chart(values([{"lift": 1}])).mark_rule(color=QUIET, strokeDash=[4, 3], strokeWidth=1).encode(y="lift:Q")
    return framed(layered(one, whisker, point).properties(width=width - 60, height=240), title=title, about=about)


def thinned(points: Sequence[AnyPoint]) -> list[AnyPoint]:
    """Return at most about 160 of the points, evenly, with the first and the last: a line is no finer on a page."""
    step = max(1, len(points) // _MOST_POINTS)
    kept: list[AnyPoint] = list(points[::step])
    return kept if not points or kept[-1] is points[-1] else [*kept, points[-1]]


def _in_order(curves: Sequence[AnyCurve], series: Sequence[Series]) -> list[AnyCurve]:
    by_name = {curve.name: curve for curve in curves}
    return [by_name[each.label] for each in series]


def _whisker(point: LiftPoint) -> dict[str, float | None]:
    low, high = ends(point.estimate) or (point.lift, point.lift)
    return {"share": point.share, "lift": point.lift, "low": low, "high": high}
