"""The page: templates, how they write numbers, and figures that are right on a screen, a phone and paper."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from altair.utils.schemapi import debug_mode
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from models.receipt import chance
from training.evaluation.scorer_evaluation import LogLossDifference, NamedResult
from training.reporting.charts import NARROW, WIDE, Chart
from training.reporting.metric_names import BLOCKS, GATE_MARKS, HEADLINE, KINDS, METRICS
from training.reporting.palette import LIGHT, Series, as_css, series_of
from training.reporting.svg import picture, words_of
from training.statistics.estimate import Estimate
from training.statistics.number_format import day, difference, interval, known, minute, shown, value, verdict_on

_SHAPES: Mapping[str, str] = {
    "circle": "M15,6A4,4,0,1,1,7,6A4,4,0,1,1,15,6Z",
    "square": "M7.4,2.4h7.2v7.2h-7.2Z",
    "diamond": "M11,1.2L15.2,6L11,10.8L6.8,6Z",
    "triangle-up": "M11,1.8L15.2,9.6H6.8Z",
    "triangle-down": "M11,10.2L15.2,2.4H6.8Z",
    "triangle-left": "M6.6,6L14.4,1.8V10.2Z",
    "triangle-right": "M15.4,6L7.6,1.8V10.2Z",
    "cross": "M9.4,2h3.2v2.4H15v3.2h-2.4V10H9.4V7.6H7V4.4h2.4Z",
    "wedge": "M11,1.6L13.4,10H8.6Z",
}


def render(template: str, **context: Any) -> str:
    """Fill a template of this package; values are text and stay text, unless they are Markup."""
    return _environment().get_template(template).render(**context)


def figure(draw: Callable[[int], Chart]) -> Markup:
    """
    Draw a chart twice, for a screen or a page and for a phone, under its title and beside its description.

    Args:
        draw: makes the chart at a width [px].
    """
    with debug_mode(arg=False):  # Altair checks every part of a chart at every step; our tests have done that
        wide, narrow = draw(WIDE), draw(NARROW)
    title, about = words_of(wide)
    return _trusted(render("figure.html.j2", title=title, about=about, wide=_drawn(wide), narrow=_drawn(narrow)))


def swatch(series: Series | None) -> Markup:
    """Return the small mark that stands for a scorer beside its name; empty for one that no chart shows."""
    if series is None:
        return Markup("")
    name = next(name for name, colour in LIGHT.items() if colour == series.colour)
    return Markup(
        '<svg class="swatch" viewBox="0 0 22 12" aria-hidden="true"><line x1="0" x2="22" y1="6" y2="6" '
        'stroke="var(--{0})" stroke-width="2" stroke-dasharray="{1}"/><path d="{2}" fill="var(--{0})"/></svg>'
    ).format(name, " ".join(str(length) for length in series.dash if series.dash != (1, 0)), _SHAPES[series.shape])


def swatches(scorers: Iterable[NamedResult]) -> dict[str, Markup]:
    """Return the mark of every scorer, by its name."""
    return {series.label: swatch(series) for series in series_of(scorers)}


def _drawn(chart: Chart) -> Markup:
    return _trusted(picture(chart))


def _trusted(text: str) -> Markup:
    """
    Mark text as markup that stands in a page as it is.

    Pictures are XML that lxml wrote, and templates escape values: neither holds foreign markup.
    """
    return Markup(text)  # noqa: S704 - see above


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        chance=chance,
        day=day,
        interval=interval,
        losses_by_name=_losses_by_name,
        minute=minute,
        number=value,
        shown=shown,
    )
    made.tests["known"] = lambda number: known(number) is not None
    made.globals.update(
        BLOCKS=BLOCKS,
        GATE_MARKS=GATE_MARKS,
        HEADLINE=HEADLINE,
        KINDS=KINDS,
        METRICS=METRICS,
        stylesheet=_trusted(as_css() + _template("page.css")),
        difference=difference,
        verdict_on=verdict_on,
    )
    return made


def _losses_by_name(differences: Sequence[LogLossDifference]) -> dict[str, Estimate]:
    return {difference.name: difference.log_loss for difference in differences}


def _template(name: str) -> str:
    return (resources.files("training.reporting") / "templates" / name).read_text(encoding="utf-8")
