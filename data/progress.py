"""How far a long task is: reported by the code that works, shown on a terminal."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

Item = TypeVar("Item")


class Progress(Protocol):
    """A listener for how far each task is."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """
        Take note of how much of a task is done.

        Args:
            what: the task in words, such as ``reading leads.csv``; the same words mean the same task.
            done: how much is done, from 0.
            total: how much there is to do; 0 while that is unknown.
        """


def silent(what: str, done: int, total: int) -> None:
    """Ignore the progress."""


def tracked(items: Sequence[Item], what: str, progress: Progress) -> Iterator[Item]:
    """Yield items of a task, and report before each how many are done, and after the last that all are."""
    for done, item in enumerate(items):
        progress(what, done, len(items))
        yield item
    progress(what, len(items), len(items))


@contextmanager
def shown(console: Console | None = None) -> Iterator[Progress]:
    """
    Show a bar for each task while the block runs, on stderr, so that stdout holds results alone.

    Args:
        console: where to draw; default: stderr. Nothing is drawn if that is not a terminal.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    target = console or Console(stderr=True)
    with Bars(*columns, console=target, transient=True, disable=not target.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=None)
            bars.update(tasks[what], completed=done, total=total or None)

        yield report
