"""The results of ``promote``, ``rollback`` and ``history``: as JSON, and on a screen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from models.champion import Champion
from models.signing import PublicKey
from training.registry.gate_decision import GateDecision
from training.registry.promotion_history import ChampionChange
from training.reporting.screen_tables import print_lines


@dataclass(frozen=True, slots=True)
class PromotionResult:
    """
    What ``promote`` did.

    Attributes:
        to: the version that serves now.
        bundle: its folder.
        before: the version that served until now; None where none did.
        decision: of the gate; None where it was skipped.
        change: who promoted it, when and why; None where it served already.
        notes: what could not be done although the version serves.
        signer: whose key signed it.
    """

    to: Champion
    bundle: Path
    before: str | None
    decision: GateDecision | None = None
    change: ChampionChange | None = None
    notes: tuple[str, ...] = ()
    signer: PublicKey | None = None

    @property
    def version(self) -> str:
        """The version that serves now."""
        return self.to.version

    @property
    def says(self) -> str:
        """Why it may serve."""
        return "It served already." if self.change is None else self.change.says

    def as_json(self) -> dict[str, Any]:
        """Return the version that serves now, the one that did, and why."""
        return {
            "version": self.version,
            "fingerprint": self.to.fingerprint,
            "bundle": str(self.bundle),
            "before": self.before,
            "says": self.says,
            "better": None if self.decision is None else self.decision.better,
            "rules": [] if self.decision is None else [rule.as_json() for rule in self.decision.rules],
            "move": None if self.change is None else self.change.as_json(),
            "notes": list(self.notes),
            "signed_by": None if self.signer is None else self.signer.id,
            "public_key": None if self.signer is None else self.signer.text,
        }

    def show(self, console: Console) -> None:
        """Print which version serves now, why, and the rules of the gate."""
        verb = "goes on serving" if self.change is None else "serves now"
        print_lines(console, f"Version {self.version} {verb}. {self.says}")
        if self.decision is not None:
            print_lines(console, *(rule.says for rule in self.decision.rules), indent=2)
        if self.change is not None and self.before is not None:
            print_lines(console, f"Version {self.before} served until now: leadscore rollback puts it back.")
        if self.signer is not None:
            print_lines(console, f"Signed with this machine's key {self.signer.id}.")
        print_lines(console, *self.notes)


@dataclass(frozen=True, slots=True)
class RollbackResult:
    """What ``rollback`` did: the change that put an earlier version back, its folder, and what could not be done."""

    change: ChampionChange
    bundle: Path
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the version that serves now, and the one that did."""
        return {
            "version": self.change.to.version,
            "fingerprint": self.change.to.fingerprint,
            "bundle": str(self.bundle),
            "before": None if self.change.before is None else self.change.before.version,
            "says": self.change.says,
            "move": self.change.as_json(),
            "notes": list(self.notes),
        }

    def show(self, console: Console) -> None:
        """Print which version serves again."""
        print_lines(console, f"Version {self.change.to.version} serves again. {self.change.says}", *self.notes)


@dataclass(frozen=True, slots=True)
class HistoryResult:
    """What ``history`` found: the version that serves, every change, newest first, and what could not be read."""

    champion: Champion | None
    changes: tuple[ChampionChange, ...]
    problems: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the version that serves, the changes and the problems."""
        champion = self.champion
        serves = champion and {
            "version": champion.version,
            "fingerprint": champion.fingerprint,
            "bundle": champion.bundle,
        }
        return {"serves": serves, "moves": [each.as_json() for each in self.changes], "problems": list(self.problems)}

    def show(self, console: Console) -> None:
        """Print each change with its reason below it, and the version that serves."""
        for change in self.changes:
            print_lines(console, _in_a_line(change))
            print_lines(console, change.reason or change.says, indent=4)
        served = "No version" if self.champion is None else f"Version {self.champion.version}"
        print_lines(console, *self.problems, f"{served} serves.")


def _in_a_line(change: ChampionChange) -> str:
    when = f"{change.at[:19].replace('T', ' ')} UTC"
    before = "" if change.before is None else f" in place of version {change.before.version}"
    return f"{when}  {change.who}  {change.action}  version {change.to.version}{before}"
