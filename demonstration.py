"""The demonstration: a company's whole way from exports to a store that the promoted model has scored."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from data.command_line import Context, VerbResult
from data.commands import check, simulate
from data.home import DEMO
from serving.verbs.demo_replay import replay_last_day
from serving.verbs.load_and_serve import serve
from serving.verbs.manage_keys import create
from training.command_results import RulesOnlyResult
from training.commands import build, compare, promote, train
from training.errors import PromotionRefusedError

_SEED = 7


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The answers of the demonstration's steps, and the seconds each took."""

    steps: dict[str, VerbResult]
    seconds: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """Return every step's answer, and the seconds."""
        total = round(sum(self.seconds.values()), 2)
        return {name: step.as_json() for name, step in self.steps.items()} | {"seconds": self.seconds | {"all": total}}

    def show(self, console: Console) -> None:
        """Print how long it took; the steps have printed themselves."""
        console.print(f"\nAll of this took {sum(self.seconds.values()):.0f} seconds.")


@dataclass(frozen=True, slots=True)
class PromotionRefusal:
    """A promotion that the gate refused; what served before goes on serving."""

    why: str

    def as_json(self) -> dict[str, Any]:
        """Return the reason."""
        return {"refused": self.why}

    def show(self, console: Console) -> None:
        """Print the reason."""
        console.print(f"Not promoted. {self.why}", soft_wrap=True)


def walk(context: Context, *, leads: int) -> DemoResult:
    """
    Go from exports to a store that the promoted model has scored.

    Args:
        context: the playbook, the home, and the console on which each step is shown.
        leads: how many leads to simulate, if the playbook is the demo's own.
    """
    answers: dict[str, VerbResult] = {}
    seconds: dict[str, float] = {}
    for name, step in _steps(context, leads=leads).items():
        if name in {"compare", "promote"} and isinstance(answers["train"], RulesOnlyResult):
            continue  # there is no model yet that could be
        context.console.print(f"\n[bold]leadscore {name}[/]")
        started = time.perf_counter()
        answers[name] = step()
        seconds[name] = round(time.perf_counter() - started, 2)
        answers[name].show(context.console)
    return DemoResult(answers, seconds)


def _steps(context: Context, *, leads: int) -> dict[str, Callable[[], VerbResult]]:
    workspace, progress = context.workspace, context.progress
    exports = workspace.playbook.exports_folder
    steps: dict[str, Callable[[], VerbResult]] = {
        "simulate": lambda: simulate(
            exports, leads=leads, seed=_SEED, another_company=True, name=DEMO.name, progress=progress
        ),
        "check": lambda: check(workspace, progress=progress),
        "build": lambda: build(workspace, progress=progress),
        "train": lambda: train(workspace, progress=progress),
        "compare": lambda: compare(workspace, progress=progress),
        "promote": lambda: _promoted(context),
        "load": lambda: replay_last_day(workspace, progress=progress),
    }
    if context.playbook_folder.resolve() != DEMO or context.exports is not None:
        del steps["simulate"]  # another company brings its own history
    return steps


def _promoted(context: Context) -> VerbResult:
    try:
        return promote(context.workspace, progress=context.progress)
    except PromotionRefusedError as refusal:
        return PromotionRefusal(str(refusal))


def serve_demo(context: Context, steps: DemoResult, *, port: int) -> None:
    """
    Serve what the demonstration made, until Ctrl-C.

    Args:
        context: the playbook and the home.
        steps: printed before the service starts.
        port: port to listen on.
    """
    context.answer(steps)
    key = create(context.workspace, "demo", scopes=["events:write", "scores:read"]).secret
    address = f"http://127.0.0.1:{port}"
    for line in (
        f"\n[bold]Serving[/] on {address}, its operations: {address}/docs",
        "Newest handovers (Ctrl-C stops the service):",
        f'  curl -H "Authorization: Bearer {key}" {address}/v1/routes',
    ):
        context.console.print(line, soft_wrap=True, highlight=False)
    serve(context.workspace, host="127.0.0.1", port=port).show(context.console)
