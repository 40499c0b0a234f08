"""Tables on a screen: numbers side by side, written as the report writes them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from training.fitting.baselines import BASE_RATE
from training.reporting.metric_names import HEADLINE, METRICS
from training.reporting.number_format import Shape, interval, shown, value

_WORDS = 18
"""Width of the column that says what is counted; an interval takes a second line anyway."""


def blocks_table(manifest: Mapping[str, Any]) -> Table:
    """Put the blocks of a training set side by side: from when to when, how many rows, how many reach the goal."""
    table = Table("block", "from", "to", "rows", "reach the goal", box=None)
    for name in ("train", "calibrate", "test"):
        span = manifest["plan"][name]
        parts = ("train", "stop") if name == "train" else (name,)
        rows, hits = (sum(manifest[key][part] for part in parts) for key in ("blocks", "positives"))
        table.add_row(name, span["start"][:10], span["end"][:10], f"{rows:,}", f"{hits:,}")
    return table


def metrics_table(scorers: Sequence[Mapping[str, Any]]) -> Table:
    """Put scorers side by side, each number above its interval; the base rate orders nobody and is left out."""
    shown_ = [scorer for scorer in scorers if scorer["name"] != BASE_RATE]
    table = Table(box=None)
    table.add_column("", max_width=_WORDS)
    for scorer in shown_:
        table.add_column(str(scorer["name"]), justify="right", no_wrap=True)
    for name in HEADLINE:
        metric = METRICS[name]
        table.add_row(metric.words, *(_with_interval(scorer.get(name), metric.shape) for scorer in shown_))
    return table


def _with_interval(number: Any, shape: Shape) -> Text:
    return Text(value(number, shape)).append(f"\n{interval(number, shape)}", style="dim")


def origins_table(origins: Sequence[Mapping[str, Any]]) -> Table:
    """Put the log loss of every scorer at every origin side by side."""
    names = [str(scorer["name"]) for scorer in origins[0]["scorers"]]
    table = Table("judged from", "to", box=None, title="Log loss, each time trained anew", title_justify="left")
    for name in names:
        table.add_column(name, justify="right")
    for origin in origins:
        of = {scorer["name"]: scorer["log_loss"] for scorer in origin["scorers"]}
        spans = (origin["test"]["start"][:10], origin["test"]["end"][:10])
        table.add_row(*spans, *(value(of.get(name), "loss") for name in names))
    return table


def arena_table(arena: Mapping[str, Any]) -> Table:
    """Put what each entrant of the arena found side by side."""
    table = Table(box=None)
    table.add_column("")
    for words in ("successes found", "calls for one", "days before", "value"):
        table.add_column(words, justify="right")
    for one in arena["entrants"]:
        worth = "" if one["value"] is None else value(one["value"], "money")
        numbers = (
            shown(one["conversions"], "count"),
            value(one["calls_per_conversion"], "ratio"),
            value(one["days_before"], "days"),
        )
        table.add_row(str(one["name"]), *numbers, worth)
    return table


def gates_said(gates: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say how many gates passed, and of each other what it found."""
    passed = [str(gate["name"]) for gate in gates if gate["passed"]]
    if passed:
        yield f"Gates passed: {', '.join(passed)}."
    for gate in gates:
        if not gate["passed"]:
            accepted = "" if gate["accepted"] is None else f" Accepted: {gate['accepted']}."
            yield f"Gate not passed: {gate['name']}. {gate['says']}{accepted}"
