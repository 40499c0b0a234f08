"""
The ledger: what must outlive the store, in a file beside it.

A backup knows nothing of what came after it: leads that were erased, keys that were revoked, models that were deployed.
So each of these acts is also a line of a file outside the store, on the disk before the transaction commits. It names
no lead: an erased lead is the keyed hash of its id, under the secret in the store.
"""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine, event

from data.atomic_files import append_line
from data.instants import now_us
from serving.store.epoch import epoch_of
from serving.unready_errors import LedgerError

Act = Literal["erase", "revoke", "expire", "deploy", "restore"]
_NOTED = "leadscore_ledger"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """
    One act.

    Attributes:
        act: what was done; ``expire`` ends a key that was rotated.
        targets: keyed hashes of the leads, the key's id, or the role and the scorer's fingerprint.
        store_id: the store.
        epoch: its epoch then; of a restore, the new one.
        at: when it was noted [us since 1970 UTC].
        until: when a rotated key ends [us since 1970 UTC].
        says: what people call the scorer, the key that took another's place, or the backup.
    """

    act: Act
    targets: tuple[str, ...]
    store_id: str
    epoch: int
    at: int
    until: int | None = None
    says: str = ""


@dataclass(frozen=True, slots=True)
class LedgerContent:
    """What the ledger holds about a store, and how many of its lines cannot be read."""

    entries: tuple[LedgerEntry, ...]
    damaged: int


def note(connection: Connection, act: Act, targets: Iterable[str], *, until: int | None = None, says: str = "") -> None:
    """Note an act in the ledger, together with the transaction that does it, and only if that commits."""
    store = epoch_of(connection)
    entry = LedgerEntry(act, tuple(targets), store.store_id, store.number, now_us(), until, says)
    connection.info.setdefault(_NOTED, []).append(entry)


def keep_ledger(engine: Engine, path: Path | None) -> None:
    """Write what transactions of an engine note, each time just before they commit; None keeps no ledger."""

    @event.listens_for(engine, "commit")
    def _on_commit(connection: Connection) -> None:
        entries = connection.info.pop(_NOTED, [])
        if path is not None and entries:
            append_entries(path, entries)

    @event.listens_for(engine, "rollback")
    def _on_rollback(connection: Connection) -> None:
        if not connection.invalidated:  # what a connection that broke had noted is gone with it
            connection.info.pop(_NOTED, None)


def append_entries(path: Path, entries: Iterable[LedgerEntry]) -> None:
    """
    Append acts to a ledger; they are on the disk when this returns.

    Raises:
        LedgerError: the file cannot be written.
    """
    lines = [json.dumps(asdict(entry), ensure_ascii=False) for entry in entries]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        append_line(path, "\n".join(lines).encode())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = (
            f"The ledger outside the store cannot be written ({reason}), so nothing was done: make its folder writable,"
            " or name another file in LEADSCORE_LEDGER."
        )
        raise LedgerError(message) from None


def read_ledger(path: Path, store_id: str) -> LedgerContent:
    """
    Read what a ledger holds about a store; nothing where there is no file.

    A line that a crash cut off belongs to a transaction that never committed.
    """
    entries, damaged = list[LedgerEntry](), 0
    lines = path.read_bytes().splitlines() if path.exists() else []
    for line in filter(None, lines):
        try:
            entry = LedgerEntry(**json.loads(line))
        except (ValueError, TypeError):
            damaged += 1
            continue
        if entry.store_id == store_id:
            entries.append(replace(entry, targets=tuple(entry.targets)))
    return LedgerContent(tuple(entries), damaged)
