"""A folder of backups: each is a file of the engine's own format with a manifest beside it, written last."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.atomic_files import write_whole
from data.instants import iso, parse
from data.progress import Progress
from serving.backup.errors import BackupError
from serving.backup.store_summary import StoreSummary
from serving.store.database import Dialect

FORMAT = "leadscore-backup-1"
_PIECE_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class BackupManifest:
    """
    What a backup is.

    Attributes:
        playbook: the name of the business whose store it is.
        engine: the store's engine.
        file: the name of its file, in the folder of the manifest.
        taken_at: when [us since 1970 UTC].
        size_bytes: of the file.
        sha256: of the file.
        store: what the store held.
    """

    playbook: str
    engine: Dialect
    file: str
    taken_at: int
    size_bytes: int
    sha256: str
    store: StoreSummary

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "format": FORMAT,
            "playbook": self.playbook,
            "engine": self.engine,
            "file": self.file,
            "taken_at": iso(self.taken_at),
            "size_bytes": self.size_bytes,
            "sha256": self.sha256,
            **self.store.as_json(),
        }

    def write(self, folder: Path) -> None:
        """Write it beside its file in one step."""
        write_whole(folder / manifest_name(self.file), json.dumps(self.as_json(), indent=1) + "\n")


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup where it lies."""

    folder: Path
    manifest: BackupManifest

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / self.manifest.file

    def verify(self, progress: Progress) -> None:
        """
        Check that the file is as it was made.

        Raises:
            BackupError: it is gone, or was changed.
        """
        if not self.path.is_file():
            message = f"{self.path} is missing, although its manifest is there: take another backup."
            raise BackupError(message)
        found = file_sha256(self.path, progress)
        if found != self.manifest.sha256:
            message = (
                f"{self.path} has sha256 {found[:12]}, its manifest says {self.manifest.sha256[:12]}: "
                "it was changed or damaged after it was made; take another backup."
            )
            raise BackupError(message)


def manifest_name(file: str) -> str:
    """Return the name of the manifest of a backup's file."""
    return f"{file}.json"


def file_sha256(path: Path, progress: Progress) -> str:
    """Return the sha256 of a file, with its progress."""
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            done += len(piece)
            progress(f"verifying {path.name}", done, total)
    return digest.hexdigest()


def read_backup(path: Path) -> Backup:
    """
    Return the backup that a path names: its file, its manifest, or a folder, of which the newest backup counts.

    Raises:
        BackupError: there is none.
    """
    if path.is_dir():
        newest = max(backups_in(path), key=lambda backup: backup.manifest.taken_at, default=None)
        if newest is None:
            message = f"{path} holds no backup: name the folder that `leadscore backup --to` wrote to."
            raise BackupError(message)
        return newest
    manifest = path if path.name.endswith(".json") else path.with_name(manifest_name(path.name))
    if not manifest.is_file():
        message = f"{path} is no backup of leadscore ({manifest.name} is not beside it): name one, or its folder."
        raise BackupError(message)
    return Backup(manifest.parent, _read(manifest))


def backups_in(folder: Path) -> Iterator[Backup]:
    """Yield the backups in a folder; other files are passed over."""
    for path in sorted(folder.glob("*.json")):
        if _has_format(path):
            yield Backup(folder, _read(path))


def rotate(folder: Path, kept: Backup, *, keep: int) -> tuple[str, ...]:
    """
    Delete the oldest backups of a store, but nothing that no manifest names, and return the names of their files.

    Args:
        folder: of the backups.
        kept: the backup just made; only backups of the same store and playbook count.
        keep: how many to keep, this one included.
    """
    of_store = [
        backup
        for backup in backups_in(folder)
        if backup.manifest.playbook == kept.manifest.playbook
        and backup.manifest.store.epoch.store_id == kept.manifest.store.epoch.store_id
    ]
    oldest = sorted(of_store, key=lambda backup: backup.manifest.taken_at)[:-keep]
    for backup in oldest:
        backup.path.unlink(missing_ok=True)
        (folder / manifest_name(backup.manifest.file)).unlink()
    return tuple(backup.manifest.file for backup in oldest)


def _has_format(path: Path) -> bool:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("format") == FORMAT


def _read(path: Path) -> BackupManifest:
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != FORMAT or manifest_name(content["file"]) != path.name:
            message = f"{path} is the manifest of no backup that this release knows: name another backup."
            raise BackupError(message)
        return BackupManifest(
            content["playbook"],
            content["engine"],
            content["file"],
            parse(content["taken_at"]),
            int(content["size_bytes"]),
            content["sha256"],
            StoreSummary.of_json(content),
        )
    except (OSError, ValueError, KeyError, TypeError):
        message = f"{path} is damaged: it should be the manifest of a backup; name another backup."
        raise BackupError(message) from None
