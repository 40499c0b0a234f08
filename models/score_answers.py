"""The answers of ``score`` and ``explain``, for a program and for a reader."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from data.instants import from_us, iso
from data.lifecycle.lead_lifecycle import NEW_LEAD, LeadState
from data.screen import print_table
from models.receipt import Receipt, ScorerId, chance, scorer_json
from models.score_summary import TopLead

_BAR_WIDTH = 24
_LINES = 12
_HINDSIGHT = (
    "In hindsight: the model has learnt how leads of that time ended, so these scores do not show how good it is."
)


@dataclass(frozen=True, slots=True)
class ScoredLeads:
    """The file or folder that ``score`` wrote, and the leads to call first."""

    out: Path
    as_of: int
    leads: int
    handed_over: int
    beyond_history: int
    scorer: ScorerId
    degraded: bool
    hindsight: bool
    top: tuple[TopLead, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return {
            "out": str(self.out),
            "as_of": iso(self.as_of),
            "leads": self.leads,
            "over_threshold": self.handed_over,
            "beyond_history": self.beyond_history,
            "scorer": scorer_json(self.scorer),
            "degraded": self.degraded,
            "hindsight": self.hindsight,
        }

    def show(self, console: Console) -> None:
        """Print whom to call first."""
        console.print(f"Call these first, as of {_minute(self.as_of)} UTC", style="italic", highlight=False)
        table = Table()
        for column in ("lead", "score", "grade", "chance"):
            table.add_column(column, justify="right" if column == "score" else "left", no_wrap=True)
        for lead in self.top:
            likely = "not known yet" if math.isnan(lead.probability) else chance(lead.probability)
            mark = "" if lead.beyond_history is None else " *"
            table.add_row(Text(lead.lead_id), str(lead.score), lead.grade, f"{likely}{mark}")
        print_table(console, table)
        console.print(
            f"{self.leads:,} open leads scored, {self.handed_over:,} over the threshold: {self.out}",
            markup=False,
            soft_wrap=True,
        )
        if self.beyond_history:
            console.print(self._beyond_history(), markup=False, highlight=False)
        if self.degraded:
            console.print("No model serves yet: the point rules answered. Run leadscore train, then leadscore promote.")
        if self.hindsight:
            console.print(_HINDSIGHT)

    def _beyond_history(self) -> str:
        """Return how many leads the history cannot speak of, and where the file says why."""
        verb = "is" if self.beyond_history == 1 else "are"
        mark = "*, " if any(lead.beyond_history for lead in self.top) else ""
        return (
            f"{self.beyond_history:,} of them {verb} older, or silent for longer, than the history can speak of "
            f"({mark}column beyond_history)."
        )


@dataclass(frozen=True, slots=True)
class Explanation:
    """One receipt, to be read."""

    receipt: Receipt
    goal: str
    degraded: bool
    hindsight: bool
    newest_activity_at: int | None
    state: LeadState = NEW_LEAD
    stage_says: str | None = None
    beyond_history: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the receipt as the API does with all its reasons."""
        receipt = self.receipt.told(is_whole=True)
        content = receipt.as_json(degraded=self.degraded, newest_activity_at=self.newest_activity_at)
        told = {"beyond_history": self.beyond_history, "hindsight": self.hindsight}
        return content | self.state.as_json() | told

    def show(self, console: Console) -> None:
        """Print the receipt: a base, reasons in points, a total."""
        receipt = self.receipt.told(is_whole=True)
        likely = "" if receipt.probability is None else f"; {self.goal}: {chance(receipt.probability)}"
        head = f"{receipt.lead_id}: score {receipt.score}, grade {receipt.grade}{likely}"
        console.print(Text(head, style="bold"))
        newest = "none yet" if self.newest_activity_at is None else _minute(self.newest_activity_at)
        stands_in = " (stands in for the model)" if self.degraded else ""
        console.print(
            f"as of {_minute(receipt.as_of)} UTC, newest activity {newest}, "
            f"scored by {receipt.scorer.name} {receipt.scorer.version}{stands_in}",
            markup=False,
        )
        if self.stage_says is not None:
            console.print(Text(self._where_it_stands()))
        if self.beyond_history is not None:
            console.print(Text(self.beyond_history))
        print_table(console, _receipt_table(receipt))
        if receipt.stretch is not None:
            console.print(
                "The calibration is not linear, so the reasons of this lead are those of the model times "
                f"{receipt.stretch:.2f}: that way they add up."
            )
        if self.hindsight:
            console.print(_HINDSIGHT)

    def _where_it_stands(self) -> str:
        """Return in words which stage the lead reached last, and whether that closed it."""
        if self.state.closed_at is None:
            return f"stage: {self.stage_says}"
        since = _minute(self.state.closed_at)
        return f"stage: {self.stage_says}; closed since {since} UTC, so it is on no list and is not handed over"


def _minute(instant: int) -> str:
    """
    Write an instant to the minute, in UTC.

    >>> _minute(0)
    '1970-01-01 00:00'
    """
    return f"{from_us(instant):%Y-%m-%d %H:%M}"


def _receipt_table(receipt: Receipt) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 1))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(max_width=_BAR_WIDTH, no_wrap=True)
    table.add_column(min_width=_longest_word(receipt))
    table.add_row(f"{receipt.base_points:.1f}", "", "where every lead starts")
    shown, rest = receipt.reasons[:_LINES], receipt.reasons[_LINES:]
    widest = max((abs(reason.points) for reason in shown), default=1.0)
    for reason in shown:
        bar = "█" * max(1, round(abs(reason.points) / widest * _BAR_WIDTH))
        style = "green" if reason.points > 0 else "red"
        table.add_row(f"{reason.points:+.1f}", Text(bar, style=style), Text(reason.says))
    if rest:
        smaller = math.fsum(reason.points for reason in rest)
        table.add_row(f"{smaller:+.1f}", "", f"{len(rest)} smaller reasons; --json lists them")
    table.add_row(Text(f"{receipt.points:.1f}", style="bold"), "", Text("points", style="bold"))
    return table


def _longest_word(receipt: Receipt) -> int:
    """Return the width below which a word of a reason would be split."""
    words = (word for reason in receipt.reasons[:_LINES] for word in reason.says.split())
    return max(map(cell_len, words), default=1)
