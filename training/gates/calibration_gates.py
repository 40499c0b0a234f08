"""
Gates of the calibration: are the probabilities right, as far as the test rows can tell.

Observed over expected, and the slope, are estimates: a gate fails when the whole of its 95 % interval lies outside of
what is allowed, so that few test rows never fail a good model, and seldom a bad one. A calibration that was fitted on
few successes is off by chance, too, and no later weeks can mend that: where its own numbers on the train rows are
known, their noise widens the interval. The calibration error has noise of its own that no model can be below; it may
exceed what a perfect model shows 95 times in 100 by 0.005.

A gate that passes although it could not have failed a scorer that is off is not conclusive: where an interval reaches
out of what is allowed, and where probabilities a fifth too high or too low would have passed as well.

Measured on simulated leads with a success rate near 8 % and an AUC near 0.75, each row an account of its own, in 200
worlds each: the share of worlds in which at least one gate fails.

===========================================  =====  =====  =======
successes among the test rows                  100    400    1,000
===========================================  =====  =====  =======
correct probabilities (a false alarm)          3 %    0 %      0 %
20 % too high (observed 0.83)                 20 %   44 %     87 %
20 % too low (observed 1.20)                  17 %   50 %     87 %
too extreme (a slope of 0.8)                  24 %   59 %     93 %
===========================================  =====  =====  =======
"""

import math
from dataclasses import dataclass

from training.gates.gate import GateResult
from training.replay.replay_evaluation import ReplayEvaluation
from training.statistics.estimate import NO_ESTIMATE, CalibrationError, Estimate
from training.statistics.scorer_metrics import Metrics

ERROR_ABOVE_NOISE = 0.005
"""By how much the calibration error may exceed the noise of a perfect model."""

LEAST, MOST = 0.9, 1.1
"""Where observed over expected, and the slope, should lie."""

VISIBLE = 0.2
"""Probabilities that are off by this share must be visible, or the gate of the calibration error is not conclusive."""

_ERROR_OPEN = "Whether probabilities are right on average"
_REMEDY = "train again with later weeks, as the rate of success may have changed since those it was calibrated on"


@dataclass(frozen=True, slots=True)
class _GateWords:
    """How to put into words a number that should be near 1."""

    name: str
    below: str
    above: str
    fine: str
    open: str
    means: str
    unknown: str


_TOTAL = _GateWords(
    "observed over expected",
    below="The probabilities are too high",
    above="The probabilities are too low",
    fine="The probabilities add up",
    open="Whether the probabilities add up",
    means="{value:.2f} of the expected successes happened",
    unknown="No success was expected, so that expected and observed cannot be compared.",
)
_SLOPE = _GateWords(
    "calibration slope",
    below="High probabilities are too high and low ones too low",
    above="High probabilities are too low and low ones too high",
    fine="High and low probabilities lie as far apart as they should",
    open="Whether high and low probabilities lie as far apart as they should",
    means="outcomes follow the log-odds with a slope of {value:.2f}",
    unknown="All leads have the same probability, or all end alike, so there is no slope.",
)


def calibration_gates(metrics: Metrics, *, successes: int, fitted_on: Metrics | None = None) -> tuple[GateResult, ...]:
    """
    Compare a scorer's calibration with what is allowed.

    Args:
        metrics: on the test rows; ``ece``, ``observed_over_expected`` and ``slope`` are looked at.
        successes: how many leads of the test rows reached the goal, for the words where they cannot tell.
        fitted_on: the same on the rows that the calibration was fitted to; None assumes that the fit has no noise.

    Returns:
        Three gates: ``calibration error``, ``observed over expected``, ``calibration slope``.
    """
    total, slope = metrics.observed_over_expected or NO_ESTIMATE, metrics.slope or NO_ESTIMATE
    total_fit = slope_fit = NO_ESTIMATE
    if fitted_on is not None:
        total_fit, slope_fit = fitted_on.observed_over_expected or NO_ESTIMATE, fitted_on.slope or NO_ESTIMATE
    rate = (metrics.base_rate or NO_ESTIMATE).value or 0.0
    return (
        error_gate(metrics.ece, base_rate=rate, successes=successes),
        total_gate(total, fit=total_fit, successes=successes),
        slope_gate(slope, fit=slope_fit, successes=successes),
    )


def total_gate(total: Estimate, *, successes: int, fit: Estimate = NO_ESTIMATE) -> GateResult:
    """
    Fail where observed over expected lies outside of what is allowed, with its whole interval.

    >>> print(total_gate(Estimate(value=0.86, low=0.83, high=0.89), successes=900).says)
    The probabilities are too high: 0.86 of the expected successes happened (0.83 – 0.89, allowed 0.9 – 1.1); train ...
    >>> undecided = total_gate(Estimate(value=0.66, low=0.4, high=1.1), successes=12)
    >>> print(undecided.passed, undecided.conclusive, undecided.says)
    True False Whether the probabilities add up cannot be told with 12 successes: 0.66 of the expected successes ...
    """
    return _near_one(_TOTAL, total, fit=fit, successes=successes)


def slope_gate(slope: Estimate, *, successes: int, fit: Estimate = NO_ESTIMATE) -> GateResult:
    """Fail where the calibration slope lies outside of what is allowed, with its whole interval."""
    return _near_one(_SLOPE, slope, fit=fit, successes=successes)


def replay_gate(replay: ReplayEvaluation) -> GateResult:
    """Fail where point rules found more successes than the model in the replay, beyond chance."""
    kinds = {participant.name: participant.kind for participant in replay.participants}
    lost = replay.decided and kinds.get(replay.winner) == "rules"
    conclusive = replay.decided or "rules" not in kinds.values()
    name = "replay against the point rules"
    return GateResult(name=name, passed=not lost, says=replay.says, numbers={}, conclusive=conclusive)


def _widened(estimate: Estimate, fitted: Estimate) -> Estimate:
    """
    Widen an interval by the noise of what was fitted; both are near 1, and independent.

    >>> _widened(Estimate(value=1.4, low=1.2, high=1.6), Estimate(value=1.0, low=0.8, high=1.3)).low
    1.055...
    """
    if estimate.value is None or fitted.value is None:
        return estimate
    value = estimate.value

    def apart(end: float | None, fitted_end: float | None) -> float | None:
        """Add two independent distances from the value, which add in squares."""
        if end is None or fitted_end is None:
            return None
        return math.hypot(end - value, value * (fitted_end - (fitted.value or 0.0)))

    below, above = apart(estimate.low, fitted.low), apart(estimate.high, fitted.high)
    low, high = None if below is None else value - below, None if above is None else value + above
    return Estimate(value=value, low=low, high=high)


def error_gate(ece: CalibrationError, *, base_rate: float, successes: int) -> GateResult:
    """Fail where the calibration error exceeds the noise of a perfect model by more than 0.005."""
    error, noise = ece.value or 0.0, ece.noise_95 or 0.0
    limit = noise + ERROR_ABOVE_NOISE
    passed, conclusive = error <= limit, limit < VISIBLE * base_rate
    average = f"robabilities are off by {error:.3f} on average, expected at most {limit:.3f}"
    finding = f"P{average}" if conclusive or not passed else f"{_untold(_ERROR_OPEN, successes)}: p{average}"
    return GateResult(
        name="calibration error",
        passed=passed,
        says=f"{finding}: chance alone explains {noise:.3f}{'.' if passed else f'; {_REMEDY}.'}",
        numbers={"error": error, "noise_95": noise, "limit": limit},
        conclusive=conclusive or not passed,
    )


def _untold(question: str, successes: int) -> str:
    """
    Word a question that so few successes leave open.

    >>> _untold("Whether it rains", 1)
    'Whether it rains cannot be told with 1 success'
    """
    return f"{question} cannot be told with {successes:,} {'success' if successes == 1 else 'successes'}"


def _near_one(wording: _GateWords, measured: Estimate, *, fit: Estimate, successes: int) -> GateResult:
    """Fail where the whole interval lies outside of what is allowed; an end that is not known is never outside."""
    if measured.value is None:
        return GateResult(name=wording.name, passed=True, says=wording.unknown, numbers={}, conclusive=False)
    judged = _widened(measured, fit)
    below, above = judged.high is not None and judged.high < LEAST, judged.low is not None and judged.low > MOST
    passed = not (below or above)
    # Only a whole interval inside shows that the number is right; a wider one passes for want of successes.
    inside = judged.low is not None and judged.high is not None and LEAST <= judged.low <= judged.high <= MOST
    untold = _untold(wording.open, successes)
    finding = wording.below if below else wording.above if above else wording.fine if inside else untold
    # The interval is that of every table; what the gate goes by is named as something else.
    wider = "" if judged == measured else f"; {_span(judged)} with the noise of the calibration's own fit"
    number = f"{wording.means.format(value=measured.value)} ({_span(measured)}{wider}, allowed {LEAST} – {MOST})"
    ends = {"value": measured.value, "low": measured.low, "high": measured.high}
    if judged != measured:
        ends |= {"low_with_fit": judged.low, "high_with_fit": judged.high}
    return GateResult(
        name=wording.name,
        passed=passed,
        says=f"{finding}: {number}" + ("." if passed else f"; {_REMEDY}."),
        numbers={name: end for name, end in ends.items() if end is not None},
        conclusive=inside or not passed,
    )


def _span(estimate: Estimate) -> str:
    return " – ".join("?" if end is None else f"{end:.2f}" for end in (estimate.low, estimate.high))
