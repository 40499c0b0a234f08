"""Results: what each scorer's calls led to, alone and compared with another's, with intervals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.replay.calls import Calls
from training.replay.policy import Policy
from training.replay.replay_evaluation import DayTotals, ParticipantResult
from training.replay.weeks import SEED, Floats, Weeks
from training.statistics.bootstrap import Ratios, interval, spread
from training.statistics.estimate import Estimate

Parts = Mapping[str, tuple[Floats, Floats]]
Estimates = dict[str, Estimate]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDifference:
    """
    The first participant's calls compared with another's, paired: both had the same leads and the same mornings.

    Attributes:
        conversions_more: conversions that the first found, less the other's.
        days_earlier: of the conversions that both found, how many days earlier the first called, on average.
        value_more: amount that the first found, less the other's; None where the history has no amounts.
        rate_only_first: share that reached the goal, of the leads that only the first called.
        rate_only_other: the same of those that only the other called.
    """

    conversions_more: Estimate
    days_earlier: Estimate
    value_more: Estimate | None = None
    rate_only_first: Estimate
    rate_only_other: Estimate


def replay_results(
    policies: Sequence[Policy], weeks: Weeks
) -> tuple[tuple[ParticipantResult, ...], tuple[CallDifference, ...]]:
    """
    Count what each policy's calls led to.

    Intervals resample accounts with all calls held fixed; every number is measured on the same resamples.

    Args:
        policies: the model's first.
        weeks: leads and mornings.

    Returns:
        Each policy's result, and the difference of the first from each other.
    """
    calls = [policy.calls for policy in policies]
    parts = [*(_alone(each, weeks) for each in calls), *(_paired(calls[0], other, weeks) for other in calls[1:])]
    measured = _measured(parts, weeks)
    alone, paired = measured[: len(calls)], measured[len(calls) :]
    return (
        tuple(_result(policy, estimates, weeks) for policy, estimates in zip(policies, alone, strict=True)),
        tuple(CallDifference(**estimates) for estimates in paired),
    )


def only_called_by(first: Calls, other: Calls) -> NDArray[np.bool_]:
    """Return which leads the first scorer had called and the other had not, (m,)."""
    return first.called & ~other.called


def _result(policy: Policy, estimates: Estimates, weeks: Weeks) -> ParticipantResult:
    content = {
        **dict(policy.participant.identity),
        "calls": float(weeks.weight[policy.calls.called].sum()),
        "value": None,
        **estimates,
        "by_day": tuple(_by_day(policy.calls, weeks)),
    }
    return ParticipantResult.model_validate(content)


def _alone(calls: Calls, weeks: Weeks) -> Parts:
    """Return the numbers of one scorer as ratios of sums: name → (numerator, denominator), each (m,)."""
    called, converted = weeks.weight * calls.called, weeks.weight * calls.converted
    eventually = weeks.weight * calls.eventually
    whole = _summing_to_one(weeks)
    return {
        "conversions": (converted, whole),
        "eventual_conversions": (eventually, whole),
        "found_share": (converted, weeks.weight * weeks.findable),
        "calls_per_conversion": (called, converted),
        "days_before": (converted * np.nan_to_num(calls.days_before), converted),
        **({"value": (converted * np.nan_to_num(weeks.amount), whole)} if weeks.knows_amounts else {}),
    }


def _paired(first: Calls, other: Calls, weeks: Weeks) -> Parts:
    """Return the numbers that compare two scorers, in the same way."""
    more = weeks.weight * (first.converted.astype(np.float64) - other.converted)
    both = weeks.weight * (first.converted & other.converted)
    earlier = np.nan_to_num(first.days_before) - np.nan_to_num(other.days_before)
    only_first, only_other = (weeks.weight * only_called_by(*pair) for pair in ((first, other), (other, first)))
    whole = _summing_to_one(weeks)
    return {
        "conversions_more": (more, whole),
        "days_earlier": (both * earlier, both),
        **({"value_more": (more * np.nan_to_num(weeks.amount), whole)} if weeks.knows_amounts else {}),
        "rate_only_first": (only_first * first.converted, only_first),
        "rate_only_other": (only_other * other.converted, only_other),
    }


def _summing_to_one(weeks: Weeks) -> Floats:
    """
    Return a denominator that sums to 1 on every resample, which draws as many accounts as there are: for plain counts.

    Each account sums to 1 / (number of accounts).
    """
    sizes = np.bincount(weeks.group)
    return np.asarray(1 / (len(sizes) * sizes[weeks.group]))


def _measured(parts: Sequence[Parts], weeks: Weeks) -> list[Estimates]:
    """Measure all numbers on the same resamples of the accounts."""
    flat = {f"{index} {name}": pair for index, each in enumerate(parts) for name, pair in each.items()}
    ratios = Ratios.of(flat, weeks.group)
    spreads = spread(ratios.at, ratios.groups, seed=SEED)
    estimates = dict(zip(flat, map(interval, spreads.T, ratios.values.tolist()), strict=True))
    return [{name: estimates[f"{index} {name}"] for name in each} for index, each in enumerate(parts)]


def _by_day(calls: Calls, weeks: Weeks) -> Iterator[DayTotals]:
    """Accumulate calls and conversions, morning by morning."""
    morning, weight = calls.morning[calls.called], weeks.weight[calls.called]
    sums = [
        np.bincount(morning, weights=each, minlength=len(weeks.mornings)).cumsum().tolist()
        for each in (weight, weight * calls.converted[calls.called])
    ]
    for day, made, converted in zip(weeks.days, *sums, strict=True):
        yield DayTotals(day=day, calls=made, conversions=converted)
