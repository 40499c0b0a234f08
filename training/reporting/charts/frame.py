"""The frame of every chart: its look, its words, and what stands there when there is nothing to draw."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from training.reporting.palette import INK, LINE, PAPER, QUIET, Series

Chart = alt.Chart | alt.LayerChart | alt.HConcatChart | alt.VConcatChart
WIDE, NARROW = 720, 350
"""Widths of a chart on a screen or a page, and on a phone [px]."""

FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_SHORT, _LONG = 90, 700
_LETTER, _LEGEND_LETTER = 7.3, 6.6
_WORDS = {"labelFont": FONT, "titleFont": FONT, "labelFontSize": 12, "titleFontSize": 12}
_CONFIG: Mapping[str, Any] = {
    "font": FONT,
    "aria": False,  # one description for the whole picture; a word for every dot would be noise in a screen reader
    "background": PAPER,
    "padding": 4,
    "view": {"stroke": None},
    "axis": {
        **_WORDS,
        "labelColor": QUIET,
        "titleColor": QUIET,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "gridColor": LINE,
        "gridWidth": 0.75,
        "domainColor": LINE,
        "ticks": False,
        "labelPadding": 6,
    },
    "legend": {
        **_WORDS,
        "orient": "top",
        "direction": "horizontal",
        "title": None,
        "labelColor": INK,
        "labelLimit": 240,
        "symbolStrokeWidth": 2,
        "columnPadding": 18,
        "rowPadding": 4,
        "offset": 10,
    },
    "header": {**_WORDS, "labelColor": INK, "labelFontWeight": 600, "labelAnchor": "start"},
    "title": {
        "font": FONT,
        "subtitleFont": FONT,
        "fontSize": 14,
        "fontWeight": 600,
        "color": INK,
        "subtitleColor": QUIET,
        "anchor": "start",
        "frame": "group",
        "offset": 12,
    },
    "text": {"font": FONT, "fontSize": 12, "color": INK},
    "line": {"strokeWidth": 2.25, "strokeCap": "butt"},
    "concat": {"spacing": 28},
}


def framed(chart: Chart, *, title: str, about: str) -> Chart:
    """
    Return a chart with its look, a title that states what it shows, and a description for those who cannot see it.

    Args:
        chart: without either.
        title: short; no full stop.
        about: one or two sentences.
    """
    made: Chart = chart.properties(title=title, description=about).configure(**_CONFIG)
    return made


def nothing(*, title: str, about: str, width: int) -> Chart:
    """Return a chart with the words that there is nothing to show."""
    words = alt.Chart(values([{"says": "nothing to show"}])).mark_text(color=QUIET)
    return framed(words.encode(text="says:N").properties(width=width - 8, height=60), title=title, about=about)


def layered(*layers: alt.Chart | alt.LayerChart) -> alt.LayerChart:
    """Draw one over the other, the first at the bottom."""
    return alt.LayerChart(layer=list(layers))


def values(rows: Sequence[Mapping[str, Any]]) -> alt.InlineData:
    """
    Return rows as the data of a chart, written as JSON.

    Altair copies and checks a chart's data at every step; text is copied at once.
    """
    return alt.InlineData(values=json.dumps([dict(row) for row in rows]), format={"type": "json"})


def coloured(series: Sequence[Series], legend: alt.Legend | None) -> alt.Color:
    """Return the colour of each series."""
    scale = alt.Scale(domain=[each.label for each in series], range=[each.colour for each in series])
    return alt.Color("series:N", scale=scale, legend=legend)


def dashed(series: Sequence[Series], legend: alt.Legend | None) -> alt.StrokeDash:
    """Return the dash of each series."""
    scale = alt.Scale(domain=[each.label for each in series], range=[list(each.dash) for each in series])
    return alt.StrokeDash("series:N", scale=scale, legend=legend)


def shaped(series: Sequence[Series], legend: alt.Legend | None) -> alt.Shape:
    """Return the shape of each series."""
    scale = alt.Scale(domain=[each.label for each in series], range=[each.shape for each in series])
    return alt.Shape("series:N", scale=scale, legend=legend)


def legend_of(series: Sequence[Series], width: int, *, lines: bool = False) -> alt.Legend | None:
    """
    Return a legend that breaks into columns where one line is too narrow; None where there is one series.

    Args:
        series: what it tells apart.
        width: of the chart [px].
        lines: whether it shows lines, long enough that their dashes can be told apart.
    """
    if len(series) < 2:  # noqa: PLR2004 - the title says which it is
        return None
    rooms = [len(each.label) * _LEGEND_LETTER + (48 if lines else 34) for each in series]
    columns = 0 if sum(rooms) <= width else max(1, int(width // max(rooms)))  # 0 is one line
    size = _LONG if lines else _SHORT
    return alt.Legend(columns=columns, symbolType="stroke" if lines else alt.Undefined, symbolSize=size)


def room_for(names: Sequence[str], most: int = 280) -> int:
    """
    Return the room that the widest of some labels takes [px].

    The reader's font is not known here, so that each letter gets as much as a wide one takes.
    """
    return min(most, round(max((len(name) for name in names), default=0) * _LETTER) + 8)


def named_rows(names: Sequence[str], room: int) -> alt.Axis:
    """Return the axis that names rows, in a room of its own [px], so that panels are aligned."""
    return alt.Axis(
        values=list(names), title=None, grid=False, domain=False, labelLimit=room, minExtent=room, maxExtent=room
    )


def in_percent(most: float) -> str:
    """Return the format of an axis of shares: tenths of a percent where they are small."""
    return "%" if most > 0.1 else ".1%"  # noqa: PLR2004 - ten percent
