"""Which found more conversions, models or point rules, and whether that may be chance: in plain sentences."""

from collections.abc import Sequence
from typing import NamedTuple

from training.replay.replay_evaluation import PairwiseEvaluation, ParticipantResult
from training.statistics.estimate import Estimate
from training.statistics.number_format import difference, value
from training.statistics.scorer_metrics import Kind, ScorerName

MOST_CALLED = 0.5
"""From this share of all leads on, calls find about as much in any order."""

_SHARES = {
    0.5: "Half of all",
    0.6: "Six in ten of all",
    2 / 3: "Two thirds of all",
    0.75: "Three quarters of all",
    0.8: "Four fifths of all",
    0.9: "Nine in ten of all",
    1.0: "All",
}
_SAME_DAY = 0.05
_WINS: dict[Kind, str] = {
    "rules": "The point rules win",
    "learned rules": "The learned rules win",
    "model": "The other model wins",
    "baseline": "The baseline wins",
}


class Conclusion(NamedTuple):
    """
    Which participant won.

    Attributes:
        winner: name of the participant that found more conversions: the first, or the best of the point rules.
        decided: whether the 95 % interval of the difference excludes 0.
        says: one or two sentences.
    """

    winner: str
    decided: bool
    says: str


def conclude(
    results: Sequence[ParticipantResult],
    pairwise: Sequence[PairwiseEvaluation],
    *,
    leads: float,
    days: int,
    capacity_per_day: float,
) -> Conclusion:
    """
    Compare the model with the point rules that found the most; without point rules, with the best other participant.

    Args:
        results: the model's first.
        pairwise: the first against each other, in the same order.
        leads: how many stood on the list in these weeks.
        days: how many mornings the weeks have.
        capacity_per_day: how many leads the team can call in a day.
    """
    first, *others = results
    when = f"at {capacity_per_day:g} calls a day over {days:,} days"
    if not days:
        return Conclusion(first.name, decided=False, says="The test weeks contain no morning, so no lead was called.")
    if not others:
        return Conclusion(first.name, decided=False, says=_capital(f"{when} {_found(first)}."))
    crowd = _crowd(max(result.calls for result in results), leads)
    rules = [index for index, result in enumerate(others) if result.kind == "rules"]
    best = max(rules or range(len(others)), key=lambda index: _value(others[index].conversions))
    winner, decided, text = _against(first, others[best], pairwise[best], when=when)
    return Conclusion(winner, decided, text + crowd)


def _crowd(calls: float, leads: float) -> str:
    """
    Return that nobody can be told apart where most leads are called by any order; nothing where fewer are.

    >>> _crowd(667, 1_000).strip()
    'Two thirds of all leads were called, so hardly any order of calls could differ: a lower capacity_per_day tells ...'
    >>> _crowd(400, 1_000)
    ''
    """
    share = calls / leads if leads else 0.0
    if share < MOST_CALLED:
        return ""
    words = min(_SHARES, key=lambda each: abs(each - share))
    return (
        f" {_SHARES[words]} leads were called, so hardly any order of calls could differ: a lower capacity_per_day "
        "tells scorers apart."
    )


def _against(first: ParticipantResult, other: ParticipantResult, pair: PairwiseEvaluation, *, when: str) -> Conclusion:
    """Put into words which of two found more, and whether that may be chance."""
    more = pair.conversions_more
    leader, trailer = (first, other) if _value(more) >= 0 else (other, first)
    decided = bool((more.low or 0.0) > 0 or (more.high or 0.0) < 0)
    counts = f"{_found(leader)}, {_short_name(trailer)} {_with_interval(trailer.conversions)}"
    win = f"{_WINS[leader.kind]}: " if decided and leader is not first else ""
    text = f"{win}{when} {counts}: {_more(more, leader.conversions, trailer.conversions)}"
    earlier = _earlier(pair.days_earlier, first, other)
    return Conclusion(leader.name, decided, f"{_capital(text)}.{earlier}")


def _value(estimate: Estimate) -> float:
    """Return the number; counts of conversions always exist."""
    return 0.0 if estimate.value is None else estimate.value


def _found(result: ParticipantResult) -> str:
    low, high = result.conversions.low or 0.0, result.conversions.high or 0.0
    count = _count(_value(result.conversions))
    return f"{_short_name(result)} found {count} conversions ({_count(low)}–{_count(high)})"


def _short_name(scorer: ScorerName) -> str:
    return f"the {scorer.name.partition(', version')[0].removeprefix('the ')}"


def _with_interval(estimate: Estimate) -> str:
    """
    Write a count with its interval.

    >>> _with_interval(Estimate(value=1212.3, low=1190.0, high=1236.0))
    '1,212 (1,190–1,236)'
    """
    return f"{_count(_value(estimate))} ({_count(estimate.low or 0.0)}–{_count(estimate.high or 0.0)})"


def _more(paired: Estimate, leading: Estimate, trailing: Estimate) -> str:
    """
    Write how many more the leader found, as the difference of the two numbers that are shown.

    >>> def found(value):
    ...     return Estimate(value=value, low=value, high=value)
    >>> _more(Estimate(value=64.2, low=41.0, high=88.0), found(100.0), found(35.8))
    '64.2 more (41–88)'
    >>> _more(Estimate(value=-20.0, low=-31.0, high=-9.0), found(60.0), found(40.0))
    '20 more (9–31)'
    >>> _more(Estimate(value=1.0, low=-8.0, high=18.0), found(41.6), found(40.6))
    '1.0 more (from 8 fewer to 18 more), which may be chance'
    >>> _more(Estimate(value=1.2, low=-8.0, high=18.0), found(41.6), found(40.4))
    '1.2 more (from 8 fewer to 18 more), which may be chance'
    >>> _more(Estimate(value=0.2, low=-8.0, high=9.0), found(400.3), found(400.1))
    'as many (from 8 fewer to 9 more), which may be chance'
    >>> _more(found(0.0), found(40.0), found(40.0))
    'no difference'
    """
    low, high = paired.low or 0.0, paired.high or 0.0
    if _value(paired) == low == high == 0:
        return "no difference"
    if _value(paired) < 0:
        low, high = -high, -low
    apart = difference(_count(_value(leading)), _count(_value(trailing)), sign=False)
    same = not apart.strip("0.")
    if low > 0:
        return f"{_count(abs(_value(paired))) if same else apart} more ({_count(low)}–{_count(high)})"
    words = "as many" if same else f"{apart} more"
    return f"{words} (from {_count(-low)} fewer to {_count(high)} more), which may be chance"


def _earlier(days_earlier: Estimate, first: ScorerName, other: ScorerName) -> str:
    """Write which called earlier what both found; nothing where there is no such lead."""
    if days_earlier.value is None:
        return ""
    days, sooner = abs(days_earlier.value), first if days_earlier.value > 0 else other
    if days < _SAME_DAY:
        return " They called what both found on the same day, on average."
    return f" {_capital(_short_name(sooner))} called what both found {days:.1f} days earlier, on average."


def _count(number: float) -> str:
    """Write a count of leads as every table does."""
    return value(number, "count")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
