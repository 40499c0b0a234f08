"""Dots and intervals: the shape in which this report shows every number that has one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from training.reporting.charts.frame import coloured, layered, named_rows, shaped, values
from training.reporting.palette import PAPER, QUIET, Series
from training.statistics.number_format import Shown, ends, known

_ROW, _LANE = 34, 17


@dataclass(frozen=True, slots=True)
class Panel:
    """
    One panel of dots.

    Attributes:
        title: what is measured.
        aim: which way is good, in a few words.
        format: of its numbers, as d3 writes them.
        rule: where a line marks a number of its own, such as 0, or None.
    """

    title: str
    aim: str
    format: str
    rule: float | None = None


def dot(row: str, series: str, number: Shown) -> dict[str, Any] | None:
    """Return one dot with its interval; None where the number is not known."""
    plain, both = known(number), ends(number)
    if plain is None:
        return None
    low, high = both or (plain, plain)
    return {"row": row, "series": series, "value": plain, "low": low, "high": high}


def dots(
    placed: Sequence[Mapping[str, Any] | None],
    panel: Panel,
    *,
    rows: Sequence[str],
    series: Sequence[Series],
    width: int,
    labels: int = 0,
    legend: alt.Legend | None = None,
) -> alt.LayerChart:
    """
    Draw dots with their intervals, one line for each row.

    Args:
        placed: the dots; a None is not drawn.
        panel: its axis.
        rows: their order.
        series: what the colours and shapes mean.
        width: of the panel [px].
        labels: room for the names of the rows [px]; 0 leaves them out.
        legend: of the series; none is needed where the rows are named as they are.
    """
    drawn = [each for each in placed if each is not None]
    lanes = len({each["series"] for each in drawn}) if _shared(drawn) else 1
    named = named_rows(rows, labels) if labels else None
    y = alt.Y("row:N", sort=list(rows), scale=alt.Scale(domain=list(rows)), axis=named)
    x = alt.X(
        "value:Q",
        scale=alt.Scale(zero=False, nice=True, padding=12),
        axis=alt.Axis(title=None, format=panel.format, tickCount=max(3, width // 80)),
    )
    base = alt.Chart(values(drawn)).encode(y=y, color=coloured(series, legend))
    if lanes > 1:
        order = [each.label for each in series]
        base = base.encode(yOffset=alt.YOffset("series:N", sort=order, scale=alt.Scale(domain=order)))
    whisker = base.mark_rule(strokeWidth=2.25).encode(x=x, x2="high:Q").transform_calculate(value="datum.low")
    point = base.mark_point(filled=True, size=80, opacity=1, stroke=PAPER, strokeWidth=1).encode(
        x=x, shape=shaped(series, legend)
    )
    marked = [] if panel.rule is None else [_rule(panel.rule)]
    height = max(1, len(rows)) * max(_ROW, lanes * _LANE + 8)
    title = alt.Title(panel.title, subtitle=panel.aim, fontSize=12, subtitleFontSize=12, frame="bounds", offset=8)
    return layered(*marked, whisker, point).properties(width=width, height=height, title=title)


def _shared(drawn: Sequence[Mapping[str, Any]]) -> bool:
    """Whether any row holds several series."""
    return len({each["row"] for each in drawn}) < len(drawn)


def _rule(position: float) -> alt.Chart:
    marked: alt.Chart = alt.Chart(values([{"value": position}])).mark_rule(
        color=QUIET, strokeDash=[4, 3], strokeWidth=1
    )
    return marked.encode(x="value:Q")
