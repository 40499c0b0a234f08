"""
The champion's pointer: one process at a time puts a version in the champion's place, and never in half.

A process that changes the champion holds a lock, which ends with the process however that ends. It names what served
when it decided on the change: if something else serves by now, nothing is changed.
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

from data.atomic_files import append_line, drafts_of
from models.champion import POINTER, point_to
from training.errors import ChampionChangedError, RegistryError
from training.registry.promotion_history import JOURNAL, ChampionChange, ChampionHistory, read_champion_history

_LOCK = ".champion.lock"
_WAIT_S = 30.0
_RETRY_S = 0.02


@contextmanager
def locked_history(models: Path, *, expected: ChampionHistory | None = None) -> Iterator[ChampionHistory]:
    """
    Keep other processes from changing the champion during the block, and yield what serves.

    A change that an earlier process left out of the journal is written there first.

    Args:
        models: the folder of the bundles and of the pointer.
        expected: the history when the change was decided on; None where any will do.

    Raises:
        ChampionChangedError: another version serves than was expected.
        RegistryError: the folder cannot be written, or another process holds the lock for too long.
    """
    with _locked(models):
        history = read_champion_history(models)
        if expected is not None and history.seen != expected.seen:
            raise _changed_meanwhile(history)
        with _errors_as_sentences(models):
            if history.unwritten is not None:
                _append(models, history.unwritten)
            for draft in drafts_of(models / POINTER):  # of a process that was killed while it wrote
                draft.unlink(missing_ok=True)
        yield replace(history, unwritten=None)


def write_change(models: Path, change: ChampionChange) -> str:
    """
    Change the champion; only within `locked_history`.

    Returns:
        What could not be done although the champion was changed; empty where everything was.

    Raises:
        RegistryError: the pointer cannot be written, and nothing was changed.
    """
    with _errors_as_sentences(models):
        point_to(models, replace(change.to, move=change.as_json()))
    try:
        _append(models, change)
    except OSError as error:
        return (
            f"{models / JOURNAL} cannot be written ({error.strerror or error}): champion.json keeps the change, and "
            "the next promotion or rollback writes it there once it can."
        )
    return ""


def current_user() -> str:
    """Return who is at work: ``LEADSCORE_USER``, or else the operating system's user."""
    named = one_line(os.environ.get("LEADSCORE_USER"))
    if named is not None:
        return named
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may run as a number that has no name
        return f"user {os.getuid()}"


def one_line(text: str | None) -> str | None:
    r"""
    Return a text on one line and without characters that no file can hold; None where it is empty.

    >>> one_line(" fewer  calls\n wasted ")
    'fewer calls wasted'
    """
    return " ".join((text or "").encode("utf-8", "replace").decode().split()) or None


def _changed_meanwhile(history: ChampionHistory) -> ChampionChangedError:
    """Name what serves by now, and who put it there where that is known."""
    last = history.changes[-1] if history.changes else None
    if last is None or last.to != history.champion:
        return ChampionChangedError("Another version was put in place meanwhile: run this again.")
    done = "put back" if last.action == "rollback" else "promoted"
    return ChampionChangedError(
        f"Version {last.to.version} was {done} by {last.who} at {last.at} meanwhile, so nothing was changed: "
        "run this again."
    )


def _append(models: Path, change: ChampionChange) -> None:
    append_line(models / JOURNAL, json.dumps(change.as_json(), sort_keys=True).encode())


@contextmanager
def _locked(models: Path) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        with _errors_as_sentences(models):
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
                    f"Another process has been changing the champion in {models} for {_WAIT_S:.0f} seconds: wait "
                    "until it has ended, then run this again."
                )
                raise RegistryError(message) from None
            time.sleep(_RETRY_S)
        else:
            return


@contextmanager
def _errors_as_sentences(models: Path) -> Iterator[None]:
    """Turn an error of the disk in the block into one sentence."""
    try:
        yield
    except OSError as error:
        message = (
            f"{models} cannot be written ({error.strerror or error}), so nothing was changed: make room there and "
            "allow writing, then run this again."
        )
        raise RegistryError(message) from None
