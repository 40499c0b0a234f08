# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""How the numbers of a column are written, with the cell that proves it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from data.drafting.file_samples import FileSample, SampleTools
from data.sql import literal, quoted

_SIGNS = "€$£¥₹₽"
_WORDS = (
    *("EUR", "USD", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "INR", "BRL", "AUD", "CAD", "JPY", "CNY"),
    *("Rs.", "Fr.", "kr.", "kr", "zł", "Kč"),
)
_CODES = "|".join(map(re.escape, _WORDS))
_BARE = r"[-+]?\d+"
_EXPONENT = r"([eE][-+]?\d+)?"
_TRIPLES = r"[-+]?\d{{1,3}}([{0}]\d{{3}})+"
_APART = " \u00a0\u2009\u202f'’"
"""Blanks and apostrophes between thousands."""

_POINT, _COMMA = rf"[-+]?\d*[.]\d+{_EXPONENT}", r"[-+]?\d*[,]\d+"
_CLEAR = r"[-+]?\d*[{0}](\d{{1,2}}|\d{{4,}})|[-+]?0[{0}]\d+|{1}[{0}]\d+|{1}[{2}]\d{{3}}"
_UNCLEAR = r"[-+]?[1-9]\d{0,2}[.,]\d{3}"
_NEARLY_ALL = 0.95
_NUMBER = re.compile(
    rf"{_BARE}|{_POINT}|{_COMMA}|{_TRIPLES.format(',')}([.]\d+)?|{_TRIPLES.format('.')}([,]\d+)?"
    rf"|{_TRIPLES.format(_APART)}([.,]\d+)?"
)
_AROUND = re.compile(rf"^({_CODES}|[{_SIGNS}]|\s)+|({_CODES}|[{_SIGNS}%]|\s)+$")

Mark = Literal[".", ",", " ", "'"]


@dataclass(frozen=True, slots=True)
class WrittenNumbers:
    """
    How the numbers of a column are written.

    Attributes:
        decimal: the mark before the decimals, where it is not a point.
        thousands: the mark between thousands, where there is one.
        percent: whether cells end in a percent sign.
        signs: of currencies around the numbers.
        proof: the cell that shows it.
        is_ambiguous: whether the only mark may be either, as in 1.200.
    """

    decimal: Mark | None = None
    thousands: Mark | None = None
    percent: bool = False
    signs: tuple[str, ...] = ()
    proof: str = ""
    is_ambiguous: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether the numbers need no words in the playbook."""
        return not (self.decimal or self.thousands or self.percent or self.signs or self.is_ambiguous)

    def as_number(self, cell: str) -> str:
        """Return the SQL of a cell as a number; what cannot be read is NULL."""
        bare = f"regexp_replace({cell}, '[^0-9.,eE+-]', '', 'g')" if not self.is_plain else cell
        if self.thousands:
            bare = f"replace({bare}, {literal(self.thousands)}, '')"
        if self.decimal == ",":
            bare = f"replace({bare}, ',', '.')"
        return f"TRY_CAST({bare} AS DOUBLE)"


def number_notation(
    column: str, cells: Sequence[tuple[int, str]], *, sample: FileSample, tools: SampleTools
) -> WrittenNumbers | None:
    """
    Find how the numbers of a column are written.

    Args:
        column: its name.
        cells: some of its filled cells with their rows.
        sample: the file, all of whose rows are searched for the proof.
        tools: the connection that holds it.

    Returns:
        The notation; None if the column does not hold numbers.
    """
    bare = [_AROUND.sub("", text) for _, text in cells]
    if sum(1 for text in bare if _NUMBER.fullmatch(text)) < _NEARLY_ALL * len(bare):
        return None
    around = "".join(text for _, text in cells)
    signs = tuple(word for word in (*_SIGNS, *_WORDS) if word in around)
    percent = "%" in around
    if all(re.fullmatch(rf"{_BARE}|{_POINT}", text) for text in bare) and not (
        _may_be_thousands(bare) or _has_marks(column, sample, tools)
    ):
        return WrittenNumbers(percent=percent, signs=signs)
    marks = _marks(column, sample=sample, tools=tools)
    return WrittenNumbers(marks.decimal, marks.thousands, percent, signs, marks.proof, marks.is_ambiguous)


def _may_be_thousands(texts: Sequence[str]) -> bool:
    """Test whether every point in some numbers stands before exactly three digits."""
    pointed = [text for text in texts if "." in text]
    return bool(pointed) and all(re.fullmatch(_UNCLEAR, text) for text in pointed)


def _has_marks(column: str, sample: FileSample, tools: SampleTools) -> bool:
    """Test whether a row outside the sample has a comma, which no row in it has."""
    found = tools.values(f"SELECT 1 FROM {sample.table} WHERE contains({quoted(column)}, ',') LIMIT 1")
    return bool(found)


def _marks(column: str, *, sample: FileSample, tools: SampleTools) -> WrittenNumbers:
    """Look through all rows for numbers that can be read in one way only."""
    bare = f"regexp_replace({quoted(column)}, '^[^0-9+.,-]+|[^0-9]+$', '', 'g')"
    tests = {
        ",": _CLEAR.format(",", points := _TRIPLES.format("."), "."),
        ".": _CLEAR.format(".", commas := _TRIPLES.format(","), ","),
        "unclear": points,
        "grouped": commas,
        "'": r"[-+]?\d{1,3}(['\x{2019}]\d{3})+([.,]\d+)?",
        " ": r"[-+]?\d{1,3}([ \x{A0}\x{2009}\x{202F}]\d{3})+([.,]\d+)?",
    }
    chosen = ", ".join(
        f"arg_min({quoted(column)}, _row) FILTER (regexp_full_match({bare}, {literal(test)})),"
        f" min(_row) FILTER (regexp_full_match({bare}, {literal(test)}))"
        for test in tests.values()
    )
    found = tools.values(f"SELECT {chosen} FROM {sample.table} WHERE {quoted(column)} IS NOT NULL")[0]
    proofs = {name: (found[2 * place], found[2 * place + 1]) for place, name in enumerate(tests)}
    return _marks_of({name: proof for name, proof in proofs.items() if proof[0] is not None})


def _marks_of(proofs: dict[str, tuple[str, int]]) -> WrittenNumbers:
    shown = {name: f"{text} in row {row}" for name, (text, row) in proofs.items()}
    if "," in proofs and "." in proofs:
        return WrittenNumbers(proof=f"{shown[',']}, {shown['.']}", is_ambiguous=True)
    spaced: Mark | None = "'" if "'" in proofs else " " if " " in proofs else None
    if "," in proofs:
        return WrittenNumbers(",", spaced or ".", proof=f"decimal comma: {shown[',']}")
    if "." in proofs:
        thousands: Mark | None = "," if "," in proofs["."][0] or "grouped" in proofs else None
        return WrittenNumbers(None, spaced or thousands, proof=f"decimal point: {shown['.']}")
    unclear = shown.get("unclear") or shown.get("grouped")
    if unclear is not None:
        return WrittenNumbers(proof=f"{unclear} may be a thousand or a part of one", is_ambiguous=True)
    return WrittenNumbers(None, spaced, proof=shown[spaced] if spaced else "")
