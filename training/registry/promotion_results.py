"""What ``promote`` and ``rollback`` answer: values that say themselves as JSON and on a screen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from data.screen import print_plain
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
        print_plain(console, f"Version {self.version} {serves}. {self.says}", *(f"  {rule.says}" for rule in found))
        print_plain(console, *self.notes)


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
        print_plain(console, f"Version {self.move.to.version} serves again. {self.move.says}", *self.notes)
