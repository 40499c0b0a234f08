"""Which found more conversions, models or point rules, and whether that may be chance: in plain sentences."""

from collections.abc import Sequence
from typing import NamedTuple

from training.replay.replay_evaluation import PairwiseEvaluation, ParticipantResult
from training.statistics.estimate import Estimate
from training.statistics.scorer_metrics import Kind, ScorerName

_SAME_DAY = 0.05
_MANY = 10
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
    days: int,
    capacity_per_day: float,
) -> Conclusion:
    """
    Compare the model with the point rules that found the most; without point rules, with the best other participant.

    Args:
        results: the model's first.
        pairwise: the first against each other, in the same order.
        days: how many mornings the weeks have.
        capacity_per_day: how many leads the team can call in a day.
    """
    first, *others = results
    when = f"at {capacity_per_day:g} calls a day over {days:,} days"
    if not days:
        return Conclusion(first.name, decided=False, says="The test weeks contain no morning, so no lead was called.")
    if not others:
        return Conclusion(first.name, decided=False, says=_capital(f"{when} {_found(first)}."))
    rules = [index for index, result in enumerate(others) if result.kind == "rules"]
    best = max(rules or range(len(others)), key=lambda index: _value(others[index].conversions))
    return _against(first, others[best], pairwise[best], when=when)


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


def _more(difference: Estimate, leading: Estimate, trailing: Estimate) -> str:
    """
    Write how many more the leader found, as the difference of the two numbers that are shown.

    >>> def found(value):
    ...     return Estimate(value=value, low=value, high=value)
    >>> _more(Estimate(value=64.2, low=41.0, high=88.0), found(100.0), found(35.8))
    '64 more (41–88)'
    >>> _more(Estimate(value=-20.0, low=-31.0, high=-9.0), found(60.0), found(40.0))
    '20 more (9–31)'
    >>> _more(Estimate(value=1.0, low=-8.0, high=18.0), found(41.6), found(40.6))
    '1 more (from 8 fewer to 18 more), which may be chance'
    >>> _more(Estimate(value=1.2, low=-8.0, high=18.0), found(41.6), found(40.4))
    '2 more (from 8 fewer to 18 more), which may be chance'
    >>> _more(Estimate(value=0.2, low=-8.0, high=9.0), found(40.3), found(40.1))
    'as many (from 8 fewer to 9 more), which may be chance'
    >>> _more(found(0.0), found(40.0), found(40.0))
    'no difference'
    """
    low, high = difference.low or 0.0, difference.high or 0.0
    if _value(difference) == low == high == 0:
        return "no difference"
    if _value(difference) < 0:
        low, high = -high, -low
    shown = _shown(_value(leading)) - _shown(_value(trailing))
    if low > 0:
        return f"{_count(shown or abs(_value(difference)))} more ({_count(low)}–{_count(high)})"
    words = f"{_count(shown)} more" if shown > 0 else "as many"
    return f"{words} (from {_count(-low)} fewer to {_count(high)} more), which may be chance"


def _shown(number: float) -> float:
    """Return a count as it is written."""
    return float(_count(number).replace(",", ""))


def _earlier(days_earlier: Estimate, first: ScorerName, other: ScorerName) -> str:
    """Write which called earlier what both found; nothing where there is no such lead."""
    if days_earlier.value is None:
        return ""
    days, sooner = abs(days_earlier.value), first if days_earlier.value > 0 else other
    if days < _SAME_DAY:
        return " They called what both found on the same day, on average."
    return f" {_capital(_short_name(sooner))} called what both found {days:.1f} days earlier, on average."


def _count(number: float) -> str:
    """
    Write a count of leads, which need not be whole: small ones with a decimal.

    >>> _count(1234.5), _count(7.25), _count(3.0)
    ('1,234', '7.2', '3')
    """
    return f"{number:,.0f}" if abs(number) >= _MANY else f"{number:.1f}".removesuffix(".0")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
