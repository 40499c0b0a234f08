"""Tables on a screen: numbers side by side, written as the report writes them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from training.reporting.numbers import shown, value
from training.reporting.words import HEADLINE, METRICS


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
    """Put scorers side by side, each number with its interval."""
    table = Table("", *(str(scorer["name"]) for scorer in scorers), box=None)
    for name in HEADLINE:
        metric = METRICS[name]
        table.add_row(metric.words, *(shown(scorer.get(name), metric.shape) for scorer in scorers))
    return table


def origins_table(origins: Sequence[Mapping[str, Any]]) -> Table:
    """Put the log loss of every scorer at every origin side by side."""
    names = [str(scorer["name"]) for scorer in origins[-1]["scorers"]]
    table = Table("judged from", "to", *names, box=None, title="Log loss, each time trained anew", title_justify="left")
    for origin in origins:
        of = {scorer["name"]: scorer["log_loss"] for scorer in origin["scorers"]}
        spans = (origin["test"]["start"][:10], origin["test"]["end"][:10])
        table.add_row(*spans, *(shown(of.get(name), "loss") for name in names))
    return table


def arena_table(arena: Mapping[str, Any]) -> Table:
    """Put what each entrant of the arena found side by side."""
    table = Table("", "successes found", "calls for one", "days before", "value", box=None)
    for one in arena["entrants"]:
        worth = "" if one["value"] is None else value(one["value"], "money")
        numbers = [
            shown(one["conversions"], "count"),
            shown(one["calls_per_conversion"], "ratio"),
            value(one["days_before"], "days"),
        ]
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
