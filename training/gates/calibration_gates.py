"""
Gates of the calibration: are the chances what they say, as far as the test rows can tell.

Observed over expected, and the slope, are estimates: a gate fails when the whole of its 95 % interval lies outside of
what is allowed, so that few test rows never fail a good model, and seldom a bad one. A calibration that was fitted on
few successes is off by chance, too, and no later weeks can mend that: where the calibrate block's own numbers are
given, their noise widens the interval. The error of the calibration has noise of its own that no model can be below; it
may exceed what a perfect one shows 95 times in 100 by 0.005.

A gate that passes although it could not have failed a scorer that is off is "not contradicted": where an interval
reaches out of what is allowed, and where chances a fifth too high or too low would have passed as well.

Measured on simulated leads with a rate of success near 8 % and an AUC near 0.75, each row an account of its own, in 200
worlds each: the share of worlds in which at least one gate fails.

===========================================  =====  =====  =======
successes among the test rows                  100    400    1,000
===========================================  =====  =====  =======
chances that are right (a false alarm)         3 %    0 %      0 %
chances 20 % too high (observed 0.83)         20 %   44 %     87 %
chances 20 % too low (observed 1.20)          17 %   50 %     87 %
chances too extreme (a slope of 0.8)          24 %   59 %     93 %
===========================================  =====  =====  =======
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.gates.gate import GateResult
from training.replay import Replay

ERROR_ABOVE_NOISE = 0.005
"""What the calibration error may exceed the noise of a perfect model by."""

LEAST, MOST = 0.9, 1.1
"""Where observed over expected, and the slope, should lie."""

SEEN = 0.2
"""Chances that are off by this share must be seen, or the calibration error is not contradicted at best."""

_MEND = "train again with later weeks, for the rate of success may have changed since those it was calibrated on"


@dataclass(frozen=True, slots=True)
class _Estimate:
    """How to speak of a number that should be near 1."""

    name: str
    below: str
    above: str
    fine: str
    means: str
    unknown: str


_TOTAL = _Estimate(
    "observed over expected",
    below="The chances are too high",
    above="The chances are too low",
    fine="The chances add up",
    means="{value:.2f} of what was promised came true",
    unknown="No success was promised, so no promise could be kept or broken.",
)
_SLOPE = _Estimate(
    "calibration slope",
    below="High chances are too high and low ones too low",
    above="High chances are too low and low ones too high",
    fine="High and low chances lie as far apart as they should",
    means="what happened follows the log-odds with a slope of {value:.2f}",
    unknown="All leads have the same chance, or all end alike, so there is no slope.",
)


def calibration_gates(metrics: Mapping[str, Any], *, learnt: Mapping[str, Any] | None = None) -> tuple[GateResult, ...]:
    """
    Hold a scorer's calibration against what is allowed.

    Args:
        metrics: of ``evaluate`` on the test rows: ``ece``, ``observed_over_expected``, ``slope``, ``base_rate``.
        learnt: the same on the rows that the calibration was fitted to; None takes it as known without noise.

    Returns:
        Three gates: ``calibration error``, ``observed over expected``, ``calibration slope``; each says in words what
        was found, and what to do where it failed.

    >>> low, fine = {"value": 0.86, "low": 0.83, "high": 0.89}, {"value": 1.02, "low": 0.94, "high": 1.2}
    >>> numbers = {"ece": {"value": 0.01, "noise_95": 0.02}, "observed_over_expected": low, "slope": fine}
    >>> numbers["base_rate"] = {"value": 0.3, "low": 0.28, "high": 0.32}
    >>> [gate.passed for gate in calibration_gates(numbers)]
    [True, False, True]
    >>> print(calibration_gates(numbers)[1].says)
    The chances are too high: 0.86 of what was promised came true (0.83 – 0.89, expected 0.9 – 1.1); train again ...
    """
    total, slope = (
        metrics[name] if learnt is None else _widened(metrics[name], learnt[name])
        for name in ("observed_over_expected", "slope")
    )
    return _error(metrics), _near_one(_TOTAL, total), _near_one(_SLOPE, slope)


def against_the_rules(arena: Replay) -> GateResult:
    """Fail where point rules found more successes than the model in the replay, beyond chance."""
    found = arena.verdict
    kinds = {one.entrant.name: one.entrant.kind for one in arena.standings}
    lost = found.decided and kinds.get(found.winner) == "rules"
    told_apart = found.decided or "rules" not in kinds.values()
    return GateResult("replay against the point rules", not lost, found.says, numbers={}, conclusive=told_apart)


def _widened(number: Mapping[str, Any], learnt: Mapping[str, Any]) -> Mapping[str, Any]:
    """
    Widen an interval by the noise of what was fitted; both are near 1, and independent.

    >>> _widened({"value": 1.4, "low": 1.2, "high": 1.6}, {"value": 1.0, "low": 0.8, "high": 1.3})["low"]
    1.055...
    """
    value = number["value"]
    if value is None or learnt["value"] is None:
        return number
    ends = {}
    for end in ("low", "high"):
        known = number[end] is not None and learnt[end] is not None
        apart = math.hypot(number[end] - value, value * (learnt[end] - learnt["value"])) if known else None
        ends[end] = None if apart is None else value + math.copysign(apart, -1 if end == "low" else 1)
    return {"value": value, **ends}


def _error(metrics: Mapping[str, Any]) -> GateResult:
    """Compare the calibration error with the noise of a perfect model."""
    error, noise = metrics["ece"]["value"], metrics["ece"]["noise_95"]
    limit = noise + ERROR_ABOVE_NOISE
    passed, conclusive = error <= limit, limit < SEEN * (metrics["base_rate"]["value"] or 0.0)
    text = f"Chances are off by {error:.3f} on average, expected at most {limit:.3f}: chance alone explains {noise:.3f}"
    numbers = {"error": error, "noise_95": noise, "limit": limit}
    ending = "." if passed else f"; {_MEND}."
    return GateResult("calibration error", passed, text + ending, numbers, conclusive=conclusive or not passed)


def _near_one(words: _Estimate, number: Mapping[str, Any]) -> GateResult:
    """Fail where the whole interval lies outside of what is allowed; an unknown end is outside of nothing."""
    if number["value"] is None:
        return GateResult(words.name, passed=True, says=words.unknown, numbers={}, conclusive=False)
    below = number["high"] is not None and number["high"] < LEAST
    above = number["low"] is not None and number["low"] > MOST
    passed = not (below or above)
    inside = None not in (number["low"], number["high"]) and LEAST <= number["low"] <= number["high"] <= MOST
    lead = words.below if below else words.above if above else words.fine if inside else ""
    span = " – ".join("?" if number[end] is None else f"{number[end]:.2f}" for end in ("low", "high"))
    found = f"{words.means.format(value=number['value'])} ({span}, expected {LEAST} – {MOST})"
    text = f"{lead}: {found}" if lead else found[:1].upper() + found[1:]
    numbers = {name: float(number[name]) for name in ("value", "low", "high") if number[name] is not None}
    ending = "." if passed else f"; {_MEND}."
    return GateResult(words.name, passed, text + ending, numbers, conclusive=inside or not passed)
