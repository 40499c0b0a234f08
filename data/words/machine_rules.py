"""Machines that click: the rules of a playbook for activities that follow others faster than a person can."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, Self

from pydantic import Field, model_validator

from data.instants import SECOND_US
from data.words.sources import Name
from data.words.writing import PlaybookPart


class MachineRule(PlaybookPart):
    """One rule: which kinds become another one, in a burst or right after something else."""

    kinds: tuple[Name, ...] = Field(min_length=1, description="the kinds that may be a machine's")
    become: Name = Field(description="the kind of those that are")
    at_least: int | None = Field(default=None, ge=2, le=1000, description="how many make a burst")
    after: Name | None = Field(default=None, description="the kind that a machine answers at once")
    within_s: float = Field(gt=0, le=86_400, description="the seconds between the first and the last, both included")

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        if (self.at_least is None) == (self.after is None):
            message = "give one test: either at_least (a burst) or after (right after another kind)"
            raise ValueError(message)
        return self

    @property
    def counted(self) -> frozenset[str]:
        """The kinds that make a burst: those that may become another one, and what they become."""
        return frozenset({*self.kinds, self.become})

    @property
    def looks_at(self) -> frozenset[str]:
        """The kinds on which the rule depends."""
        return self.counted if self.after is None else frozenset({self.after})

    @property
    def within_us(self) -> int:
        """The seconds as microseconds."""
        return round(self.within_s * SECOND_US)

    @property
    def test(self) -> str:
        """
        The test in words.

        >>> MachineRule(kinds=["email_click"], at_least=5, within_s=10, become="machine_click").test
        'the 5th and later within 10 s'
        """
        if self.after is not None:
            return f"within {self.within_s:g} s after {self.after}"
        return f"the {_ordinal(self.at_least or 0)} and later within {self.within_s:g} s"


class Occurrence(NamedTuple):
    """One activity of a lead; they sort by when they occurred, then by when they became known, then by id."""

    occurred_at: int
    known_at: int
    activity_id: str
    kind: str


class Timeline:
    """
    The activities of one lead, of which rules tell what is a machine's.

    >>> rule = MachineRule(kinds=["click"], at_least=2, within_s=1, become="machine")
    >>> timeline = Timeline([Occurrence(0, 0, "a", "click")])
    >>> timeline.kind_of([rule], Occurrence(1_000_000, 7, "b", "click"))
    'machine'
    """

    def __init__(self, occurrences: Iterable[Occurrence] = ()) -> None:
        self._in_order = sorted(occurrences)

    def add(self, occurrence: Occurrence) -> None:
        """Add an activity."""
        insort(self._in_order, occurrence)

    def kind_of(self, rules: Sequence[MachineRule], occurrence: Occurrence) -> str:
        """Return what an activity becomes, whether it is in the timeline yet or not; else its own kind."""
        own = (rule for rule in rules if occurrence.kind in rule.kinds)
        return next((rule.become for rule in own if self._meets(rule, occurrence)), occurrence.kind)

    def _meets(self, rule: MachineRule, occurrence: Occurrence) -> bool:
        """Return whether enough occurred in the seconds before and was known by then, whatever is known since."""
        order = self._in_order
        first = bisect_left(order, (occurrence.occurred_at - rule.within_us,))
        if rule.at_least is None:
            end, needed = bisect_left(order, (occurrence.occurred_at + 1,)), 1
        else:
            end, needed = bisect_left(order, occurrence), rule.at_least - 1
        before = (order[index] for index in range(end - 1, first - 1, -1))
        met = (each for each in before if each.kind in rule.looks_at and each.known_at <= occurrence.known_at)
        return sum(1 for _ in islice(met, needed)) == needed


def becomes(rules: Sequence[MachineRule]) -> Mapping[str, str]:
    """
    Return what each kind becomes where it is a machine's; a playbook's rules agree about it.

    >>> becomes([MachineRule(kinds=["click"], at_least=2, within_s=1, become="machine")])
    {'click': 'machine'}
    """
    return {kind: rule.become for rule in rules for kind in rule.kinds}


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
