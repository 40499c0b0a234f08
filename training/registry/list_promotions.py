"""The verb ``history``: which version serves, and who promoted what, when and why."""

from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from data.screen import print_plain
from data.workspace import Workspace
from models.champion import Champion
from training.registry.promotion_history import ChampionChange, read_succession


@dataclass(frozen=True, slots=True)
class HistoryResult:
    """What serves, every promotion and rollback, newest first, and what could not be read."""

    champion: Champion | None
    moves: tuple[ChampionChange, ...]
    problems: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return what serves, the promotions and the problems."""
        champion, serves = self.champion, None
        if champion is not None:
            serves = {"version": champion.version, "fingerprint": champion.fingerprint, "bundle": champion.bundle}
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
        print_plain(console, *self.problems, f"{served} serves.")


def history(workspace: Workspace) -> HistoryResult:
    """
    Return which version serves, and who promoted what, when and why.

    Args:
        workspace: the playbook, and where tables and models are kept.

    Raises:
        RegistryError: the journal cannot be read.
    """
    models = workspace.home.models(workspace.playbook.business.name)
    succession = read_succession(models)
    problems = tuple(filter(None, (succession.problem, succession.told(models))))
    return HistoryResult(None if succession.problem else succession.champion, succession.moves[::-1], problems)
