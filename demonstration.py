"""The demonstration: a company's whole way from exports to a store that the promoted model has scored."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from data.command_line import Answer, Context
from data.home import Home
from data.playbook import load_playbook
from data.workspace import Workspace


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demonstration went through, step by step, with the seconds each took."""

    steps: dict[str, Answer]
    seconds: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """Give every step's answer, and the seconds."""
        total = round(sum(self.seconds.values()), 2)
        return {name: step.as_json() for name, step in self.steps.items()} | {"seconds": self.seconds | {"all": total}}

    def show(self, console: Console) -> None:
        """Say how long it took; the steps have shown themselves."""
        console.print(f"\nAll of this took {sum(self.seconds.values()):.0f} seconds.")


def walk(given: Context, *, leads: int, simulated: bool, console: Console) -> DemoResult:
    """
    Go from exports to a store that the promoted model has scored.

    Args:
        given: the playbook, the home, and who hears how far it has come.
        leads: how many leads to simulate.
        simulated: whether the history is simulated first, since the playbook is the demo's own.
        console: hears each step.
    """
    from data.commands import check, simulate
    from serving.verbs.demo_replay import rehearse
    from training.command_results import RulesOnlyResult
    from training.commands import build, compare, promote, train
    from training.errors import PromotionRefusedError

    workspace, progress = given.workspace, given.progress

    def promoted() -> Answer:
        try:
            return promote(workspace, progress=progress)
        except PromotionRefusedError as refusal:
            return PromotionRefusal(str(refusal))

    steps: dict[str, Callable[[], Answer]] = {
        "simulate": lambda: simulate(workspace.playbook.exports_folder, leads=leads, seed=7, progress=progress),
        "check": lambda: check(workspace, progress=progress),
        "build": lambda: build(workspace, progress=progress),
        "train": lambda: train(workspace, progress=progress),
        "compare": lambda: compare(workspace, progress=progress),
        "promote": promoted,
        "load": lambda: rehearse(workspace, progress=progress),
    }
    if not simulated:
        del steps["simulate"]  # another company brings its own history
    answers: dict[str, Answer] = {}
    seconds: dict[str, float] = {}
    for name, step in steps.items():
        if name in {"compare", "promote"} and isinstance(answers["train"], RulesOnlyResult):
            continue  # there is no model yet that could be
        console.print(f"\n[bold]leadscore {name}[/]")
        started = time.perf_counter()
        answers[name] = step()
        seconds[name] = round(time.perf_counter() - started, 2)
        answers[name].show(console)
    return DemoResult(answers, seconds)


@dataclass(frozen=True, slots=True)
class PromotionRefusal:
    """A promotion that the gate held; what served before goes on serving."""

    why: str

    def as_json(self) -> dict[str, Any]:
        """Say why."""
        return {"refused": self.why}

    def show(self, console: Console) -> None:
        """Say why."""
        console.print(f"Not promoted. {self.why}", soft_wrap=True)


def demo_key(playbook: Path) -> str:
    """Make a key for whoever tries the demonstration's service, and give its secret."""
    from serving.verbs.manage_keys import create

    made = create(
        Workspace(load_playbook(playbook), Home.from_environment()), "demo", scopes=["events:write", "scores:read"]
    )
    return made.secret
