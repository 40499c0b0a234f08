"""The verdict: what a training came to, in a few sentences that marketing ops can defend."""

from collections.abc import Mapping
from typing import Any


def verdict_of(judgement: Mapping[str, Any]) -> str:
    """
    Say what a judgement comes to.

    Args:
        judgement: as written by training; its verdict is not looked at.

    Returns:
        What was found at the team's capacity, over the origins, at the gates, and what to do next.
    """
    if judgement["model"] is None:
        return f"{judgement['standing']['says']} Until then the point rules score alone."
    parts = [_of_arena(judgement["arena"]), _of_origins(judgement["origins"]), _of_gates(judgement["gates"])]
    return " ".join(part for part in parts if part)


def _of_arena(arena: Mapping[str, Any] | None) -> str:
    return "" if arena is None else str(arena["says"])


def _of_origins(origins: list[Mapping[str, Any]]) -> str:
    """Say in how many origins the model beat the point rules beyond chance, and in how many it lost."""
    found = [_against_rules(origin) for origin in origins]
    intervals = [one for one in found if one is not None]
    if not intervals:
        return ""
    better = sum(one["high"] < 0 for one in intervals)
    worse = sum(one["low"] > 0 for one in intervals)
    lost = f", and is worse in {worse}" if worse else ""
    times = f"all {better} trainings" if 1 < better == len(intervals) else f"{better} of {len(intervals)} trainings"
    return f"The model's chances are better than those of the point rules in {times} forward in time{lost}."


def _against_rules(origin: Mapping[str, Any]) -> Mapping[str, float] | None:
    rules = next((one["name"] for one in origin["scorers"] if one["kind"] == "rules"), None)
    return next((one["log_loss"] for one in origin["differences"] if one["name"] == rules), None)


def _of_gates(gates: list[Mapping[str, Any]]) -> str:
    held = [str(gate["name"]) for gate in gates if not gate["passed"] and gate["accepted"] is None]
    accepted = [str(gate["name"]) for gate in gates if gate["accepted"] is not None]
    said = [f"All {len(gates)} gates passed."] if not held and not accepted else []
    if accepted:
        said.append(f"Accepted though not passed: {', '.join(accepted)}.")
    if held:
        said.append(f"Not passed, so that it may not be promoted: {', '.join(held)}.")
    return " ".join(said)
