"""The verbs ``export`` and ``recheck``: the store as history to learn from, and a check of what was served."""

import secrets
from pathlib import Path

from data.instants import now_us
from data.progress import Progress, silent
from data.workspace import Workspace
from serving.feedback.export import ExportResult
from serving.feedback.export import export as write_export
from serving.feedback.reconciliation import RecheckResult
from serving.feedback.reconciliation import recheck as compare
from serving.verbs.opened_store import opened_store


def export(workspace: Workspace, *, out: Path, progress: Progress = silent) -> ExportResult:
    """
    Write the store back as Parquet in the contract's columns, or bring an earlier export up to date.

    Args:
        workspace: the playbook, and where tables and models are kept.
        out: folder of the export.
        progress: called with how many rows are written.

    Raises:
        ServingError: the store cannot be opened, or the folder holds something else.
    """
    with opened_store(workspace) as (_, database):
        return write_export(database, workspace.playbook.business, out, progress=progress)


def recheck(
    workspace: Workspace,
    *,
    sample: int = 1000,
    hours: float = 24,
    seed: int | None = None,
    progress: Progress = silent,
) -> RecheckResult:
    """
    Recompute a sample of the served scores from history, and compare every feature value.

    Args:
        workspace: the playbook, and where tables and models are kept.
        sample: how many receipts at most.
        hours: how far back the sample reaches.
        seed: of the random sample; default: a new one every time, which the result names.
        progress: called with how far it has come.

    Raises:
        ServingError: the store cannot be opened, or DuckDB is not installed.
    """
    with opened_store(workspace) as (_, database):
        return compare(
            database,
            workspace.playbook.business,
            now_us=now_us(),
            sample=sample,
            hours=hours,
            seed=secrets.randbits(32) if seed is None else seed,
            progress=progress,
        )
