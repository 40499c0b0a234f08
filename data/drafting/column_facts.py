# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""What is known of each column of a file: how full it is, what it holds, how that is written."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import mean

from data.drafting.date_notations import DateNotation, date_notation
from data.drafting.file_samples import FileSample, SampleTools, spread_rows
from data.drafting.number_notations import WrittenNumbers, number_notation
from data.reading.cells import NO, YES
from data.sql import listed, quoted

MOST_VALUES = 200
_MOST_CATEGORIES = 60
_LONGEST_CATEGORY = 40
_COLUMNS_AT_ONCE = 100
_ROWS_PER_CATEGORY = 4
_FEW_CATEGORIES = 12
_EMPTY_WORDS = frozenset({"n/a", "#n/a", "na", "null", "none", "nan", "-", "--", "—", "(not set)", "(none)", "(blank)"})
_NO_ID = "000000000000000AAA"
_YES_WORDS = {
    "ja",
    "oui",
    "si",
    "sí",
    "sì",
    "sim",
    "tak",
    "ano",
    "kyllä",
    "да",
    "так",
    "wahr",
    "vrai",
    "verdadero",
    "vero",
}
_YES_WORDS |= {"checked", "x", "✓"}
_NO_WORDS = {
    "nein",
    "nej",
    "nei",
    "non",
    "nee",
    "não",
    "nie",
    "ne",
    "ei",
    "нет",
    "ні",
    "falsch",
    "faux",
    "falso",
    "unchecked",
}
_MADE_OF_TWO = re.compile(r"\d{6,}[.]\d{6,}")
"""An id of a browser: a random number and the second in which it was drawn."""


class ColumnContent(StrEnum):
    """What a column holds."""

    NOTHING = "nothing"
    INSTANT = "instants"
    BOOLEAN = "yes or no"
    NUMBER = "numbers"
    CATEGORY = "categories"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """
    What is known of one column.

    Attributes:
        name: as the file writes it.
        filled: how many cells hold something.
        distinct: how many different values, about.
        content: what it holds.
        values: its values with their numbers, the most frequent first; empty where there are too many.
        empty_words: words that stand for nothing.
        dates: how its instants are written.
        numbers: how its numbers are written.
        yes: its words for true, where these need saying.
        no: its words for false.
        is_single_words: whether nearly all cells are one word, as ids are.
        example: one cell.
    """

    name: str
    filled: int
    distinct: int
    content: ColumnContent = ColumnContent.TEXT
    values: tuple[tuple[str, int], ...] = ()
    empty_words: tuple[str, ...] = ()
    dates: DateNotation | None = None
    numbers: WrittenNumbers | None = None
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    is_single_words: bool = False
    example: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """Its values, the most frequent first, without the words for nothing."""
        return tuple(value for value, _ in self.values if value not in self.empty_words)

    @property
    def may_be_id(self) -> bool:
        """Whether its cells may name something: words or whole numbers, of which there are several."""
        fits = self.content in {ColumnContent.TEXT, ColumnContent.CATEGORY, ColumnContent.NUMBER}
        plain = self.numbers is None or self.numbers.is_plain
        whole = self.numbers is None or "." not in self.example or _MADE_OF_TWO.fullmatch(self.example) is not None
        return fits and plain and whole and self.is_single_words and self.distinct > 1


def facts_of(sample: FileSample, tools: SampleTools) -> dict[str, ColumnFacts]:
    """
    Return what is known of each column of a file.

    Args:
        sample: the file.
        tools: the connection that holds it.
    """
    spread = spread_rows(sample, tools)
    counted = dict(_counted(sample, tools))
    return {
        name: _column(ColumnFacts(name, *counted[name]), spread[name], sample=sample, tools=tools)
        for name in sample.columns
    }


def _counted(sample: FileSample, tools: SampleTools) -> Iterator[tuple[str, tuple[int, int]]]:
    for first in range(0, len(sample.columns), _COLUMNS_AT_ONCE):
        names = sample.columns[first : first + _COLUMNS_AT_ONCE]
        chosen = ", ".join(f"count({quoted(name)}), approx_count_distinct({quoted(name)})" for name in names)
        row = tools.values(f"SELECT {chosen} FROM {sample.table}")[0]
        yield from ((name, (row[2 * place], row[2 * place + 1])) for place, name in enumerate(names))


def _column(
    facts: ColumnFacts, cells: Sequence[tuple[int, str]], *, sample: FileSample, tools: SampleTools
) -> ColumnFacts:
    if not facts.filled:
        return replace(facts, content=ColumnContent.NOTHING)
    values = _values(facts, sample, tools)
    words = {text for _, text in cells} | {value for value, _ in values}
    empty = tuple(sorted(word for word in words if word.lower() in _EMPTY_WORDS or word == _NO_ID))
    filled = [(row, text) for row, text in cells if text not in empty]
    facts = _without_empty_words(facts, empty, values, sample=sample, tools=tools)
    if not filled or not facts.filled:
        return replace(facts, content=ColumnContent.NOTHING)
    facts = replace(facts, example=filled[0][1], is_single_words=_are_single_words([text for _, text in filled]))
    if (truth := _truth(facts)) is not None:
        return truth
    dates = date_notation(facts.name, filled, sample=sample, tools=tools)
    if dates is not None:
        return replace(facts, content=ColumnContent.INSTANT, dates=dates)
    numbers = number_notation(facts.name, filled, sample=sample, tools=tools)
    if numbers is not None:
        return replace(facts, content=ColumnContent.NUMBER, numbers=numbers)
    return replace(facts, content=_text_content(facts, [text for _, text in filled]))


def _without_empty_words(
    facts: ColumnFacts,
    empty: tuple[str, ...],
    values: tuple[tuple[str, int], ...],
    *,
    sample: FileSample,
    tools: SampleTools,
) -> ColumnFacts:
    if not empty:
        return replace(facts, values=values)
    column = quoted(facts.name)
    blank = tools.values(f"SELECT count(*) FROM {sample.table} WHERE {column} IN {listed(empty)}")[0][0]
    return replace(facts, values=values, empty_words=empty, filled=facts.filled - blank)


def _values(facts: ColumnFacts, sample: FileSample, tools: SampleTools) -> tuple[tuple[str, int], ...]:
    if facts.distinct > MOST_VALUES:
        return ()
    column = quoted(facts.name)
    counted = f"SELECT {column}, count(*) AS n FROM {sample.table} WHERE {column} IS NOT NULL GROUP BY 1"
    return tuple(tools.values(f"{counted} ORDER BY n DESC, 1 LIMIT {2 * MOST_VALUES}"))


def _are_single_words(texts: Sequence[str]) -> bool:
    return mean(" " not in text for text in texts) > 0.98  # noqa: PLR2004 - a stray blank does not unmake an id


def _truth(facts: ColumnFacts) -> ColumnFacts | None:
    """Return the facts of a column of yes and no; None if it is none."""
    words = facts.words
    lower = {word.lower() for word in words}
    known = {*YES, *NO, *_YES_WORDS, *_NO_WORDS}
    if not 0 < len(lower) <= 2 or not lower <= known:  # noqa: PLR2004 - yes and no
        return None
    yes = tuple(word for word in words if word.lower() in {*YES, *_YES_WORDS})
    no = tuple(word for word in words if word.lower() in {*NO, *_NO_WORDS})
    if len(yes) == len(words) > 1 or len(no) == len(words) > 1:
        return None
    facts = replace(facts, content=ColumnContent.BOOLEAN)
    return facts if lower <= {*YES, *NO} else replace(facts, yes=yes, no=no)


def _text_content(facts: ColumnFacts, texts: Sequence[str]) -> ColumnContent:
    """Return whether text holds categories, few and short ones, or is free text."""
    distinct = len(facts.words) or facts.distinct
    repeated = distinct <= _FEW_CATEGORIES or distinct * _ROWS_PER_CATEGORY <= facts.filled
    short = mean(map(len, texts)) <= _LONGEST_CATEGORY
    return ColumnContent.CATEGORY if short and repeated and distinct <= _MOST_CATEGORIES else ColumnContent.TEXT
