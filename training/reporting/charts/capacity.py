"""Charts of the replay: the same leads, the same weeks, the same number of calls a day."""

from collections.abc import Sequence

import altair as alt

from data.instants import parse
from training.replay.replay_evaluation import PairwiseEvaluation, ParticipantResult
from training.reporting.charts.dots import Panel, dot, dots
from training.reporting.charts.frame import WIDE, Chart, coloured, dashed, framed, legend_of, nothing, room_for, values
from training.reporting.charts.probabilities import thinned
from training.reporting.palette import series_of


def conversions_chart(participants: Sequence[ParticipantResult], *, width: int = WIDE) -> Chart:
    """
    Draw how the successes found add up day by day.

    Args:
        participants: those of the evaluation's ``replay``.
        width: of the chart [px].
    """
    title = "Successes found when each scorer spends the same calls a day"
    about = "Days across; successes among the leads called so far upwards, one line for each scorer."
    series = series_of(participants)
    by_name = {each.name: each for each in participants}
    rows = [
        {"series": each.label, "day": parse(point.day) // 1_000, "found": point.conversions}
        for each in series
        for point in thinned(by_name[each.label].by_day)
    ]
    if not rows:
        return nothing(title=title, about=about, width=width)
    x = alt.X(
        "day:T",
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(title=None, format="%d %b", tickCount=max(3, width // 110), grid=False, labelSeparation=14),
    )
    y = alt.Y("found:Q", axis=alt.Axis(title="successes found so far", tickCount=5))
    legend = legend_of(series, width, lines=True)
    lines = (
        alt.Chart(values(rows))
        .mark_line()
        .encode(x=x, y=y, color=coloured(series, legend), strokeDash=dashed(series, legend))
    )
    return framed(lines.properties(width=width - 64, height=280), title=title, about=about)


def against_chart(pairwise: Sequence[PairwiseEvaluation], *, width: int = WIDE) -> Chart:
    """
    Draw how many more successes the model finds than each other scorer.

    Args:
        pairwise: that of the evaluation's ``replay``.
        width: of the chart [px].
    """
    title = "How many more successes the model finds than each other scorer"
    about = "Dots with 95 % intervals, one row for each other scorer; an interval that crosses 0 may be chance."
    if not pairwise:
        return nothing(title=title, about=about, width=width)
    series = series_of(pairwise)
    rows = [each.label for each in series]
    drawn_dots = [dot(pair.name, pair.name, pair.conversions_more) for pair in pairwise if pair.name in set(rows)]
    labels = room_for(rows, 150)
    axis = Panel("successes more", "right of the line the model finds more", ",.0f", 0.0)
    drawn = dots(drawn_dots, axis, rows=rows, series=series, width=width - labels - 20, labels=labels)
    return framed(alt.vconcat(drawn), title=title, about=about)
