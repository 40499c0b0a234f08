"""
Placing: a version is put in the champion's place by one process at a time, and never in half.

Whoever moves holds a lock, which ends with the process however that ends, and says what served when the move was
decided upon: if something else serves by now, nothing is moved.
"""

import contextlib
import fcntl
import getpass
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from data.atomic_files import append_line
from models.champion import POINTER, point_to
from training.errors import MovedMeanwhileError, RegistryError
from training.registry.promotion_history import JOURNAL, ChampionChange, ChampionHistory, read_succession

_LOCK = ".champion.lock"
_WAIT_S = 30.0
_LOOK_AGAIN_S = 0.02


@contextmanager
def moving(models: Path, *, expected: ChampionHistory | None = None) -> Iterator[ChampionHistory]:
    """
    Keep everyone else from moving the champion during the block, and give what serves.

    What an earlier process left undone is written down first.

    Args:
        models: the folder of the bundles and of the pointer.
        expected: as it was when the move was decided upon; None where any will do.

    Raises:
        MovedMeanwhileError: another version serves than was expected.
        RegistryError: the folder cannot be written, or somebody else is moving for too long.
    """
    with _locked(models):
        found = read_succession(models)
        if expected is not None and found.seen != expected.seen:
            raise _meanwhile(found)
        with _told(models):
            if found.unwritten is not None:
                _append(models, found.unwritten)
            for left in models.glob(f".{POINTER}.*"):  # of a process that was killed while it wrote
                left.unlink(missing_ok=True)
        yield replace(found, unwritten=None)


def make(models: Path, move: ChampionChange) -> str:
    """
    Make a move; only within `moving`.

    Returns:
        What could not be done though the move was made; nothing where all was.

    Raises:
        RegistryError: the pointer cannot be written, and nothing was moved.
    """
    with _told(models):
        point_to(models, replace(move.to, move=move.as_json()))
    try:
        _append(models, move)
    except OSError as error:
        return (
            f"{models / JOURNAL} cannot be written ({error.strerror or error}): champion.json keeps the move, and the "
            "next one writes it there once it can."
        )
    return ""


def mover() -> str:
    """Give who is at work: ``LEADSCORE_USER``, or else the operating system's user."""
    named = worded(os.environ.get("LEADSCORE_USER"))
    if named is not None:
        return named
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may run as a number that has no name
        return f"user {os.getuid()}"


def worded(text: str | None) -> str | None:
    r"""
    Give a text on one line and without signs that no file can hold; None where it says nothing.

    >>> worded(" fewer  calls\n wasted ")
    'fewer calls wasted'
    """
    return " ".join((text or "").encode("utf-8", "replace").decode().split()) or None


def _meanwhile(found: ChampionHistory) -> MovedMeanwhileError:
    """Say what serves by now, and who put it there where that is known."""
    last = found.moves[-1] if found.moves else None
    if last is None or last.to != found.champion:
        return MovedMeanwhileError("Another version was put in place meanwhile: run this again.")
    done = "put back" if last.action == "rollback" else "promoted"
    return MovedMeanwhileError(
        f"Version {last.to.version} was {done} by {last.who} at {last.at} meanwhile, so nothing was moved: "
        "run this again."
    )


def _append(models: Path, move: ChampionChange) -> None:
    append_line(models / JOURNAL, json.dumps(move.as_json(), sort_keys=True).encode())


@contextmanager
def _locked(models: Path) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        with _told(models):
            models.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context((models / _LOCK).open("ab"))
            _wait(lock, models)
        yield


def _wait(lock: IO[bytes], models: Path) -> None:
    """Take the lock, which ends with the process that holds it, however that ends."""
    until = time.monotonic() + _WAIT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                message = (
                    f"Somebody else has been moving the champion in {models} for {_WAIT_S:.0f} seconds: wait until "
                    "that has ended, then run this again."
                )
                raise RegistryError(message) from None
            time.sleep(_LOOK_AGAIN_S)
        else:
            return


@contextmanager
def _told(models: Path) -> Iterator[None]:
    """Turn whatever the disk refuses in the block into one sentence."""
    try:
        yield
    except OSError as error:
        message = (
            f"{models} cannot be written ({error.strerror or error}), so nothing was moved: make room there and allow "
            "writing, then run this again."
        )
        raise RegistryError(message) from None
