"""
Palette: one colour, dash and shape for each kind of scorer, in every chart and table.

Charts are drawn in the light colours. A picture then carries CSS custom properties with those colours as fallbacks, so
that one SVG is right in light, in dark and in print. Dashes and shapes tell series apart where colours cannot: in grey
print, and for the one in twelve men who see red and green alike.

Source: the hues follow Okabe and Ito 2008, Color Universal Design (blue, vermilion, bluish green), darkened until text
in them reaches a contrast of 4.5 on paper.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from training.evaluation.scorer_evaluation import NamedResult

MOST_SERIES = 6

INK, QUIET, LINE, BAND, PAPER = "#1b2430", "#566170", "#d5dbe3", "#e6ebf2", "#ffffff"
MODEL, RULES, LEARNED, BASELINE = "#1d5fbf", "#b04a00", "#00694d", "#666d79"
TRAIN, TEST, PURGE = "#c4cfde", "#3e5170", "#ebeff4"

LIGHT: Mapping[str, str] = {
    "ink": INK,
    "quiet": QUIET,
    "line": LINE,
    "band": BAND,
    "paper": PAPER,
    "model": MODEL,
    "rules": RULES,
    "learned": LEARNED,
    "baseline": BASELINE,
    "train": TRAIN,
    "test": TEST,
    "purge": PURGE,
    "good": "#1a7040",
    "bad": "#b3261e",
    "care": "#8a5200",
    "shade": "#f6f8fa",
}
DARK: Mapping[str, str] = {
    "ink": "#e7ebf0",
    "quiet": "#a3adba",
    "line": "#363f4b",
    "band": "#2b3441",
    "paper": "#12161c",
    "model": "#79b0ff",
    "rules": "#f5a25d",
    "learned": "#4fd0a5",
    "baseline": "#9aa3b0",
    "train": "#3d4a5d",
    "test": "#b4c6e0",
    "purge": "#1f2630",
    "good": "#6fd08c",
    "bad": "#ff8e85",
    "care": "#f0b85a",
    "shade": "#1a2029",
}

_Mark = tuple[tuple[int, ...], str]
_KINDS: Mapping[str, tuple[str, _Mark]] = {
    "model": (MODEL, ((1, 0), "circle")),
    "rules": (RULES, ((6, 3), "square")),
    "learned rules": (LEARNED, ((2, 2), "diamond")),
    "baseline": (BASELINE, ((1, 3), "cross")),
}
"""The colour of each kind, and the dash and shape of the first of it."""

_OTHERS: tuple[_Mark, ...] = (
    ((12, 3), "triangle-up"),
    ((12, 3, 2, 3), "triangle-down"),
    ((6, 3, 1, 3), "triangle-left"),
    ((4, 4), "triangle-right"),
    ((9, 2, 2, 2), "wedge"),
)
"""Dashes and shapes of those that are not the first of their kind."""


@dataclass(frozen=True, slots=True)
class Series:
    """One scorer as charts draw it."""

    label: str
    kind: str
    colour: str
    dash: tuple[int, ...]
    shape: str


def series_of(entries: Iterable[NamedResult]) -> tuple[Series, ...]:
    """
    Return what charts draw of some scorers, in their order: the first of each kind, and then the others, at most six.

    Args:
        entries: scorers, or parts of an evaluation that are about one scorer each.

    >>> from training.evaluation.scorer_evaluation import ScorerName
    >>> scorers = [ScorerName(name="demo", kind="model"), ScorerName(name="old rules", kind="rules")]
    >>> [series.label for series in series_of(scorers)]
    ['demo', 'old rules']
    """
    given = list({entry.name: str(entry.kind) for entry in entries}.items())
    firsts = {kind: name for name, kind in reversed(given)}
    ranked = sorted(given, key=lambda pair: firsts[pair[1]] != pair[0])
    kept = {name for name, _ in ranked[:MOST_SERIES]}
    return tuple(_series([(name, kind) for name, kind in given if name in kept]))


def _series(pairs: list[tuple[str, str]]) -> Iterator[Series]:
    seen, others = set(), iter(_OTHERS)
    for name, kind in pairs:
        colour, first = _KINDS[kind]
        dash, shape = next(others) if kind in seen else first
        seen.add(kind)
        yield Series(name, kind, colour, dash, shape)


def as_css() -> str:
    """Write the custom properties: light, dark where the reader's screen is dark, and light again on paper."""
    light, dark = ("".join(f"--{name}:{colour};" for name, colour in colours.items()) for colours in (LIGHT, DARK))
    return f":root{{color-scheme:light dark;{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
