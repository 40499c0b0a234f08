"""Options and arguments that several verbs of the command line take, each with one name and one help text."""

from pathlib import Path
from typing import Annotated

import typer

PlaybookFolder = Annotated[
    Path | None,
    typer.Option("--playbook", envvar="LEADSCORE_PLAYBOOK", help="Folder of the playbook.", show_default="the demo"),
]
ExportsFolder = Annotated[
    Path | None, typer.Option("--exports", help="Folder of the exports, instead of the one the playbook names.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of stdout.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Why; kept in the history of promotions.")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="TIME", help="In ISO 8601; default: the end of the history.")
]
Version = Annotated[str, typer.Option("--version", help="A version's number, challenger (the newest) or champion.")]
Plain = Annotated[bool, typer.Option("--plain", help="Print only the secret, for scripts.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Also replace files that somebody changed.")]
LeadId = Annotated[str, typer.Argument(help="Id of the lead.")]
PersonId = Annotated[str, typer.Argument(help="Any id of the person.")]
ExpiresDays = Annotated[
    float | None, typer.Option("--expires-days", metavar="N", help="Days until it expires; default: never.")
]
Ranges = Annotated[
    list[str] | None,
    typer.Option("--from", metavar="RANGE", help="Addresses it may be used from, such as 10.0.0.0/8. May be repeated."),
]
KeyId = Annotated[str, typer.Argument(help="Id of the key, from `leadscore keys list`.")]
