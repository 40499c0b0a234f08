"""The words of a playbook for how a company's exports are written: their files, dates, numbers and blanks."""

import codecs
import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

NAMED_DATES = ("iso", "us", "german", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns")
"""The names of ways to write an instant; any other is a format in the words of strptime."""

_PLACEHOLDERS = re.compile(r"%-?[a-zA-Z%]")
_KNOWN_PLACEHOLDERS = frozenset("aAbBdfHIjmMnpSyYzZ%")
_NAMES_A_DAY = ({"d", "m", "y"}, {"d", "b", "y"}, {"d", "B", "y"}, {"j", "y"})

Mark = Annotated[str, Field(min_length=1, max_length=1)]
Words = tuple[str, ...]


def word_of(value: object) -> object:
    """
    Return a word of an export as text; a whole number is the word that its digits make.

    >>> word_of(6), word_of("6"), word_of(True)
    ('6', '6', True)
    """
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


IdRule = Literal["exact", "trim", "casefold", "email", "salesforce"]
"""How two ids compare."""

Word = Annotated[str, BeforeValidator(word_of)]
"""A word as it stands in an export."""


class PlaybookPart(BaseModel):
    """A frozen value read from YAML; unknown names are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)


class CellWriting(PlaybookPart):
    """How the cells of a column are written; what is not said is taken from the source, then from the playbook."""

    date_format: str | Words | None = Field(
        default=None, description="iso, us, german, epoch_s, epoch_ms, epoch_us, epoch_ns or a format of strptime"
    )
    midnights: Literal["days", "instants"] | None = Field(
        default=None, description="what midnights are in a column of hardly anything else; default: days"
    )
    decimal: Literal[".", ","] | None = Field(default=None, description="the mark before the decimals")
    thousands: Literal[".", ",", " ", "'"] | None = Field(default=None, description="the mark between thousands")
    percent: bool | None = Field(default=None, description="12 % is 0.12 where true; 12 where false")
    currency_signs: Words | None = Field(default=None, description="signs that may stand around a number")
    yes: tuple[Word, ...] | None = Field(
        default=None, description="the words for true, in place of true, yes, y, t and 1"
    )
    no: tuple[Word, ...] | None = Field(
        default=None, description="the words for false, in place of false, no, n, f and 0"
    )
    empty: tuple[Word, ...] | None = Field(default=None, description="what stands in a cell that holds nothing")

    @field_validator("yes", "no", "empty", "currency_signs", mode="before")
    @classmethod
    def _as_list(cls, words: object) -> object:
        return [words] if isinstance(words, str | int) else words

    @field_validator("date_format")
    @classmethod
    def _readable(cls, given: str | Words | None) -> str | Words | None:
        for one in (given,) if isinstance(given, str) else given or ():
            _require_date_format(one)
        return given

    @model_validator(mode="after")
    def _marks_differ(self) -> "CellWriting":
        if self.decimal is not None and self.decimal == self.thousands:
            message = f"decimal and thousands are both {self.decimal!r}: one mark cannot mean both"
            raise ValueError(message)
        return self

    @property
    def date_formats(self) -> Words:
        """The ways in which instants are written, in the order in which they are tried."""
        return (self.date_format,) if isinstance(self.date_format, str) else self.date_format or ()

    def over(self, wider: "CellWriting") -> "CellWriting":
        """
        Return this writing, and where it says nothing, the wider one's.

        >>> resolved = CellWriting(decimal=",").over(CellWriting(decimal=".", percent=True))
        >>> resolved.decimal, resolved.percent
        (',', True)
        """
        said = {name: getattr(self, name) for name in CellWriting.model_fields}
        filled = {name: getattr(wider, name) if value is None else value for name, value in said.items()}
        if self.decimal is not None and self.thousands is None and filled["thousands"] == self.decimal:
            filled["thousands"] = None  # the wider mark belongs to the wider decimal mark
        if self.thousands is not None and self.decimal is None and filled["decimal"] == self.thousands:
            filled["decimal"] = None
        return CellWriting(**filled)


class FileWriting(CellWriting):
    """How a file is written, besides its cells."""

    encoding: str | None = Field(default=None, description="such as cp1252, latin-1 or utf-16; default: UTF-8")
    delimiter: Mark | None = None
    short_rows: Literal["reject", "fill"] = Field(
        default="reject", description="whether a row with fewer cells than the header has empty ones at its end"
    )
    skip_lines: int = Field(default=0, ge=0, le=1_000, description="lines before the header")
    footer: int = Field(default=0, ge=0, le=1_000, description="lines after the last row, such as a total")
    sheet: str | None = Field(default=None, min_length=1, description="of a workbook; default: its only one")
    records: str | None = Field(
        default=None, min_length=1, description="where a JSON document holds its list, such as results"
    )
    written: dict[str, CellWriting] = Field(
        default_factory=dict, description="column → how its cells are written, where that differs"
    )

    @field_validator("encoding")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        if name is None:
            return None
        try:
            is_text = codecs.lookup(name)._is_text_encoding  # noqa: SLF001 - the only way to tell rot13 from an encoding
        except (LookupError, ValueError):
            is_text = False
        if not is_text:
            message = f"{name} is not an encoding: use a name such as utf-8, cp1252, latin-1 or utf-16"
            raise ValueError(message)
        return name


def _require_date_format(given: str) -> None:
    """Refuse a format that does not name a whole day, or holds a placeholder that is not known."""
    if given in NAMED_DATES:
        return
    found = [placeholder[-1] for placeholder in _PLACEHOLDERS.findall(given)]
    unknown = [name for name in found if name not in _KNOWN_PLACEHOLDERS]
    if unknown:
        message = f"%{unknown[0]} in {given} is not a placeholder of strptime that can be read"
        raise ValueError(message)
    spelled = {"y" if name == "Y" else name for name in found}
    if not any(day <= spelled for day in _NAMES_A_DAY):
        message = (
            f"{given} does not say which day: use {', '.join(NAMED_DATES[:3])}, epoch_s, epoch_ms or a format of"
            " strptime such as %d.%m.%Y %H:%M"
        )
        raise ValueError(message)
