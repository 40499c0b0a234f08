"""
Restoring: a backup takes the store's place, and what must last is done again.

Nothing is deleted: the store that was there stays beside. The restored one is made ready first (its epoch, erasures and
revocations), and only then put in place; on PostgreSQL, whose tables are restored in place, no service runs meanwhile.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from data.atomic_files import sync
from data.instants import from_us, now_us
from data.progress import Progress, silent
from serving.backup.backup_folder import Backup
from serving.backup.engine_copy import address_of, postgres_program, run_program
from serving.backup.errors import RestoreError
from serving.backup.ledger_replay import ReplayedActs, acts_in_store, replay_ledger
from serving.backup.losses import Losses, compare_with_ledger, compare_with_store
from serving.backup.replaced_tables import ReplacedTables
from serving.errors import StoreError
from serving.settings import Settings
from serving.store.database import Database
from serving.store.epoch import StoreEpoch, begin_epoch, epoch_of
from serving.store.leases import WORKER, living_holder
from serving.store.ledger import LedgerEntry, append_entries, read_ledger
from serving.store.writes_in_flight import SLOTS_SUFFIX, living_processes

_PIECE_BYTES = 4 * 2**20
_RUNNING = "stop every service and command on it (systemctl stop leadscore), then restore."


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """
    A restore that was done.

    Attributes:
        backup: what was restored.
        store: the store and its new epoch.
        losses: what was lost.
        replayed: what was erased and revoked again.
        replaced: where the store that was there is; empty if there was none.
    """

    backup: Backup
    store: StoreEpoch
    losses: Losses
    replayed: ReplayedActs
    replaced: str

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "backup": str(self.backup.path),
            "store_id": self.store.store_id,
            "epoch": self.store.number,
            **self.losses.as_json(),
            "erased_again": self.replayed.erased,
            "ended_keys": list(self.replayed.ended_keys),
            "replaced": self.replaced or None,
        }

    def show(self, console: Console) -> None:
        """Print it."""
        lines = [f"Restored from {self.backup.path}: {self.store}."]
        lines += [f"Erased again: {self.replayed.erased:,} leads."] if self.replayed.erased else []
        lines += [f"Ended again: keys {', '.join(self.replayed.ended_keys)}."] if self.replayed.ended_keys else []
        if self.replaced:
            lines.append(f"The store that was there is kept as {self.replaced}: delete it when you no longer need it.")
        lines.append("Name a new folder to `leadscore export`: it leaves those of earlier epochs alone.")
        for line in lines:
            console.print(line, markup=False, highlight=False, soft_wrap=True)


class Restore:
    """
    A restore that is being prepared: first what it would lose, then the deed.

    Args:
        settings: of the store.
        backup: read from its folder.
        playbook: the name of the business.
        progress: told how far it is.

    Raises:
        RestoreError: a service runs on the store, or the backup is of another business or engine.
        BackupError: the backup is not as it was made, or a program of PostgreSQL is missing.
    """

    def __init__(self, settings: Settings, backup: Backup, *, playbook: str, progress: Progress = silent) -> None:
        self._settings, self._backup, self._progress = settings, backup, progress
        self._file = settings.database_file
        manifest = backup.manifest
        engine = "postgres" if self._file is None else "sqlite"
        if (manifest.playbook, manifest.engine) != (playbook, engine):
            message = (
                f"{backup.path} is of the playbook {manifest.playbook} on {manifest.engine}, and the settings name a"
                f" store of {playbook} on {engine}: name the backup that belongs to it."
            )
            raise RestoreError(message)
        if self._file is None:
            postgres_program("pg_restore")
        elif others := living_processes(self._file):
            message = f"{self._file} is in use by process {', '.join(map(str, others))}: {_RUNNING}"
            raise RestoreError(message)
        backup.verify(progress)
        self._ledger = read_ledger(settings.ledger_file, manifest.store.epoch.store_id)
        self._epoch = self._newest_noted()
        self._acts = list(self._ledger.entries)
        self.losses = self._compared()

    def run(self) -> RestoreResult:
        """
        Put the backup in the store's place, in a new epoch, and erase and revoke again what was since.

        Raises:
            BackupError: PostgreSQL refused; the store is as it was.
            LedgerError: the ledger cannot be written; the store is as it was.
        """
        store = StoreEpoch(self._backup.manifest.store.epoch.store_id, self._epoch + 1)
        entry = LedgerEntry("restore", (), store.store_id, store.number, now_us(), says=self._backup.manifest.file)
        append_entries(self._settings.ledger_file, [entry])  # an epoch that never began does no harm
        put = self._put_file if self._file is not None else self._put_tables
        replaced, replayed = put(store)
        return RestoreResult(self._backup, store, self.losses, replayed, replaced)

    def _newest_noted(self) -> int:
        noted = [entry.epoch for entry in self._ledger.entries]
        return max([self._backup.manifest.store.epoch.number, *noted])

    def _compared(self) -> Losses:
        """Compare the backup with the present store, and remember its epoch and what must be done again."""
        manifest = self._backup.manifest
        if self._file is not None and not self._file.exists():
            return compare_with_ledger(manifest, self._ledger, "there is no store to compare with")
        try:
            database = Database(self._settings.database, busy_timeout_s=self._settings.busy_timeout_s)
        except StoreError as error:
            if self._file is None:
                raise
            return compare_with_ledger(manifest, self._ledger, str(error).rstrip("."))
        try:
            with database.reading() as connection:
                if holder := living_holder(connection, WORKER, now_us()):
                    message = f"a service runs on {database.display_url} ({holder}): {_RUNNING}"
                    raise RestoreError(message)
                present = epoch_of(connection)
                if present.store_id == manifest.store.epoch.store_id:
                    self._epoch = max(self._epoch, present.number)
                    self._acts += acts_in_store(connection)  # also those of other machines, and of before the ledger
                return compare_with_store(manifest, connection, self._ledger)
        finally:
            database.close()

    def _made_ready(self, url: str, store: StoreEpoch) -> ReplayedActs:
        """Migrate what was restored, begin its epoch, and replay the ledger on it."""
        database = Database(url, busy_timeout_s=self._settings.busy_timeout_s)
        try:
            with database.writing() as connection:
                begin_epoch(connection, store.number)
            return replay_ledger(database, self._acts)
        finally:
            database.close()

    def _put_file(self, store: StoreEpoch) -> tuple[str, ReplayedActs]:
        assert self._file is not None  # noqa: S101 - a store on SQLite; tells the type checker
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_name(f".{self._file.name}.restoring")
        try:
            _copy(self._backup.path, draft, self._progress)
            replayed = self._made_ready(str(draft), store)
            replaced = self._set_aside(self._file)
            draft.replace(self._file)
            sync(self._file.parent)
        finally:
            for ending in ("", "-wal", "-shm", SLOTS_SUFFIX):
                draft.with_name(draft.name + ending).unlink(missing_ok=True)
        return replaced, replayed

    def _set_aside(self, file: Path) -> str:
        """Move the store that is there beside; its log first, so that no other file is ever read with it."""
        aside = file.with_name(f"{file.stem}.replaced-{_stamp()}{file.suffix}")
        for ending in ("-wal", "-shm", ""):
            part = file.with_name(file.name + ending)
            if part.exists():
                part.replace(aside.with_name(aside.name + ending))
        return str(aside) if aside.exists() else ""

    def _put_tables(self, store: StoreEpoch) -> tuple[str, ReplayedActs]:
        database = Database(self._settings.database, busy_timeout_s=self._settings.busy_timeout_s)
        replaced = ReplacedTables(database, f"leadscore_replaced_{_stamp().lower()}")
        try:
            with replaced.set_aside():
                self._restore_tables(database)
        finally:
            database.close()
        return f"schema {replaced.schema}", self._made_ready(self._settings.database, store)

    def _restore_tables(self, database: Database) -> None:
        options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
        command = [postgres_program("pg_restore"), *options, f"--dbname={address_of(database.url)}"]
        run_program([*command, str(self._backup.path)], database.url, self._backup.path, self._progress)


def _copy(source: Path, target: Path, progress: Progress) -> None:
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    done, total = 0, source.stat().st_size
    with source.open("rb") as original, target.open("wb") as copy:
        while piece := original.read(_PIECE_BYTES):
            copy.write(piece)
            done += len(piece)
            progress("copying the backup", done, total)
    sync(target)


def _stamp() -> str:
    return f"{from_us(now_us()):%Y%m%dT%H%M%S}"
