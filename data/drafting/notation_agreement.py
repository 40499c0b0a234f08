"""Columns of one file read alike: what is ambiguous in one is shown by another that is written the same way."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from data.drafting.column_facts import ColumnFacts

_DAY_FIRST = "%d"


def agreeing(columns: Mapping[str, ColumnFacts]) -> dict[str, ColumnFacts]:
    """
    Return the columns of a file, ambiguous dates and numbers read as the other columns show them.

    A column that no other one explains, or that two explain in different ways, stays ambiguous.
    """
    return {name: _read_as(_read_like(facts, columns.values()), columns.values()) for name, facts in columns.items()}


def _read_like(facts: ColumnFacts, others: Iterable[ColumnFacts]) -> ColumnFacts:
    dates = facts.dates
    if dates is None or not dates.is_ambiguous:
        return facts
    mark = dates.formats[0][2]
    shown = {
        other.dates.formats[0][:2]: other
        for other in others
        if other.dates is not None and other.dates.formats and not other.dates.is_ambiguous
        if other.dates.formats[0][2:3] == mark
    }
    if len(shown) != 1:
        return facts
    [(first, other)] = shown.items()
    formats = dates.formats if first == _DAY_FIRST else dates.others
    proof = f"as {other.name}: {other.dates.proof if other.dates else ''}"
    return replace(facts, dates=replace(dates, formats=formats, others=(), proof=proof))


def _read_as(facts: ColumnFacts, others: Iterable[ColumnFacts]) -> ColumnFacts:
    numbers = facts.numbers
    if numbers is None or not numbers.is_ambiguous:
        return facts
    shown = {
        (other.numbers.decimal, other.numbers.thousands): other
        for other in others
        if other.numbers is not None and (other.numbers.decimal or other.numbers.thousands)
    }
    if len(shown) != 1:
        return facts
    [((decimal, thousands), other)] = shown.items()
    proof = f"as {other.name}: {other.numbers.proof if other.numbers else ''}"
    return replace(
        facts, numbers=replace(numbers, decimal=decimal, thousands=thousands, is_ambiguous=False, proof=proof)
    )
