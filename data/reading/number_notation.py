"""How the numbers of a column are written: which mark stands before the decimals, which between thousands."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from data.sql import literal
from data.words.writing import CellWriting

DEFAULT_SIGNS = ("€", "$", "£", "¥", "kr.", "kr")
"""The signs that may stand before or after a number without being named in the playbook."""

_MARKS = {".": "[.]", ",": "[,]", " ": r"[ \t\x{A0}\x{2009}\x{202F}]", "'": r"['\x{2019}]"}
_BLANKS = " \u00a0\u2009\u202f"
_BLANK = r"[\s\x{A0}\x{2009}\x{202F}]*"
_PLAIN = r"[+-]?\d*[.]?\d*([eE][+-]?\d+)?"
_WORDS = {".": "point", ",": "comma"}


@dataclass(frozen=True, slots=True)
class NumberNotation:
    """
    How the numbers of one column are written.

    Attributes:
        decimal: the mark before the decimals.
        thousands: the mark between thousands; none if empty.
        signs: the signs that may stand before or after a number.
        percent: whether 12 % is 0.12 (true) or 12 (false); without it, no number has the sign.
        plain: whether every cell of the column is known to be digits with at most a point.
    """

    decimal: str = "."
    thousands: str = ""
    signs: tuple[str, ...] = DEFAULT_SIGNS
    percent: bool | None = None
    plain: bool = True

    def sql(self, text: str) -> str:
        """Return the SQL that reads text as a finite number; what is not written this way is NULL."""
        if self.plain and self.decimal == ".":
            return finite(text)
        bare = undecorated(text, self.signs, percent=self.percent)
        number = f"translate({bare}, ',', '.')" if self.decimal == "," else bare
        if self.thousands:
            number = f"regexp_replace({bare}, {literal(_MARKS[self.thousands])}, '', 'g')"
            number = f"translate({number}, ',', '.')" if self.decimal == "," else number
        read = f"CASE WHEN regexp_full_match({bare}, {literal(self._grammar)}) THEN {finite(number)} END"
        return f"({read}) / CASE WHEN contains({text}, '%') THEN 100 ELSE 1 END" if self.percent else read

    @property
    def _grammar(self) -> str:
        groups = rf"[1-9]\d{{0,2}}({_MARKS[self.thousands]}\d{{3}})+|" if self.thousands else ""
        return rf"[+-]?({groups}\d*)({_MARKS[self.decimal]}\d*)?([eE][+-]?\d+)?"


def finite(text: str) -> str:
    """
    Read text as a finite number; ``nan``, ``inf`` and words are NULL.

    >>> finite("x")
    'CASE WHEN isfinite(TRY_CAST(x AS DOUBLE)) THEN TRY_CAST(x AS DOUBLE) END'
    """
    number = f"TRY_CAST({text} AS DOUBLE)"
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def undecorated(text: str, signs: tuple[str, ...], *, percent: bool | None) -> str:
    """Return the SQL of a number without the signs around it: its currency, and the percent sign where it is read."""
    number = f"rtrim(rtrim({text}, '%'), {literal(_BLANKS)})" if percent is not None else text
    if not signs:
        return number
    around = "|".join(_escaped(sign) for sign in signs)
    pattern = rf"^([+-]?){_BLANK}(?:{around}){_BLANK}|{_BLANK}(?:{around})$"
    return f"regexp_replace({number}, {literal(pattern)}, '\\1', 'g')"


def shape_macro() -> str:
    """
    Return the SQL macro ``number_shape``: what a number, without signs, tells of the column's decimal mark.

    ``point`` and ``comma`` name the mark where it is certain. ``1.200`` may have either, and is ``three_after_point``,
    as ``1,200`` is ``three_after_comma``; digits alone tell nothing.
    """
    cases = "".join(
        rf" WHEN regexp_full_match(t, '[+-]?[1-9]\d{{0,2}}{own}\d{{3}}') THEN 'three_after_{name}'"
        rf" WHEN regexp_full_match(t, '[+-]?[1-9]\d{{0,2}}(({own}\d{{3}}){{2,}}|({own}\d{{3}})+{other}\d*)')"
        rf" THEN '{other_name}'"
        rf" WHEN regexp_full_match(t, '[+-]?\d*{own}\d+([eE][+-]?\d+)?') THEN '{name}'"
        for own, name, other, other_name in (("[.]", "point", "[,]", "comma"), ("[,]", "comma", "[.]", "point"))
    )
    return f"number_shape(t) AS CASE{cases} END"


def is_plain(text: str) -> str:
    """Return the SQL test for digits with at most a point, a sign and an exponent."""
    return f"regexp_full_match({text}, '{_PLAIN}')"


def sign_of(text: str, signs: tuple[str, ...]) -> str:
    """Return the SQL of the currency sign in a cell, or an empty text."""
    return f"regexp_extract({text}, {literal('|'.join(_escaped(sign) for sign in signs))})" if signs else "''"


def without_blanks(text: str, thousands: str | None) -> str:
    """Return the SQL of a number without the blanks or apostrophes that the playbook says are between thousands."""
    return f"regexp_replace({text}, {literal(_MARKS[thousands])}, '', 'g')" if thousands in {" ", "'"} else text


@dataclass(frozen=True, slots=True)
class NumberShapes:
    """
    How the cells of a column are written, as a profile counted them.

    Attributes:
        examples: shape → the first row with it and its cell.
        decorated: how many cells are more than digits with at most a point.
        signs: each currency sign that occurs → the first row with it and its cell.
        percents: how many cells have a percent sign.
        others: how many numbers other than zero have none.
    """

    examples: Mapping[str, tuple[int, str]]
    decorated: int = 0
    signs: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    percents: int = 0
    others: int = 0

    def __add__(self, more: "NumberShapes") -> "NumberShapes":
        """Return the shapes of two files of one source together."""
        return NumberShapes(
            {**more.examples, **self.examples},
            self.decorated + more.decorated,
            {**more.signs, **self.signs},
            self.percents + more.percents,
            self.others + more.others,
        )


def notation_of(writing: CellWriting, shapes: NumberShapes) -> NumberNotation | str:
    """
    Return how a column's numbers are written, or why that cannot be known, as the rest of a sentence.

    >>> cells = {"three_after_point": (1, "1.200"), "comma": (3, "1.234,56")}
    >>> notation_of(CellWriting(), NumberShapes(cells, decorated=1)).thousands
    '.'
    """
    if (why := _mixed_percents(writing, shapes)) is not None:
        return why
    marks = _said_marks(writing) or _seen_marks(writing.thousands, shapes.examples)
    if isinstance(marks, str):
        return marks
    signs = DEFAULT_SIGNS if writing.currency_signs is None else writing.currency_signs
    return NumberNotation(*marks, signs, writing.percent, plain=shapes.decorated == 0)


def _said_marks(writing: CellWriting) -> tuple[str, str] | None:
    """Return the marks of a column whose decimal mark follows from the playbook."""
    other = {".": ",", ",": "."}
    if writing.decimal is not None:
        return writing.decimal, writing.thousands or other[writing.decimal]
    return (other[writing.thousands], writing.thousands) if writing.thousands in other else None


def _seen_marks(thousands: str | None, seen: Mapping[str, tuple[int, str]]) -> tuple[str, str] | str:
    """Return the marks that a column's own cells prove, or why they prove none."""
    if thousands is not None:  # no point and no comma stands between thousands, so that each is a decimal mark
        seen = {shape.removeprefix("three_after_"): example for shape, example in seen.items()}
    if "point" in seen and "comma" in seen:
        return _contradicting(seen["point"], seen["comma"])
    if "comma" in seen:
        return ",", thousands or "."
    if "point" in seen or not seen:
        return ".", thousands or ","
    shape, example = next(iter(seen.items()))
    return _undecided(example, shape.removeprefix("three_after_"))


def _contradicting(point: tuple[int, str], comma: tuple[int, str]) -> str:
    return (
        f"holds {point[1]} (row {point[0]}), whose decimal mark is the point, and {comma[1]} (row {comma[0]}), whose"
        ' decimal mark is the comma: write its numbers in one way, or say decimal: "." or decimal: ","'
    )


def _undecided(example: tuple[int, str], mark: str) -> str:
    row, cell = example
    sign = next(sign for sign, word in _WORDS.items() if word == mark)
    other = "," if sign == "." else "."
    digits = re.sub(r"[^\d.,]", "", cell)
    large, small = digits.replace(sign, ""), digits.replace(sign, ".")
    return (
        f"holds {cell} (row {row}), and no cell of the column tells whether that is {large}, if {mark}s stand between"
        f' thousands (decimal: "{other}"), or {small}, if the {mark} is the decimal mark (decimal: "{sign}"): say one'
    )


def _mixed_percents(writing: CellWriting, shapes: NumberShapes) -> str | None:
    if writing.percent and shapes.percents and shapes.others:
        return (
            f"holds {shapes.percents} numbers with a percent sign and {shapes.others} without: write all in one way, or"
            " say percent: false if 12 and 12 % are the same"
        )
    return None


def _escaped(sign: str) -> str:
    return re.sub(r"([^\w\s])", r"\\\1", sign) if sign.isascii() else sign
