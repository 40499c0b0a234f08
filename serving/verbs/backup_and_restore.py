"""The verbs ``backup`` and ``restore``."""

import sys
from pathlib import Path

import typer
from rich.console import Console

from data.progress import Progress, silent
from data.workspace import Workspace
from serving.backup.backup_folder import read_backup
from serving.backup.errors import RestoreError
from serving.backup.restore import Restore, RestoreResult
from serving.backup.taking import BackupResult, take_backup
from serving.settings import settings_for
from serving.verbs.opened_store import opened_store


def backup(workspace: Workspace, *, to: Path, keep: int | None = None, progress: Progress = silent) -> BackupResult:
    """
    Take a backup of the store, which may be in use, and delete the oldest ones beyond ``keep``.

    Raises:
        BackupError: it cannot be made.
        ServingError: the store cannot be opened.
    """
    with opened_store(workspace) as (_, database):
        return take_backup(database, workspace.playbook.business.name, to, keep=keep, progress=progress)


def restore(
    workspace: Workspace, path: Path, *, yes: bool, console: Console, progress: Progress = silent
) -> RestoreResult:
    """
    Put a backup in the store's place, after saying what is lost and being told to go on.

    Args:
        workspace: the playbook, and where tables and models are kept.
        path: the backup's file, its manifest, or the folder of backups, of which the newest counts.
        yes: go on without asking.
        console: says what is lost.
        progress: told how far it is.

    Raises:
        BackupError: the backup is not as it was made.
        RestoreError: a service runs on the store, or nobody said yes.
    """
    name = workspace.playbook.business.name
    prepared = Restore(settings_for(workspace), read_backup(path), playbook=name, progress=progress)
    for sentence in prepared.losses.sentences():
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    if not yes and not _is_wanted():
        message = "Nothing was changed: add --yes to put the backup in the store's place."
        raise RestoreError(message)
    return prepared.run()


def _is_wanted() -> bool:
    """Ask on a terminal; without one, nobody can say yes."""
    return sys.stdin.isatty() and typer.confirm("Put the backup in the store's place?", err=True)
