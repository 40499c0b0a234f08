"""What every verb of the command line is given, and how it answers: in words or in JSON, mistakes in one sentence."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol, TypeVar

import typer
from rich.console import Console

from data.errors import LeadscoreError
from data.home import Home
from data.instants import parse
from data.playbook import load_playbook
from data.progress import Progress, shown
from data.workspace import Workspace

USER_MISTAKE = 2
INTERRUPTED = 130


class Answer(Protocol):
    """What a verb gives back: to be read by a program or by a person."""

    def as_json(self) -> dict[str, Any]:
        """Give it as one JSON object."""

    def show(self, console: Console) -> None:
        """Print it for people."""


Verb = TypeVar("Verb", bound=Answer)


@dataclass(frozen=True, slots=True)
class Context:
    """What every verb is given."""

    workspace: Workspace
    progress: Progress

    def instant(self, text: str | None) -> int | None:
        """Read an instant in the playbook's zone."""
        return None if text is None else parse(text, self.workspace.playbook.business.timezone)


def run_verb(playbook: Path, exports: Path | None, as_json: bool, verb: Callable[[Context], Verb]) -> Verb:
    """
    Run a verb and give its answer.

    Args:
        playbook: folder of the playbook.
        exports: folder of the exports, in place of the one the playbook names.
        as_json: whether a program reads.
        verb: what is to be done.

    Raises:
        typer.Exit: it could not be done; one clear sentence was said.
    """
    with answering(as_json) as answer:
        folder = load_playbook(playbook, exports=exports)
        with shown() as progress:
            result = verb(Context(Workspace(folder, Home.from_environment()), progress))
        answer(result)
    return result


@contextmanager
def answering(as_json: bool) -> Iterator[Callable[[Answer], None]]:
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
