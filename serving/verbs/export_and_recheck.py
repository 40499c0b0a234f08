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
    """Write the store back as Parquet in the contract's columns, or bring an earlier export up to date."""
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
    Recompute a sample of the scores served in the last hours from history, and compare every feature value.

    Without a seed there is a new sample every time, whose seed the result names.

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
