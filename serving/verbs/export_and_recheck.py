"""What the command line does to close the loop: export the store as history, and recheck what was served."""

import secrets
from pathlib import Path

from data.instants import now_us
from data.progress import Progress, silent
from data.workspace import Workspace
from serving.feedback.export import ExportResult
from serving.feedback.export import export as write_export
from serving.feedback.reconciliation import RecheckResult
from serving.feedback.reconciliation import recheck as compare
from serving.settings import settings_for
from serving.store.database import Database


def export(workspace: Workspace, *, out: Path, progress: Progress = silent) -> ExportResult:
    """
    Write the store back as Parquet in the contract's columns, or bring an earlier export up to date.

    Args:
        workspace: the playbook, and where tables and models are kept.
        out: folder of the export.
        progress: hears how many rows are written.

    Raises:
        ServingError: the store cannot be opened, or the folder holds something else.
    """
    settings = settings_for(workspace)
    database = Database(settings.database, busy_timeout_s=settings.busy_timeout_s)
    try:
        return write_export(database, workspace.playbook.business, out, progress=progress)
    finally:
        database.close()


def recheck(
    workspace: Workspace,
    *,
    sample: int = 1000,
    hours: float = 24,
    seed: int | None = None,
    progress: Progress = silent,
) -> RecheckResult:
    """
    Compute a sample of the scores that were served anew from history, and compare every feature value.

    Args:
        workspace: the playbook, and where tables and models are kept.
        sample: how many receipts at most.
        hours: how far back they are drawn from.
        seed: of the draw; default: another one every time, which the answer says.
        progress: hears how far it has come.

    Raises:
        ServingError: the store cannot be opened, or DuckDB is not installed here.
    """
    settings = settings_for(workspace)
    drawn = secrets.randbits(32) if seed is None else seed
    database = Database(settings.database, busy_timeout_s=settings.busy_timeout_s)
    try:
        return compare(
            database,
            workspace.playbook.business,
            now_us=now_us(),
            sample=sample,
            hours=hours,
            seed=drawn,
            progress=progress,
        )
    finally:
        database.close()
