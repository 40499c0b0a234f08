"""
Draw one lead as the sweep sees it, with the numbers that the sweep itself computes: ``make figures``.

Writes ``docs/sweep.svg``. A line for each fact, from when it occurred to when it became known; a bar for each snapshot,
which is its window of seven days.
"""

from pathlib import Path

import altair as alt
import vl_convert

from data.instants import DAY_US
from features.catalog import Catalog
from features.feature import Feature
from features.live.live_features import LeadFacts, compile_live
from features.live.live_sweep import Activity
from features.reducers import Count, DaysSinceLast

PICTURE = Path(__file__).parents[2] / "docs" / "sweep.svg"
FACTS = [(1, 1.3), (3, 3.3), (4.5, 10.5), (8, 8.3), (9.5, 9.8), (13, 13.3)]
"""The days on which something occurred, and on which it became known; one of them late."""
SNAPSHOTS, WINDOW = (16, 11, 6), 7
INK, FACT, SNAPSHOT, PALE = "#374151", "#2563eb", "#c2410c", "#fed7aa"


def told() -> list[dict[str, object]]:
    """Return what the sweep says at each snapshot."""
    catalog = Catalog(
        (
            Feature("week", Count(None, days=WINDOW), 0, "{n}"),
            Feature("ever", Count(None), 0, "{n}"),
            Feature("last", DaysSinceLast(None), None, "{ago}"),
        )
    )
    facts = [Activity("L", "call", None, None, round(at * DAY_US), round(known * DAY_US)) for at, known in FACTS]
    leads = [LeadFacts(day * DAY_US, 0, {}, facts) for day in SNAPSHOTS]
    return [
        {
            "row": f"snapshot on day {day}",
            "top": "facts",
            "from": day - WINDOW,
            "day": day,
            "says": f"{week:.0f} in 7 days · {ever:.0f} ever · last {last:.1f} days ago",
        }
        for day, (week, ever, last) in zip(SNAPSHOTS, compile_live(catalog).values(leads), strict=True)
    ]


def picture() -> alt.LayerChart:
    """Return the picture."""
    facts = [{"row": "known late" if known - at > 1 else "facts", "at": at, "known": known} for at, known in FACTS]
    snapshots = told()
    rows = ["facts", "known late", *(str(each["row"]) for each in snapshots)]
    x = {"scale": alt.Scale(domain=[-2, 24]), "axis": alt.Axis(title="day", values=list(range(0, 17, 2)), grid=False)}
    y = alt.Y(
        "row:N",
        scale=alt.Scale(domain=rows),
        axis=alt.Axis(title=None, ticks=False, domain=False, labelPadding=8, labelLimit=200),
    )
    of_facts, of_snapshots = alt.Chart(alt.Data(values=facts)), alt.Chart(alt.Data(values=snapshots))
    return (
        alt.layer(
            of_snapshots.mark_bar(height=20, color=PALE).encode(x=alt.X("from:Q", **x), x2="day:Q", y=y),
            of_snapshots.mark_rule(color=SNAPSHOT, strokeDash=[3, 3]).encode(
                x=alt.X("day:Q", **x), y=alt.Y("top:N", scale=alt.Scale(domain=rows)), y2="row:N"
            ),
            of_snapshots.mark_text(align="left", dx=8, color=INK, fontSize=12).encode(
                x=alt.X("day:Q", **x), y=y, text="says:N"
            ),
            of_facts.mark_rule(color=FACT, strokeWidth=2).encode(x=alt.X("at:Q", **x), x2="known:Q", y=y),
            of_facts.mark_point(color=FACT, filled=True, size=70, opacity=1).encode(x=alt.X("at:Q", **x), y=y),
            of_facts.mark_tick(color=FACT, thickness=2, height=14).encode(x=alt.X("known:Q", **x), y=y),
        )
        .properties(
            width=760,
            height=190,
            title=alt.TitleParams(
                "One lead: a dot where something occurred, a tick where it became known",
                subtitle="A snapshot counts what is known before it, by when it occurred",
                anchor="start",
            ),
        )
        .configure_view(stroke=None)
    )


def main() -> None:
    """Draw it."""
    drawn = vl_convert.vegalite_to_svg(picture().to_dict() | {"background": "white"}, allowed_base_urls=[])
    PICTURE.write_text(drawn + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
