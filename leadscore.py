"""
leadscore: which leads to call first, why, and what changed since yesterday.

One line per verb; each is handed to the package that owns it.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn, Protocol, TypeVar

import typer
from rich.console import Console

from data.errors import LeadscoreError
from data.home import Home
from data.instants import parse
from data.playbook import PlaybookFolder, load_playbook
from data.progress import Progress, shown

DEMO = Path(__file__).resolve().parent / "data" / "playbooks" / "demo"
USER_MISTAKE = 2
INTERRUPTED = 130

app = typer.Typer(
    help=__doc__,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

PlaybookOption = Annotated[
    Path,
    typer.Option("--playbook", envvar="LEADSCORE_PLAYBOOK", help="Folder of the playbook.", show_default="the demo"),
]
ExportsOption = Annotated[
    Path | None, typer.Option("--exports", help="Folder of the exports, in place of the one the playbook names.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Give one JSON object as the last line of stdout.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Why; kept in the history of moves.")]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", metavar="T", help="Instant in ISO 8601; default: the end of the history.")
]
VersionOption = Annotated[
    str, typer.Option("--version", help="Number of a version, challenger (the newest) or champion.")
]


class Answer(Protocol):
    """What a verb gives back: to be read by a program or by a person."""

    def as_json(self) -> dict[str, Any]:
        """Give it as one JSON object."""

    def show(self, console: Console) -> None:
        """Print it for people."""


Verb = TypeVar("Verb", bound=Answer)


@dataclass(frozen=True, slots=True)
class Given:
    """What every verb is given."""

    folder: PlaybookFolder
    home: Home
    progress: Progress

    def instant(self, text: str | None) -> int | None:
        """Read an instant in the playbook's zone."""
        return None if text is None else parse(text, self.folder.playbook.timezone)


@app.command()
def simulate(
    out: Annotated[Path, typer.Argument(help="Folder to write the exports and a playbook for them into.")],
    leads: Annotated[int, typer.Option(help="How many leads.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same history.")] = 7,
    until: Annotated[str | None, typer.Option(help="End of the 18 months; default: today, 00:00 UTC.")] = None,
    drift: Annotated[
        float, typer.Option(help="How far the last months differ from those before; 0 is not at all.")
    ] = 0.0,
    as_json: JsonOption = False,
    playbook: PlaybookOption = DEMO,  # noqa: ARG001 - every verb takes it; a simulation brings its own
) -> None:
    """Make the history of a B2B company whose true conversion process is known."""
    from data.commands import simulate as run

    with _answering(as_json) as answer:
        with shown() as progress:
            made = run(out, leads=leads, seed=seed, until=until, drift=drift, progress=progress)
        answer(made)


@app.command()
def check(playbook: PlaybookOption = DEMO, exports: ExportsOption = None, as_json: JsonOption = False) -> None:
    """Read the exports and say everything that is wrong with them."""
    from data.commands import check as run

    result = _run(playbook, exports, as_json, lambda given: run(given.folder, given.home, progress=given.progress))
    if not result.passed:
        raise typer.Exit(USER_MISTAKE)


@app.command()
def build(playbook: PlaybookOption = DEMO, exports: ExportsOption = None, as_json: JsonOption = False) -> None:
    """Turn history into a training set: snapshots, features, mature labels."""
    from training.commands import build as run

    _run(playbook, exports, as_json, lambda given: run(given.folder, given.home, progress=given.progress))


@app.command()
def train(
    tune: Annotated[int, typer.Option("--tune", min=0, metavar="N", help="Try N sets of parameters first.")] = 0,
    accept_risk: Annotated[
        str | None,
        typer.Option(
            "--accept-risk", metavar="REASON", help="Go on though a gate fails; the reason is kept with the model."
        ),
    ] = None,
    playbook: PlaybookOption = DEMO,
    exports: ExportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train, judge and register a model as the challenger; write its report."""
    from training.commands import train as run

    _run(
        playbook,
        exports,
        as_json,
        lambda given: run(given.folder, given.home, tune=tune, accept_risk=accept_risk, progress=given.progress),
    )


@app.command()
def compare(
    version: VersionOption = "challenger",
    playbook: PlaybookOption = DEMO,
    exports: ExportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put point rules and models on the same leads of the same weeks, at the same capacity."""
    from training.commands import compare as run

    _run(
        playbook,
        exports,
        as_json,
        lambda given: run(given.folder, given.home, version=version, progress=given.progress),
    )


@app.command()
def report(
    version: VersionOption = "challenger",
    out: Annotated[Path | None, typer.Option("--out", metavar="F.html", help="Copy the report to this file.")] = None,
    playbook: PlaybookOption = DEMO,
    as_json: JsonOption = False,
) -> None:
    """Say what a training came to, and where its report and its model card are."""
    from training.commands import report as run

    _run(playbook, None, as_json, lambda given: run(given.folder, given.home, version=version, out=out))


@app.command()
def scorecard(
    out: Annotated[Path, typer.Option("--out", metavar="F.yaml", help="YAML file to write.")],
    version: VersionOption = "challenger",
    playbook: PlaybookOption = DEMO,
    as_json: JsonOption = False,
) -> None:
    """Write the point rules learned from a model, for where no model may be used."""
    from training.commands import scorecard as run

    _run(playbook, None, as_json, lambda given: run(given.folder, given.home, version=version, out=out))


@app.command()
def promote(
    version: VersionOption = "challenger",
    force: Annotated[bool, typer.Option("--force", help="Do not ask the gate; needs --reason.")] = False,
    reason: ReasonOption = None,
    playbook: PlaybookOption = DEMO,
    exports: ExportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let the challenger serve, if the gate lets it through; else say which rule held."""
    from training.moves import promote as run

    _run(
        playbook,
        exports,
        as_json,
        lambda given: run(
            given.folder, given.home, version=version, force=force, reason=reason, progress=given.progress
        ),
    )


@app.command()
def rollback(reason: ReasonOption = None, playbook: PlaybookOption = DEMO, as_json: JsonOption = False) -> None:
    """Let the previous champion serve again."""
    from training.moves import rollback as run

    _run(playbook, None, as_json, lambda given: run(given.folder, given.home, reason=reason))


@app.command()
def history(playbook: PlaybookOption = DEMO, as_json: JsonOption = False) -> None:
    """List who moved which version to serve, when and why."""
    from training.moves import history as run

    _run(playbook, None, as_json, lambda given: run(given.folder, given.home))


@app.command()
def score(
    out: Annotated[Path, typer.Option("--out", metavar="F.parquet", help="Parquet file to write.")],
    as_of: AsOfOption = None,
    reasons: Annotated[bool, typer.Option("--reasons", help="Write every reason of every lead too.")] = False,
    playbook: PlaybookOption = DEMO,
    exports: ExportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score every lead that was open at an instant of the history."""
    from models.commands import score as run

    _run(
        playbook,
        exports,
        as_json,
        lambda given: run(
            given.folder, given.home, out=out, as_of=given.instant(as_of), reasons=reasons, progress=given.progress
        ),
    )


@app.command()
def explain(
    lead: Annotated[str, typer.Argument(help="Id of the lead.")],
    as_of: AsOfOption = None,
    playbook: PlaybookOption = DEMO,
    exports: ExportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show why a lead has its score, in points that add up."""
    from models.commands import explain as run

    _run(
        playbook,
        exports,
        as_json,
        lambda given: run(given.folder, given.home, lead_id=lead, as_of=given.instant(as_of), progress=given.progress),
    )


@app.command()
def load(playbook: PlaybookOption = DEMO, exports: ExportsOption = None, as_json: JsonOption = False) -> None:
    """Load history into the service's store."""
    from serving.commands import load as run

    _run(playbook, exports, as_json, lambda given: run(given.folder, given.home, progress=given.progress))


@app.command()
def serve(
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on; default: LEADSCORE_HOST, or else 127.0.0.1."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Port to listen on; default: LEADSCORE_PORT, or else 8000."),
    ] = None,
    playbook: PlaybookOption = DEMO,
    as_json: JsonOption = False,
) -> None:
    """Serve scores, take events and hand over leads, until Ctrl-C."""
    from serving.commands import serve as run

    _run(playbook, None, as_json, lambda given: run(given.folder, given.home, host=host, port=port))


@app.command()
def demo(
    leads: Annotated[int, typer.Option(help="How many leads to simulate.")] = 20_000,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Stop when everything is ready to serve.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on.")] = 8000,
    playbook: PlaybookOption = DEMO,
    exports: ExportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go the whole way: history, model, comparison, promotion, service."""
    console = Console(stderr=as_json)
    _run(playbook, exports, as_json, lambda given: _walk(given, leads=leads, console=console))
    if not no_serve:
        console.print(f"\n[bold]Serving[/] on http://127.0.0.1:{port}, what it can do: http://127.0.0.1:{port}/docs")
        console.print(
            "Newest handovers: curl http://127.0.0.1:8000/v1/routes   Stop with Ctrl-C.".replace("8000", str(port))
        )
        serve(host="127.0.0.1", port=port, playbook=playbook, as_json=False)


@dataclass(frozen=True, slots=True)
class Walked:
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


def _walk(given: Given, *, leads: int, console: Console) -> Walked:
    """Go from exports to a store that the promoted model has scored; the demo's own history is simulated first."""
    from data.commands import check, simulate
    from serving.rehearsal import rehearse
    from training.commands import build, compare, train
    from training.errors import PromotionRefusedError
    from training.moves import promote
    from training.results import RulesAlone

    folder, home, progress = given.folder, given.home, given.progress

    def promoted() -> Answer:
        try:
            return promote(folder, home, progress=progress)
        except PromotionRefusedError as refusal:
            return Refused(str(refusal))

    steps: dict[str, Callable[[], Answer]] = {
        "simulate": lambda: simulate(folder.exports_folder, leads=leads, seed=7, progress=progress),
        "check": lambda: check(folder, home, progress=progress),
        "build": lambda: build(folder, home, progress=progress),
        "train": lambda: train(folder, home, progress=progress),
        "compare": lambda: compare(folder, home, progress=progress),
        "promote": promoted,
        "load": lambda: rehearse(folder, home, progress=progress),
    }
    if folder.path.resolve() != DEMO or folder.exports is not None:
        del steps["simulate"]  # another company brings its own history
    answers: dict[str, Answer] = {}
    seconds: dict[str, float] = {}
    for name, step in steps.items():
        if name in {"compare", "promote"} and isinstance(answers["train"], RulesAlone):
            continue  # there is no model yet that could be
        console.print(f"\n[bold]leadscore {name}[/]")
        started = time.perf_counter()
        answers[name] = step()
        seconds[name] = round(time.perf_counter() - started, 2)
        answers[name].show(console)
    return Walked(answers, seconds)


@dataclass(frozen=True, slots=True)
class Refused:
    """A promotion that the gate held; what served before goes on serving."""

    why: str

    def as_json(self) -> dict[str, Any]:
        """Say why."""
        return {"refused": self.why}

    def show(self, console: Console) -> None:
        """Say why."""
        console.print(f"Not promoted. {self.why}", soft_wrap=True)


def _run(playbook: Path, exports: Path | None, as_json: bool, verb: Callable[[Given], Verb]) -> Verb:
    with _answering(as_json) as answer:
        folder = load_playbook(playbook, exports=exports)
        with shown() as progress:
            result = verb(Given(folder, Home.from_environment(), progress))
        answer(result)
    return result


@contextmanager
def _answering(as_json: bool) -> Iterator[Callable[[Answer], None]]:
    """Give the way to answer; turn mistakes into one clear sentence and the right exit code."""

    def answer(result: Answer) -> None:
        if as_json:
            _print_json(result.as_json())
        else:
            result.show(Console())

    try:
        yield answer
    except LeadscoreError as error:
        _refuse(str(error), as_json)
    except (PermissionError, NotADirectoryError, FileNotFoundError, FileExistsError, IsADirectoryError) as error:
        _refuse(
            f"{error.filename} cannot be used ({error.strerror}): check the path and what you may do there.", as_json
        )
    except KeyboardInterrupt:
        Console(stderr=True).print("Stopped. Nothing was left half-written.")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse(sentence: str, as_json: bool) -> NoReturn:
    if as_json:
        _print_json({"error": sentence})
    Console(stderr=True, soft_wrap=True).print(sentence, markup=False, highlight=False)
    raise typer.Exit(USER_MISTAKE) from None


def _print_json(content: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(content, allow_nan=False) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
