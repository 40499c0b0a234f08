"""Taking a backup: copied, verified, described, and only then put into its folder; the oldest ones go."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from data.atomic_files import new_file
from data.instants import from_us, iso, now_us
from data.progress import Progress, silent
from serving.backup.backup_folder import Backup, BackupManifest, file_sha256, rotate
from serving.backup.engine_copy import copy_store
from serving.backup.errors import BackupError
from serving.store.database import Database

_ENDINGS = {"sqlite": "db", "postgres": "dump"}


@dataclass(frozen=True, slots=True)
class BackupResult:
    """A backup that was taken, and the files of older ones that were deleted."""

    backup: Backup
    deleted: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the manifest, with where the file is."""
        return {**self.backup.manifest.as_json(), "path": str(self.backup.path), "deleted": list(self.deleted)}

    def show(self, console: Console) -> None:
        """Print it."""
        manifest = self.backup.manifest
        facts = sum(manifest.store.tables[name].rows for name in ("lead_versions", "activities", "outcomes"))
        lines = [
            f"{self.backup.path}, taken at {iso(manifest.taken_at)} and verified.",
            f"It holds {facts:,} facts of {manifest.store.epoch} in {manifest.size_bytes:,} bytes.",
            "It holds personal data: encrypt it, and let it expire.",
            *(f"deleted: {name}" for name in self.deleted),
        ]
        for line in lines:
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def take_backup(
    database: Database, playbook: str, folder: Path, *, keep: int | None = None, progress: Progress = silent
) -> BackupResult:
    """
    Take a backup of a store while the service runs.

    Args:
        database: the store.
        playbook: the name of the business.
        folder: where to; it is made if there is none.
        keep: how many backups of this store to keep, this one included; default: all.
        progress: told how far it is.

    Raises:
        BackupError: it cannot be made.
    """
    at = now_us()
    name = f"{playbook}-{from_us(at):%Y%m%dT%H%M%S-%fZ}.{_ENDINGS[database.dialect]}"
    try:
        with new_file(folder / name) as draft:
            store = copy_store(database, draft, progress)
            size, sha256 = draft.stat().st_size, file_sha256(draft, progress)
        backup = Backup(folder, BackupManifest(playbook, database.dialect, name, at, size, sha256, store))
        backup.manifest.write(folder)
    except OSError as error:
        message = f"{folder} cannot hold a backup ({error.strerror or error}): name a folder with enough room."
        raise BackupError(message) from None
    return BackupResult(backup, () if keep is None else rotate(folder, backup, keep=keep))
