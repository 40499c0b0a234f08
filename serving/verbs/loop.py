"""What the command line does to close the loop: export the store as history, and recheck what was served."""

import secrets
from pathlib import Path

from data.home import Home
from data.instants import now_us
from data.playbook import PlaybookFolder
from data.progress import Progress, silent
from serving.loop.exporting import Exported
from serving.loop.exporting import export as write_export
from serving.loop.reconciling import Rechecked
from serving.loop.reconciling import recheck as compare
from serving.settings import settings_for
from serving.store.database import Database


def export(folder: PlaybookFolder, home: Home, *, out: Path, progress: Progress = silent) -> Exported:
    """
    Write the store back as Parquet in the contract's columns, or bring an earlier export up to date.

    Args:
        folder: the playbook.
        home: where the store stands unless a setting says otherwise.
        out: folder of the export.
        progress: hears how many rows are written.

    Raises:
        ServingError: the store cannot be opened, or the folder holds something else.
    """
    settings = settings_for(folder, home)
    database = Database(settings.database, busy_timeout_s=settings.busy_timeout_s)
    try:
        return write_export(database, folder.playbook, out, progress=progress)
    finally:
        database.close()


def recheck(
    folder: PlaybookFolder,
    home: Home,
    *,
    sample: int = 1000,
    hours: float = 24,
    seed: int | None = None,
    progress: Progress = silent,
) -> Rechecked:
    """
    Compute a sample of the scores that were served anew from history, and compare every feature value.

    Args:
        folder: the playbook.
        home: where the store stands unless a setting says otherwise.
        sample: how many receipts at most.
        hours: how far back they are drawn from.
        seed: of the draw; default: another one every time, which the answer says.
        progress: hears how far it has come.

    Raises:
        ServingError: the store cannot be opened, or DuckDB is not installed here.
    """
    settings = settings_for(folder, home)
    drawn = secrets.randbits(32) if seed is None else seed
    database = Database(settings.database, busy_timeout_s=settings.busy_timeout_s)
    try:
        return compare(
            database,
            folder.playbook,
            now_us=now_us(),
            sample=sample,
            hours=hours,
            seed=drawn,
            progress=progress,
        )
    finally:
        database.close()
