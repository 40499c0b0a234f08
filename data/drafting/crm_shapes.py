"""The shapes of exports of well-known systems, recognised by the names of their columns; one file each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import yaml
from pydantic import Field

from data.drafting.naming import matches, normal
from data.drafting.vocabulary import SHAPES
from data.words.writing import PlaybookPart

Names = tuple[str, ...]


class OutcomeShape(PlaybookPart):
    """Where a table of leads holds an outcome."""

    column: Names
    stages: dict[str, str]
    reached_at: Names
    amount: Names = ()
    reason: Names = ()


class TableShape(PlaybookPart):
    """One table of a system: the columns by which it is known, and what each is mapped to."""

    holds: Literal["leads", "activities", "outcomes", "nothing"]
    needs: tuple[Names, ...]
    columns: dict[str, Names] = Field(default_factory=dict)
    prefix: str = Field(default="", description="of the names of attributes, which says nothing")
    no_account: bool = False
    kind: str | None = None
    kind_words: dict[str, str] = Field(default_factory=dict)
    ignore: Names = ()
    stages: dict[str, str] = Field(default_factory=dict)
    outcome: OutcomeShape | None = None
    never_use: Names = ()
    left_out: Names = ()
    why: str = ""


class ShippedFile(PlaybookPart):
    """How a company's file is known to be one of a shipped playbook's, and how else its columns are spelled."""

    has: Names = Field(description="columns that it must have")
    tables: Names = Field(default=(), description="recognised tables that it is")
    may_be: Names = Field(
        default=(), description="recognised tables among which it may be, if its name or cells say so"
    )
    named: tuple[Names, ...] = Field(default=(), description="words that stand together in its name")
    cells: dict[str, Names] = Field(default_factory=dict, description="column → the only values that it holds")
    spelled: dict[str, Names] = Field(default_factory=dict, description="column → its other names")


class CrmShape(PlaybookPart):
    """The tables of one system, and the shipped playbook that says how they belong together."""

    name: str
    tables: dict[str, TableShape]
    playbook: str | None = None
    files: dict[str, ShippedFile] = Field(default_factory=dict, description="file of that playbook → how it is known")


@dataclass(frozen=True, slots=True)
class RecognisedTable:
    """A file that is a table of a known system; ``by`` are the columns that show it."""

    system: str
    table: str
    shape: TableShape
    by: Names

    def column(self, role: str, columns: Sequence[str]) -> str | None:
        """Return the column of a role, as the file writes it; None if it has none."""
        return named_column(self.shape.columns.get(role, ()), columns)

    def plain(self, column: str) -> str:
        """Return a column's name without the prefix that all names of the table have."""
        return normal(column).removeprefix(self.shape.prefix)

    @property
    def says(self) -> str:
        """The table in words."""
        return f"{self.system} {self.table.replace('_', ' ')}: it has {', '.join(self.by)}"


def recognised(columns: Sequence[str]) -> RecognisedTable | None:
    """
    Recognise a table by its columns; of several that fit, the one that shows the most.

    >>> recognised(["Record ID", "Create Date", "Lifecycle Stage"]).says
    'HubSpot contacts: it has Record ID, Create Date, Lifecycle Stage'
    """
    spelled = {normal(column): column for column in reversed(columns)}
    found = [
        RecognisedTable(shape.name, name, table, tuple(spelled[need] for need in needs))
        for shape in crm_shapes()
        for name, table in shape.tables.items()
        for needs in table.needs
        if all(need in spelled for need in needs)
    ]
    return max(found, key=lambda each: (len(each.by), _known(each.shape, spelled)), default=None)


def named_column(names: Sequence[str], columns: Sequence[str]) -> str | None:
    """Return the first column that has one of some names, in the order of the names."""
    spelled = [(normal(column), column) for column in columns]
    return next((column for name in names for plain, column in spelled if matches(plain, [name])), None)


def _known(table: TableShape, spelled: Collection[str]) -> int:
    listed = [name for names in table.columns.values() for name in names]
    return sum(1 for name in {*listed, *table.never_use, *table.left_out} if name in spelled)


@cache
def crm_shapes() -> tuple[CrmShape, ...]:
    """Return the shapes of all systems."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((SHAPES / "crm").glob("*.yaml"))]
    return tuple(CrmShape.model_validate(yaml.load(text, Loader=yaml.CSafeLoader)) for text in texts)
