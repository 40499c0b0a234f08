"""The words of a playbook for the rows of a file: which count, what is derived, and what is looked up elsewhere."""

from pathlib import PurePath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from data.importing.name_dates import require_name_format
from data.words.writing import FileWriting, IdRule, PlaybookPart

Scalar = str | int | float | bool


def inside_the_folder(file: str) -> str:
    """
    Return the path of a file inside the playbook's folder of exports.

    Raises:
        ValueError: it leads out of that folder.
    """
    if not file or PurePath(file).is_absolute() or ".." in PurePath(file).parts:
        message = "the path must stay inside the folder of exports, without .. or a leading /; folder sets that folder"
        raise ValueError(message)
    return file


class CellTest(PlaybookPart):
    """What a cell must be, where it need not be one value of a list."""

    starts_with: str | None = Field(default=None, min_length=1)
    is_not: Scalar | tuple[Scalar, ...] | None = Field(default=None, alias="not", description="none of these values")
    given: bool | None = Field(default=None, description="whether the cell holds anything")

    @model_validator(mode="after")
    def _tests_something(self) -> Self:
        if self.starts_with is None and self.is_not is None and self.given is None:
            message = "say what the cell must be: a value, a list of values, starts_with, not or given"
            raise ValueError(message)
        return self


CellCondition = Scalar | tuple[Scalar, ...] | CellTest
RowConditions = Annotated[dict[str, CellCondition], Field(min_length=1)]
"""Column → what its cell must be; all of them must hold."""


class DerivedCase(PlaybookPart):
    """One case of a derived column: what it holds where the conditions are met; without any, in all other rows."""

    when: RowConditions | None = None
    value: Scalar | None = Field(default=None, alias="is", description="the value")
    column: str | None = Field(default=None, alias="from", description="the column whose value it takes")

    @model_validator(mode="after")
    def _one_value(self) -> Self:
        if (self.value is None) == (self.column is None):
            message = "give the value once: either is (the value itself) or from (a column)"
            raise ValueError(message)
        return self


class Lookup(FileWriting):
    """Another file in which a row is looked up by its keys, and the columns that are taken from there."""

    file: str = Field(description="path inside the playbook's folder of exports; * and ? match several files")
    format: Literal["csv", "parquet", "jsonl", "json", "xlsx"] | None = None
    match: dict[str, str] = Field(min_length=1, description="column of the row → column there that must be equal")
    take: dict[str, str] = Field(min_length=1, description="new column → column there that it is taken from")
    where: RowConditions | None = Field(default=None, description="the rows there that count")
    ids: IdRule | None = Field(default=None, description="how the keys compare; default: as the playbook's ids")
    split: dict[str, str] = Field(
        default_factory=dict, description="column there that holds a list of keys → the sign between them"
    )
    several: Literal["refuse", "first", "each"] = Field(
        default="refuse",
        description="where several rows match: refuse them, take the first, or repeat the row for each",
    )
    unmet: Literal["keep", "ignore"] = Field(
        default="keep", description="what becomes of rows that match none: kept with empty cells, or ignored"
    )

    _stays_inside = field_validator("file")(inside_the_folder)

    @model_validator(mode="after")
    def _splits_keys(self) -> Self:
        others = sorted(set(self.split) - set(self.match.values()))
        if others:
            message = f"only a column of match can be split, and {others[0]} is none"
            raise ValueError(message)
        return self


class RowWords(FileWriting):
    """Which rows of a source's files count, and columns that its files do not have themselves."""

    from_name: dict[str, Annotated[str, AfterValidator(require_name_format)]] = Field(
        default_factory=dict, description="new column → the format of the date in the file's name, which it holds"
    )
    via: tuple[Lookup, ...] = Field(
        default=(), description="other files in which rows are looked up, one after another"
    )
    derived: dict[str, tuple[DerivedCase, ...]] = Field(
        default_factory=dict, description="new column → its cases; the first that is met counts"
    )
    where: RowConditions | None = Field(default=None, description="the rows that count; all others are ignored")
