"""Charts over time: the plan of every origin, how long leads take, and how each origin did."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import altair as alt

from data.instants import parse
from training.dataset.horizon import Horizon
from training.evaluation.scorer_evaluation import OriginEvaluation, Period, ranking_scorers
from training.evaluation.training_summary import BlockPlan, DataSummary
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
from training.reporting.palette import INK, PAPER, PURGE, QUIET, TEST, TRAIN, series_of

_PHASES = {"train": TRAIN, "purge": PURGE, "test": TEST}
_INKS = {"train": INK, "purge": QUIET, "test": PAPER}
_BAR, _LETTER, _ORIGIN = 26, 6.6, 76


def plan_chart(data: DataSummary, origins: Sequence[OriginEvaluation], *, width: int = WIDE) -> Chart:
    """
    Draw which weeks each origin learnt from, and which tested it.

    Args:
        data: the evaluation's; its ``plan`` belongs to the last origin.
        origins: the evaluation's, oldest first; may be empty.
        width: of the chart [px].
    """
    plans = _plans(data.plan, origins)
    rows = list(plans)
    spans = [span for name, plan in plans.items() for span in _spans(name, plan)]
    label = room_for(rows)
    room = width - label - 20
    per_ms = room / max(1, max(span["to"] for span in spans) - min(span["from"] for span in spans))
    for span in spans:
        width_px = (span["to"] - span["from"]) * per_ms
        span["says"] = span["phase"] if width_px > len(span["phase"]) * _LETTER + 8 else ""
    y = alt.Y("row:N", sort=rows, axis=named_rows(rows, label))
    x = alt.X(
        "from:T",
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(title=None, format="%Y-%m", tickCount=max(3, room // 110), labelSeparation=8),
    )
    colour = alt.Color(
        "phase:N", scale=alt.Scale(domain=list(_PHASES), range=list(_PHASES.values())), legend=alt.Legend()
    )
    base = alt.Chart(values(spans)).encode(y=y)
    bars = base.mark_bar(height=_BAR, cornerRadius=2).encode(x=x, x2="to:T", color=colour)
    ink = alt.Color("phase:N", scale=alt.Scale(domain=list(_INKS), range=list(_INKS.values())), legend=None)
    words = base.mark_text(fontSize=12).encode(
        x=alt.X("middle:T", scale=alt.Scale(type="utc")), text="says:N", color=ink
    )
    drawn = layered(bars, words).resolve_scale(color="independent").properties(width=room, height=len(rows) * 40)
    return framed(
        drawn,
        title="Which weeks each origin learnt from, and which later weeks tested it",
        about="One bar for each origin, from the oldest to the headline: train, purge, test. "
        "A purge of one horizon keeps the outcomes of one block from looking into the next.",
    )


def _plans(last: BlockPlan, origins: Sequence[OriginEvaluation]) -> dict[str, BlockPlan | OriginEvaluation]:
    """Return the plan of each origin by its name; the last one's is that of the training set."""
    if len(origins) <= 1:
        return {"this training": last}
    return {**{f"origin {origin.number}": origin for origin in origins[:-1]}, f"origin {origins[-1].number}": last}


def _spans(row: str, plan: BlockPlan | OriginEvaluation) -> Iterator[dict[str, Any]]:
    """Yield the blocks of one plan with the purge between them."""
    before = None
    for name in ("train", "test"):
        period: Period = getattr(plan, name)
        start, end = parse(period.start) // 1_000, parse(period.end) // 1_000
        if before is not None and start > before:
            yield {"row": row, "phase": "purge", "from": before, "to": start, "middle": (before + start) // 2}
        yield {"row": row, "phase": name, "from": start, "to": end, "middle": (start + end) // 2}
        before = end


def horizon_chart(horizon: Horizon, horizon_days: float, *, width: int = WIDE) -> Chart:
    """
    Draw how many of the leads that ever succeed have done so by each day.

    Args:
        horizon: the evaluation's ``data.horizon``.
        horizon_days: of the goal.
        width: of the chart [px].
    """
    title = "How long leads that succeed take"
    about = "Share of eventual successes reached by each day after the snapshot, with the horizon of the goal marked."
    curve = [{"day": point.day, "reached": point.reached} for point in horizon.curve if point.reached is not None]
    if not curve:
        return nothing(title=title, about=about, width=width)
    x = alt.X(
        "day:Q", axis=alt.Axis(title="days from the snapshot", tickCount=8, grid=False), scale=alt.Scale(nice=False)
    )
    y = alt.Y(
        "reached:Q", axis=alt.Axis(title="reached the goal", format="%", tickCount=5), scale=alt.Scale(domain=[0, 1])
    )
    line = alt.Chart(values(curve)).mark_line(color=INK, interpolate="step-after").encode(x=x, y=y)
    marks = {horizon_days: f"horizon {horizon_days:g}"}
    if horizon.proposed_days is not None:
        marks[horizon.proposed_days] = f"proposed {horizon.proposed_days:g}"
    return framed(
        layered(line, *_marks(marks, last_day=max(point.day for point in horizon.curve))).properties(
            width=width - 70, height=200
        ),
        title=title,
        about=about,
    )


def _marks(marks: Mapping[float, str], *, last_day: float) -> Iterator[alt.LayerChart]:
    """Draw a rule at each day; its words stand to the left of the earlier one and to the right of the later."""
    for day, words_beside in marks.items():
        left = day > last_day / 2 if len(marks) == 1 else day == min(marks)
        base = alt.Chart(values([{"day": day, "says": words_beside}])).encode(x="day:Q")
        rule = base.mark_rule(color=QUIET, strokeDash=[5, 3], strokeWidth=1.5)
        words = base.mark_text(align="right" if left else "left", dx=-7 if left else 7, dy=-8, color=INK)
        yield layered(rule, words.encode(y=alt.value(200), text="says:N"))


def origins_chart(origins: Sequence[OriginEvaluation], *, width: int = WIDE) -> Chart:
    """
    Draw log loss and called snapshots that succeed of each scorer at each origin.

    Args:
        origins: the evaluation's, oldest first.
        width: of the chart [px].
    """
    title = "How each scorer did at each origin, on weeks it had never seen"
    about = (
        "Dots with 95 % intervals, one row for each origin: log loss, and the share of called snapshots that succeed."
    )
    if not origins:
        return nothing(title=title, about=about, width=width)
    series = series_of(ranking_scorers([scorer for origin in origins for scorer in origin.scorers]))
    shown = {each.label for each in series}
    names = {origin.number: f"origin {origin.number}" for origin in origins}

    def panel(metric: str, form: str, labels: int, room: int) -> alt.LayerChart:
        origin_dots = [
            dot(names[origin.number], scorer.name, getattr(scorer, metric))
            for origin in origins
            for scorer in origin.scorers
            if scorer.name in shown
        ]
        axis = Panel(METRICS[metric].words, METRICS[metric].aim, form)
        legend = legend_of(series, width)
        return dots(
            origin_dots, axis, rows=list(names.values()), series=series, width=room, labels=labels, legend=legend
        )

    return framed(_beside(panel, width=width), title=title, about=about)


def _beside(panel: Any, *, width: int) -> Chart:
    """Lay the two panels out side by side, or one below the other where the page is narrow."""
    metrics = (("log_loss", ".2f"), ("precision_at_capacity", "%"))
    if width < WIDE:
        return alt.vconcat(*[panel(metric, form, _ORIGIN, width - _ORIGIN - 20) for metric, form in metrics])
    room = (width - _ORIGIN - 56) // 2
    return alt.hconcat(
        *[panel(metric, form, 0 if index else _ORIGIN, room) for index, (metric, form) in enumerate(metrics)]
    )
