"""How each column of a source is read: what the playbook says of it, and what a profile of the column found."""

from dataclasses import dataclass, field
from typing import Literal

from data.reading.number_notation import NumberNotation
from data.words.writing import CellWriting, FileWriting

DayRule = Literal["zone", "own"] | int
"""Where midnights of a column are days: in the playbook's zone, in their own offset, or in a fixed one [µs]."""


@dataclass(frozen=True, slots=True)
class ColumnReading:
    """
    How the cells of one column are read.

    Attributes:
        writing: the words of the column, over those of its source and of the playbook.
        notation: of its numbers.
        days: by which clock its midnights are days; without it, they are instants.
    """

    writing: CellWriting = field(default_factory=CellWriting)
    notation: NumberNotation = field(default_factory=NumberNotation)
    days: DayRule | None = None


def writing_of(column: str, source: FileWriting, playbook: CellWriting) -> CellWriting:
    """Return the words for a column of a source: its own, then the source's, then the playbook's."""
    return source.written.get(column, CellWriting()).over(source).over(playbook)
