"""Standings: what each scorer's calls came to, alone and against another's, with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.replay.calls import Calls
from training.replay.disagreements import only
from training.replay.participants import Participant
from training.replay.policy import Policy
from training.replay.weeks import SEED, Floats, Weeks
from training.statistics.bootstrap import Ratios, interval, spread

Number = dict[str, Any]
"""A number with its 95 % interval: ``value``, ``low``, ``high``; None where there is no such number."""

Parts = Mapping[str, tuple[Floats, Floats]]


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """
    What one scorer's calls came to; counts are of the company's leads, so they need not be whole.

    Attributes:
        entrant: who it is.
        calls: how many the team made.
        conversions: how many of the called leads reached the goal within the horizon from the call on.
        found_share: that, of all conversions that any calls could have found.
        calls_per_conversion: calls over conversions.
        days_before: mean days from the call to the goal, of the conversions found.
        value: amount of the conversions found, those without a known amount counting nothing; None where the history
            knows no amounts.
        by_day: date, calls and conversions so far; a conversion counts on the day of its call.
    """

    entrant: Participant
    calls: float
    conversions: Number
    found_share: Number
    calls_per_conversion: Number
    days_before: Number
    value: Number | None
    by_day: tuple[tuple[str, float, float], ...]

    def as_json(self) -> dict[str, Any]:
        """Write who it is and all numbers."""
        return {
            "name": self.entrant.name,
            "kind": self.entrant.kind,
            "version": self.entrant.version,
            "fingerprint": self.entrant.fingerprint,
            "calls": self.calls,
            "conversions": self.conversions,
            "found_share": self.found_share,
            "calls_per_conversion": self.calls_per_conversion,
            "days_before": self.days_before,
            "value": self.value,
            "by_day": [{"day": day, "calls": calls, "conversions": found} for day, calls, found in self.by_day],
        }


@dataclass(frozen=True, slots=True)
class CallDifference:
    """
    Our calls against another's, paired: both had the same leads and the same mornings.

    Attributes:
        conversions_more: conversions we found, less theirs.
        days_earlier: of the conversions that both found, how many days earlier we called, on average.
        value_more: amount we found, less theirs; None where the history knows no amounts.
        rate_only_ours: share of the leads that only we called that reached the goal.
        rate_only_theirs: of those that only they called.
    """

    conversions_more: Number
    days_earlier: Number
    value_more: Number | None
    rate_only_ours: Number
    rate_only_theirs: Number


def standings(policies: Sequence[Policy], weeks: Weeks) -> tuple[tuple[ReplayResult, ...], tuple[CallDifference, ...]]:
    """
    Count what each policy's calls came to.

    Intervals resample accounts with all calls held fixed; every number is measured on the same resamples.

    Args:
        policies: ours first.
        weeks: leads and mornings.

    Returns:
        Each policy's standing, and the difference of the first to each other.
    """
    calls = [policy.calls for policy in policies]
    parts = [*(_alone(one, weeks) for one in calls), *(_paired(calls[0], other, weeks) for other in calls[1:])]
    found = _measured(parts, weeks)
    alone, paired = found[: len(calls)], found[len(calls) :]
    return (
        tuple(_standing(policy, numbers, weeks) for policy, numbers in zip(policies, alone, strict=True)),
        tuple(_difference(numbers, weeks) for numbers in paired),
    )


def _standing(policy: Policy, numbers: Mapping[str, Number], weeks: Weeks) -> ReplayResult:
    return ReplayResult(
        entrant=policy.entrant,
        calls=float(weeks.weight[policy.calls.called].sum()),
        conversions=numbers["conversions"],
        found_share=numbers["found_share"],
        calls_per_conversion=numbers["calls_per_conversion"],
        days_before=numbers["days_before"],
        value=numbers["value"] if weeks.knows_amounts else None,
        by_day=_by_day(policy.calls, weeks),
    )


def _difference(numbers: Mapping[str, Number], weeks: Weeks) -> CallDifference:
    return CallDifference(
        conversions_more=numbers["conversions_more"],
        days_earlier=numbers["days_earlier"],
        value_more=numbers["value_more"] if weeks.knows_amounts else None,
        rate_only_ours=numbers["rate_only_ours"],
        rate_only_theirs=numbers["rate_only_theirs"],
    )


def _alone(calls: Calls, weeks: Weeks) -> Parts:
    """Give the numbers of one scorer as sums above and below a line: name → (above, below), each (m,)."""
    called, found = weeks.weight * calls.called, weeks.weight * calls.found
    one = _one(weeks)
    return {
        "conversions": (found, one),
        "found_share": (found, weeks.weight * weeks.findable),
        "calls_per_conversion": (called, found),
        "days_before": (found * np.nan_to_num(calls.days_before), found),
        "value": (found * np.nan_to_num(weeks.amount), one),
    }


def _paired(ours: Calls, theirs: Calls, weeks: Weeks) -> Parts:
    """Give the numbers of two scorers in the same way."""
    more = weeks.weight * (ours.found.astype(np.float64) - theirs.found)
    both = weeks.weight * (ours.found & theirs.found)
    earlier = np.nan_to_num(ours.days_before) - np.nan_to_num(theirs.days_before)
    ours_only, theirs_only = (weeks.weight * only(*pair) for pair in ((ours, theirs), (theirs, ours)))
    one = _one(weeks)
    return {
        "conversions_more": (more, one),
        "days_earlier": (both * earlier, both),
        "value_more": (more * np.nan_to_num(weeks.amount), one),
        "rate_only_ours": (ours_only * ours.found, ours_only),
        "rate_only_theirs": (theirs_only * theirs.found, theirs_only),
    }


def _one(weeks: Weeks) -> Floats:
    """
    Give what sums to 1 whichever accounts are drawn, if as many are drawn as there are: below it stands a plain count.

    Each account sums to 1 / (number of accounts).
    """
    sizes = np.bincount(weeks.group)
    return np.asarray(1 / (len(sizes) * sizes[weeks.group]))


def _measured(parts: Sequence[Parts], weeks: Weeks) -> list[dict[str, Number]]:
    """Measure all numbers on the same resamples of the accounts."""
    flat = {f"{at} {name}": pair for at, each in enumerate(parts) for name, pair in each.items()}
    ratios = Ratios.of(flat, weeks.group)
    spreads = spread(ratios.at, len(ratios.over), seed=SEED)
    numbers = dict(zip(flat, map(interval, spreads.T, ratios.values.tolist()), strict=True))
    return [{name: numbers[f"{at} {name}"] for name in each} for at, each in enumerate(parts)]


def _by_day(calls: Calls, weeks: Weeks) -> tuple[tuple[str, float, float], ...]:
    """Add up calls and conversions, morning by morning."""
    morning, weight = calls.morning[calls.called], weeks.weight[calls.called]
    sums = [
        np.bincount(morning, weights=each, minlength=len(weeks.mornings)).cumsum().tolist()
        for each in (weight, weight * calls.found[calls.called])
    ]
    return tuple(zip(weeks.days, *sums, strict=True))
