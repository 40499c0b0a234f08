"""
Tables on a screen: one row for each scorer, written as the report writes numbers, and never cut.

A table that is wider than the screen is split into several of the same rows, so that no name, number, interval or date
is ever broken inside a word. Every cell is at most 28 characters wide: longer names wrap between words.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from training.evaluation.scorer_evaluation import OriginEvaluation, ranking_scorers
from training.evaluation.training_summary import DataSummary
from training.replay.replay_evaluation import ReplayEvaluation
from training.reporting.metric_names import HEADLINE, METRICS
from training.statistics.number_format import day, interval, shown, value
from training.statistics.scorer_metrics import ScorerEvaluation

_NAME_WIDTH = 28
"""Widest name of a row; a longer one takes several lines."""

_HEADER_WIDTH = 14
"""Headers wrap between words at this width, or at their longest word."""

_GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its header, and one cell for each row, which may have several lines but is never wrapped."""

    header: str
    cells: tuple[str, ...]

    @property
    def width(self) -> int:
        """Width of the widest line."""
        return max(len(line) for text in (_wrapped(self.header), *self.cells) for line in text.split("\n"))


@dataclass(frozen=True, slots=True)
class RowTable:
    """
    A table whose rows are named; where it is too wide, columns continue below under the same names.

    Attributes:
        heading: of the names; empty for none.
        names: of the rows. Where they leave no room, rows are numbered and the names stand below the table.
        columns: the others.
    """

    heading: str
    names: tuple[str, ...]
    columns: tuple[Column, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield as many tables as the width asks for."""
        width = options.max_width
        names = Column(self.heading, tuple(_wrapped(name, _NAME_WIDTH) for name in self.names))
        numbered = width < names.width + _GAP + max((column.width for column in self.columns), default=0) + _GAP
        if numbered:
            names = Column(self.heading, tuple(str(number) for number, _ in enumerate(self.names, 1)))
        for columns in self._split(width - names.width - _GAP):
            table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False)
            table.add_column(Text(_wrapped(names.header)), no_wrap=True)
            for column in columns:
                table.add_column(Text(_wrapped(column.header)), justify="right", no_wrap=True)
            for cells in zip(names.cells, *(column.cells for column in columns), strict=True):
                table.add_row(*map(Text, cells))
            yield table
        if numbered:
            for number, name in enumerate(self.names, 1):
                yield Text(_wrapped(f"{number}: {name}", width))

    def _split(self, width: int) -> Iterator[list[Column]]:
        """Fill each table with as many columns as fit beside the names, at least one."""
        group: list[Column] = []
        room = width
        for column in self.columns:
            if group and room < column.width + _GAP:
                yield group
                group, room = [], width
            group.append(column)
            room -= column.width + _GAP
        yield group


def print_lines(console: Console, *lines: str, indent: int = 0) -> None:
    """Print lines as they are, without markup; a long one breaks between words, and no word is ever broken."""
    margin = " " * indent
    for line in lines:
        for part in _wrapped(line, console.width - indent).split("\n"):
            console.print(Text(margin + part), soft_wrap=True)


def blocks_table(data: DataSummary) -> RowTable:
    """Return the blocks of a training set: from when to when, how many rows, how many reach the goal."""
    blocks = ("train", "test")
    spans = [getattr(data.plan, name) for name in blocks]
    sums = [[int(getattr(counts, name)) for name in blocks] for counts in (data.blocks, data.positives)]
    return RowTable(
        "block",
        blocks,
        (
            Column("from", tuple(day(span.start) for span in spans)),
            Column("to", tuple(day(span.end) for span in spans)),
            Column("rows", tuple(f"{count:,}" for count in sums[0])),
            Column("reach the goal", tuple(f"{count:,}" for count in sums[1])),
        ),
    )


def metrics_table(scorers: Sequence[ScorerEvaluation]) -> RowTable:
    """Return the headline numbers of each scorer above their intervals; one that ranks nothing is left out."""
    rows = ranking_scorers(scorers)
    columns = tuple(_metric(name, rows) for name in HEADLINE)
    return RowTable("", tuple(scorer.name for scorer in rows), columns)


def _metric(name: str, scorers: Sequence[ScorerEvaluation]) -> Column:
    metric = METRICS[name]
    numbers = [getattr(scorer, name) for scorer in scorers]
    cells = (f"{value(number, metric.shape)}\n{interval(number, metric.shape)}" for number in numbers)
    return Column(metric.words, tuple(cell.rstrip("\n") for cell in cells))


def origins_table(origins: Sequence[OriginEvaluation]) -> RowTable:
    """Return the log loss of every scorer at every origin, one column for each origin."""
    names = tuple(dict.fromkeys(scorer.name for origin in origins for scorer in origin.scorers))
    return RowTable("log loss", names, tuple(_origin(origin, names) for origin in origins))


def _origin(origin: OriginEvaluation, names: Sequence[str]) -> Column:
    losses: Mapping[str, Any] = {scorer.name: scorer.log_loss for scorer in origin.scorers}
    header = f"{day(origin.test.start)} to {day(origin.test.end)}"
    return Column(header, tuple(value(losses.get(name), "loss") for name in names))


def replay_table(replay: ReplayEvaluation) -> RowTable:
    """Return what each participant of the replay found."""
    rows = replay.participants
    columns = [
        Column("successes found", tuple(shown(row.conversions, "count") for row in rows)),
        Column("with later ones", tuple(shown(row.eventual_conversions, "count") for row in rows)),
        Column("calls for one success", tuple(value(row.calls_per_conversion, "ratio") for row in rows)),
        Column("days before the goal", tuple(value(row.days_before, "days") for row in rows)),
    ]
    if any(row.value is not None for row in rows):
        columns.append(Column("value found", tuple(value(row.value, "money") for row in rows)))
    return RowTable("", tuple(row.name for row in rows), tuple(columns))


def _wrapped(text: str, width: int = _HEADER_WIDTH) -> str:
    """
    Break a text between words; a word that is longer than the width stays whole.

    >>> _wrapped("observed / expected").splitlines()
    ['observed /', 'expected']
    """
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines)
