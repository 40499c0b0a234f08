"""Who found more conversions, models or point rules, and whether that may be chance: in plain sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

from training.replay.participants import Participant
from training.replay.results import CallDifference, Number, ReplayResult
from training.replay.weeks import Weeks
from training.statistics.number_format import difference
from training.statistics.scorer_kind import Kind

_SAME_DAY = 0.05
_MANY = 10
_WINS: dict[Kind, str] = {
    "rules": "The point rules win",
    "learned rules": "The learned rules win",
    "model": "The other model wins",
    "baseline": "The baseline wins",
}


@dataclass(frozen=True, slots=True)
class Conclusion:
    """
    Who won.

    Attributes:
        winner: name of the entrant that found more conversions: ours, or the best of the point rules.
        decided: whether the 95 % interval of the difference excludes 0.
        says: one or two sentences.
    """

    winner: str
    decided: bool
    says: str


def verdict(
    standings: Sequence[ReplayResult], differences: Sequence[CallDifference], *, weeks: Weeks, capacity_per_day: float
) -> Conclusion:
    """
    Hold the model against the point rules that found the most; against whoever did, where no point rules take part.

    Args:
        standings: ours first.
        differences: ours to each other, in the same order.
        weeks: leads and mornings.
        capacity_per_day: how many leads the team can call in a day.
    """
    ours, *others = standings
    when = f"at {capacity_per_day:g} calls a day over {len(weeks.mornings):,} days"
    if not len(weeks.mornings):
        return Conclusion(
            ours.entrant.name, decided=False, says="No morning lies in the test weeks: nobody was called."
        )
    if not others:
        return Conclusion(ours.entrant.name, decided=False, says=_capital(f"{when} {_found(ours)}."))
    rules = [at for at, one in enumerate(others) if one.entrant.kind == "rules"]
    best = max(rules or range(len(others)), key=lambda at: float(others[at].conversions["value"]))
    more = differences[best].conversions_more
    leader, trailer = (ours, others[best]) if more["value"] >= 0 else (others[best], ours)
    decided = bool(more["low"] > 0 or more["high"] < 0)
    shown_more = difference(_count(leader.conversions["value"]), _count(trailer.conversions["value"]), sign=False)
    told = (
        f"{when} {_found(leader)}, {_called(trailer.entrant)} {_number(trailer.conversions)}: "
        f"{_more(more, shown=shown_more)}"
    )
    win = f"{_WINS[leader.entrant.kind]}: " if decided and leader is not ours else ""
    earlier = _earlier(differences[best].days_earlier, ours.entrant, others[best].entrant)
    return Conclusion(leader.entrant.name, decided, f"{_capital(win + told)}.{earlier}")


def _found(one: ReplayResult) -> str:
    said = one.conversions
    interval = f"({_count(said['low'])}–{_count(said['high'])})"
    return f"{_called(one.entrant)} found {_count(said['value'])} conversions {interval}"


def _called(entrant: Participant) -> str:
    return f"the {entrant.name.partition(', version')[0].removeprefix('the ')}"


def _number(number: Number) -> str:
    """
    Write a count with its interval.

    >>> _number({"value": 1212.3, "low": 1190.0, "high": 1236.0})
    '1,212 (1,190–1,236)'
    """
    return f"{_count(number['value'])} ({_count(number['low'])}–{_count(number['high'])})"


def _more(number: Number, *, shown: str) -> str:
    """
    Write how many more the leader found.

    Args:
        number: the difference with its interval.
        shown: the difference of the two counts as they stand beside it, so that nobody finds another.

    >>> _more({"value": 64.2, "low": 41.0, "high": 88.0}, shown="64")
    '64 more (41–88)'
    >>> _more({"value": -20.0, "low": -31.0, "high": -9.0}, shown="20")
    '20 more (9–31)'
    >>> _more({"value": 5.0, "low": -8.0, "high": 18.0}, shown="5")
    '5 more (from 8 fewer to 18 more), which may be chance'
    >>> _more({"value": 0.0, "low": 0.0, "high": 0.0}, shown="0")
    'no difference'
    """
    value, low, high = (float(number[name]) for name in ("value", "low", "high"))
    if value == low == high == 0:
        return "no difference"
    if value < 0:
        low, high = -high, -low
    if low > 0:
        return f"{shown} more ({_count(low)}–{_count(high)})"
    return f"{shown} more (from {_count(-low)} fewer to {_count(high)} more), which may be chance"


def _earlier(number: Number, ours: Participant, theirs: Participant) -> str:
    """Write who called earlier what both found; nothing where both found nothing."""
    if number["value"] is None:
        return ""
    days, first = abs(number["value"]), ours if number["value"] > 0 else theirs
    if days < _SAME_DAY:
        return " What both found they called on the same day, on average."
    return f" What both found {_called(first)} called {days:.1f} days earlier, on average."


def _count(number: float) -> str:
    """
    Write a count of leads, which need not be whole: few with a decimal.

    >>> _count(1234.5), _count(7.25), _count(3.0)
    ('1,234', '7.2', '3')
    """
    return f"{number:,.0f}" if abs(number) >= _MANY else f"{number:.1f}".removesuffix(".0")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
