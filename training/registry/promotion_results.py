"""What ``promote``, ``rollback`` and ``history`` answer: values that say themselves as JSON and on a screen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.champion import Champion
from training.registry.promotion_gate import GateDecision
from training.registry.promotion_history import ChampionChange


@dataclass(frozen=True, slots=True)
class PromotionResult:
    """
    What ``promote`` did.

    Attributes:
        to: what serves now.
        bundle: its folder.
        before: the version that served until now; None where none did.
        ruling: what the gate said; None where it was not asked.
        move: who moved it, when and why; None where it served already.
        notes: what could not be done though the version was moved.
    """

    to: Champion
    bundle: Path
    before: str | None
    ruling: GateDecision | None = None
    move: ChampionChange | None = None
    notes: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """Give the version that serves now."""
        return self.to.version

    @property
    def says(self) -> str:
        """Say why it may serve."""
        return "It served already." if self.move is None else self.move.says

    def as_json(self) -> dict[str, Any]:
        """Give which version serves now, which did, and why."""
        return {
            "version": self.version,
            "fingerprint": self.to.fingerprint,
            "bundle": str(self.bundle),
            "before": self.before,
            "says": self.says,
            "better": None if self.ruling is None else self.ruling.better,
            "rules": [] if self.ruling is None else [rule.as_json() for rule in self.ruling.rules],
            "move": None if self.move is None else self.move.as_json(),
            "notes": list(self.notes),
        }

    def show(self, console: Console) -> None:
        """Print which version serves now, and why it may."""
        serves = "goes on serving" if self.move is None else "serves from now on"
        found = () if self.ruling is None else self.ruling.rules
        _say(console, f"Version {self.version} {serves}. {self.says}", *(f"  {rule.says}" for rule in found))
        _say(console, *self.notes)


@dataclass(frozen=True, slots=True)
class RollbackResult:
    """What ``rollback`` did: the move that put an earlier version back, its folder, and what could not be done."""

    move: ChampionChange
    bundle: Path
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Give which version serves now, and which did."""
        return {
            "version": self.move.to.version,
            "fingerprint": self.move.to.fingerprint,
            "bundle": str(self.bundle),
            "before": None if self.move.before is None else self.move.before.version,
            "says": self.move.says,
            "move": self.move.as_json(),
            "notes": list(self.notes),
        }

    def show(self, console: Console) -> None:
        """Print which version serves again."""
        _say(console, f"Version {self.move.to.version} serves again. {self.move.says}", *self.notes)


@dataclass(frozen=True, slots=True)
class HistoryResult:
    """What ``history`` found: what serves, every move, newest first, and what could not be read."""

    champion: Champion | None
    moves: tuple[ChampionChange, ...]
    problems: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Give what serves, the moves and the problems."""
        one = self.champion
        serves = None if one is None else {"version": one.version, "fingerprint": one.fingerprint, "bundle": one.bundle}
        return {"serves": serves, "moves": [move.as_json() for move in self.moves], "problems": list(self.problems)}

    def show(self, console: Console) -> None:
        """Print the moves as a table, and what serves."""
        table = Table("when (UTC)", "who", "what", "version", "in place of", "why", box=None)
        for move in self.moves:
            before = "none" if move.before is None else move.before.version
            when, why = move.at[:19].replace("T", " "), move.reason or move.says
            cells = (when, move.who, move.action, move.to.version, before, why)
            table.add_row(*map(Text, cells))
        if self.moves:
            console.print(table)
        served = "No version" if self.champion is None else f"Version {self.champion.version}"
        _say(console, *self.problems, f"{served} serves.")


def _say(console: Console, *lines: str) -> None:
    """Print lines as they are: what people wrote is no markup."""
    for line in lines:
        console.print(Text(line), soft_wrap=True)
