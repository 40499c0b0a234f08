"""Options of the verbs that load, rename and serve a company, each with its help text."""

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
