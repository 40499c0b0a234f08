"""Options of the verbs that run the service of a company, each with its help text."""

from pathlib import Path
from typing import Annotated

import typer

NewName = Annotated[str, typer.Argument(help="The new name: small letters, digits and _.")]
KeepStored = Annotated[
    bool, typer.Option("--keep-stored", help="Accept that rows in conflict with the store are left out.")
]
Host = Annotated[str | None, typer.Option(help="Address to listen on; default: LEADSCORE_HOST, or else 127.0.0.1.")]
Port = Annotated[
    int | None, typer.Option(min=0, max=65_535, help="Port to listen on; default: LEADSCORE_PORT, or else 8000.")
]
Workers = Annotated[
    int | None, typer.Option(min=1, max=64, help="Processes that answer; default: LEADSCORE_WORKERS, or else 1.")
]
BackupFolder = Annotated[Path, typer.Option(metavar="FOLDER", help="Folder of the backups; made if there is none.")]
Keep = Annotated[int | None, typer.Option(min=1, metavar="N", help="Delete the oldest beyond N; default: keep all.")]
BackupPath = Annotated[Path, typer.Argument(help="A backup, or the folder of backups, of which the newest counts.")]
Yes = Annotated[bool, typer.Option("--yes", help="Go on without asking.")]
Sample = Annotated[int, typer.Option(min=1, help="How many receipts to check at most.")]
Hours = Annotated[float, typer.Option(min=0, help="How far back they may lie.")]
Seed = Annotated[int | None, typer.Option(min=0, help="The same seed checks the same receipts.")]
