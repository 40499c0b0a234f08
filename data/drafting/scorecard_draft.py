"""A few simple point rules to start from: what known kinds are worth, and points lost to silence."""

from collections.abc import Collection, Mapping, Sequence

from data.drafting.commented_yaml import Block, Entry, Remark
from data.drafting.vocabulary import ActivityEntry, known_words

_MOST_RULES = 9
_UNKNOWN_POINTS, _UNKNOWN_AT_MOST, _UNKNOWN_KINDS = 2, 5, 3
_WINDOW_DAYS, _SILENT_DAYS, _SILENT_POINTS = 30, 30, -15
_ONCE = 2


def scorecard_block(
    kinds: Mapping[str, tuple[str, int]], sizes: Mapping[str, float], never_use: Collection[str]
) -> Block:
    """
    Return the point rules as YAML entries.

    Args:
        kinds: kind → what the lead did, and the number of rows; the most frequent first.
        sizes: numeric attribute that is better when larger → the value from which it earns points.
        never_use: names that no rule may look at.
    """
    known = {entry.name: entry for entry in known_words().activities}
    usable = {name: about for name, about in kinds.items() if name not in never_use}
    worth = sorted((known[n].points, n) for n in usable if n in known and known[n].points)
    chosen = [name for _, name in sorted(worth, key=lambda each: -abs(each[0]))][:_MOST_RULES]
    rules = [_known_rule(known[name]) for name in chosen]
    unknown = [name for name in usable if name not in known][: _UNKNOWN_KINDS if len(chosen) < _UNKNOWN_KINDS else 0]
    rules += [_unknown_rule(name, usable[name][0]) for name in unknown]
    rules += [_size_rule(name, least) for name, least in sizes.items() if name not in never_use]
    silent = {"inactive_days": _SILENT_DAYS, "points": _SILENT_POINTS, "because": "has gone quiet"}
    return (
        Remark("Point rules to start from: common sense, not learned from your data. Change what you know better."),
        Entry("name", "first rules"),
        Entry("base_points", 20),
        Entry("threshold", 60),
        Entry("rules", [*rules, silent]),
    )


def routing_block() -> Block:
    """Return the routing as YAML entries."""
    return (
        Remark("The threshold is solved from capacity_per_day; give threshold_points to fix it by hand."),
        Entry("hysteresis_points", 5),
        Entry("grades", {"A": 0.05, "B": 0.15, "C": 0.30}, "shares of leads from the top; the rest is D"),
    )


def _known_rule(entry: ActivityEntry) -> dict[str, object]:
    rule: dict[str, object] = {"activity": entry.name, "points": entry.points, "at_most": entry.at_most or 1}
    if (entry.at_most or 1) > _ONCE:
        rule["within_days"] = _WINDOW_DAYS
    return {**rule, "because": entry.did}


def _unknown_rule(name: str, did: str) -> dict[str, object]:
    rule = {"activity": name, "points": _UNKNOWN_POINTS, "at_most": _UNKNOWN_AT_MOST, "within_days": _WINDOW_DAYS}
    return {**rule, "because": did}


def _size_rule(name: str, least: float) -> dict[str, object]:
    entry = known_words().attribute(name)
    points = entry.points if entry is not None else None
    return {"attribute": name, "at_least": least, "points": points or 0, "because": "company is large enough"}


def sized_attributes(names: Sequence[str]) -> list[str]:
    """Return the numeric attributes that earn points when they are large."""
    entries = {name: known_words().attribute(name) for name in names}
    return [name for name, entry in entries.items() if entry is not None and entry.points]
