"""Running a verb: what it gets, and how its answer, or one sentence about a mistake, reaches people and programs."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, Protocol

import typer
from rich.console import Console

from data.company_identity import COMPANY_FILE, is_identified
from data.errors import LeadscoreError
from data.home import DEMO, Home
from data.instants import parse
from data.progress import Progress, shown
from data.words.playbook import load_playbook
from data.workspace import Workspace

USER_MISTAKE = 2
INTERRUPTED = 130
_SIGNALLED = 128
READER_LEFT = 141  # what a shell reports of a program that SIGPIPE ended


class CommandLineError(LeadscoreError):
    """The options of a command contradict each other."""


class VerbResult(Protocol):
    """What a verb returns: an answer for a program or for a person."""

    def as_json(self) -> Mapping[str, Any]:
        """Return it as one JSON object."""

    def show(self, console: Console) -> None:
        """Print it for people."""


@dataclass(frozen=True, slots=True)
class SharedOptions:
    """
    The shared options as they were given, before the verb or after it, the strongest first.

    Attributes:
        playbook: folders of the playbook.
        exports: folders of the exports.
        as_json: not empty if a program reads the answer.
        takes_exports: whether the verb reads the exports at all.
    """

    playbook: tuple[Path, ...]
    exports: tuple[Path, ...]
    as_json: tuple[bool, ...]
    takes_exports: bool = False

    def require_agreement(self) -> None:
        """
        Check that the options before the verb and those after it say the same.

        Raises:
            CommandLineError: they do not, or the verb does not take one of them.
        """
        for option, values in (("--playbook", self.playbook), ("--exports", self.exports)):
            if len({value.resolve() for value in values}) > 1:
                folders = " and ".join(map(str, reversed(values)))
                message = f"{option} is given twice, as {folders}: give it once, before the verb or after it."
                raise CommandLineError(message)
        if self.exports and not self.takes_exports:
            message = "This verb does not read the exports: leave --exports out."
            raise CommandLineError(message)


@dataclass(frozen=True)
class Context:
    """
    What every verb gets.

    Attributes:
        playbook_folder: as given, or the demo's.
        exports: folder of the exports, instead of the one the playbook names.
        progress: is told how far a long task is.
        console: for what a verb tells on its way; stderr where stdout is for a program.
        answer: ends the progress bars and prints an answer, for a verb that goes on.
    """

    playbook_folder: Path
    exports: Path | None
    progress: Progress
    console: Console
    answer: Callable[[VerbResult], None]

    @cached_property
    def workspace(self) -> Workspace:
        """The playbook, loaded and checked, and the home of what is made for it."""
        playbook = load_playbook(self.playbook_folder, exports=self.exports)
        if not is_identified(playbook.path, playbook.business):
            self.console.print(
                f"{playbook.path / COMPANY_FILE} now says which company this is: {playbook.company.shown}. "
                "Keep it with the playbook, so that other machines agree.",
                soft_wrap=True,
                markup=False,
                highlight=False,
            )
        return Workspace(playbook, Home.from_environment())

    def instant(self, text: str | None) -> int | None:
        """Read an instant in the playbook's time zone."""
        return None if text is None else parse(text, self.workspace.playbook.business.timezone)


class Output(Console):
    """A console that leaves it to the command line what happens when its reader has gone."""

    def on_broken_pipe(self) -> None:
        """Pass the error on; rich would exit with code 1."""
        raise BrokenPipeError


def run_verb(chosen: SharedOptions, verb: Callable[[Context], VerbResult | None]) -> None:
    """
    Run a verb and print its answer.

    Args:
        chosen: the shared options.
        verb: what to do.

    Raises:
        typer.Exit: it could not be done, which one sentence on stderr has said; or its answer is a failed check.
    """
    as_json = bool(chosen.as_json)

    def answer(result: VerbResult) -> None:
        bars.close()
        try:
            if as_json:
                _print_json(result.as_json())
            else:
                result.show(Output())
                sys.stdout.flush()
        except BrokenPipeError:  # the work is done; whoever reads has seen enough
            _discard_output()

    signal.signal(signal.SIGTERM, _terminate)
    with mistakes_in_a_sentence(as_json=as_json), ExitStack() as bars:
        chosen.require_agreement()
        folder, exports = next(iter(chosen.playbook), DEMO), next(iter(chosen.exports), None)
        result = verb(Context(folder, exports, bars.enter_context(shown()), Output(stderr=as_json), answer))
        if result is not None:
            answer(result)
    code = getattr(result, "exit_code", 0 if getattr(result, "passed", True) else USER_MISTAKE)
    if code:
        raise typer.Exit(code)


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    """End as on Ctrl-C: temporary folders are deleted on the way out; by itself Python would leave them."""
    raise SystemExit(_SIGNALLED + number)


@contextmanager
def mistakes_in_a_sentence(*, as_json: bool) -> Iterator[None]:
    """Turn mistakes in the block into one clear sentence and the right exit code."""
    try:
        yield
    except LeadscoreError as error:
        _refuse(str(error), as_json=as_json)
    except (PermissionError, NotADirectoryError, FileNotFoundError, FileExistsError, IsADirectoryError) as error:
        _refuse(
            f"{error.filename} cannot be used ({error.strerror}): check the path and its permissions.", as_json=as_json
        )
    except KeyboardInterrupt:
        Console(stderr=True).print("Stopped. Nothing was left half-written.")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        _discard_output()
        raise typer.Exit(READER_LEFT) from None


def _discard_output() -> None:
    """Send what is still to come nowhere, so that Python does not complain about it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse(sentence: str, *, as_json: bool) -> NoReturn:
    if as_json:
        _print_json({"error": sentence})
    Console(stderr=True, soft_wrap=True).print(sentence, markup=False, highlight=False)
    raise typer.Exit(USER_MISTAKE) from None


def _print_json(content: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(content, allow_nan=False) + "\n")
    sys.stdout.flush()
