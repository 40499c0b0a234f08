"""
leadscore: which leads to call first, why, and what changed since yesterday.

One line per verb; each is handed to the package that owns it.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from data.command_line import USER_MISTAKE, Answer, Context, answering, run_verb
from data.progress import shown

DEMO = Path(__file__).resolve().parent / "data" / "playbooks" / "demo"

app = typer.Typer(
    help=__doc__,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
keys = typer.Typer(help="Make, list, rotate and revoke the keys of the service's callers.", no_args_is_help=True)
app.add_typer(keys, name="keys")

PlaybookOption = Annotated[
    Path,
    typer.Option("--playbook", envvar="LEADSCORE_PLAYBOOK", help="Folder of the playbook.", show_default="the demo"),
]
ExportsOption = Annotated[
    Path | None, typer.Option("--exports", help="Folder of the exports, in place of the one the playbook names.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Give one JSON object as the last line of stdout.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Why; kept in the history of moves.")]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", metavar="T", help="Instant in ISO 8601; default: the end of the history.")
]
VersionOption = Annotated[
    str, typer.Option("--version", help="Number of a version, challenger (the newest) or champion.")
]
PlainOption = Annotated[bool, typer.Option("--plain", help="Print the secret and nothing else, for scripts.")]


@app.command()
def simulate(
    out: Annotated[Path, typer.Argument(help="Folder to write the exports and a playbook for them into.")],
    leads: Annotated[int, typer.Option(help="How many leads.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same history.")] = 7,
    until: Annotated[str | None, typer.Option(help="End of the 18 months; default: today, 00:00 UTC.")] = None,
    drift: Annotated[
        float, typer.Option(help="How far the last months differ from those before; 0 is not at all.")
    ] = 0.0,
    as_json: JsonOption = False,
    playbook: PlaybookOption = DEMO,  # noqa: ARG001 - every verb takes it; a simulation brings its own
) -> None:
    """Make the history of a B2B company whose true conversion process is known."""
    from data.commands import simulate as run

    with answering(as_json) as answer:
        with shown() as progress:
            made = run(out, leads=leads, seed=seed, until=until, drift=drift, progress=progress)
        answer(made)


@app.command()
def check(playbook: PlaybookOption = DEMO, exports: ExportsOption = None, as_json: JsonOption = False) -> None:
    """Read the exports and say everything that is wrong with them."""
    from data.commands import check as run

    result = run_verb(playbook, exports, as_json, lambda given: run(given.workspace, progress=given.progress))
    if not result.passed:
        raise typer.Exit(USER_MISTAKE)


@app.command()
def build(playbook: PlaybookOption = DEMO, exports: ExportsOption = None, as_json: JsonOption = False) -> None:
    """Turn history into a training set: snapshots, features, mature labels."""
    from training.commands import build as run

    run_verb(playbook, exports, as_json, lambda given: run(given.workspace, progress=given.progress))


@app.command()
def train(
    tune: Annotated[int, typer.Option("--tune", min=0, metavar="N", help="Try N sets of parameters first.")] = 0,
    accept_risk: Annotated[
        str | None,
        typer.Option(
            "--accept-risk", metavar="REASON", help="Go on though a gate fails; the reason is kept with the model."
        ),
    ] = None,
    playbook: PlaybookOption = DEMO,
    exports: ExportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train, judge and register a model as the challenger; write its report."""
    from training.commands import train as run

    run_verb(
        playbook,
        exports,
        as_json,
        lambda given: run(given.workspace, tune=tune, accept_risk=accept_risk, progress=given.progress),
    )


@app.command()
def compare(
    version: VersionOption = "challenger",
    playbook: PlaybookOption = DEMO,
    exports: ExportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put point rules and models on the same leads of the same weeks, at the same capacity."""
    from training.commands import compare as run

    run_verb(
        playbook,
        exports,
        as_json,
        lambda given: run(given.workspace, version=version, progress=given.progress),
    )


@app.command()
def report(
    version: VersionOption = "challenger",
    out: Annotated[Path | None, typer.Option("--out", metavar="F.html", help="Copy the report to this file.")] = None,
    playbook: PlaybookOption = DEMO,
    as_json: JsonOption = False,
) -> None:
    """Say what a training came to, and where its report and its model card are."""
    from training.commands import report as run

    run_verb(playbook, None, as_json, lambda given: run(given.workspace, version=version, out=out))


@app.command()
def scorecard(
    out: Annotated[Path, typer.Option("--out", metavar="F.yaml", help="YAML file to write.")],
    version: VersionOption = "challenger",
    playbook: PlaybookOption = DEMO,
    as_json: JsonOption = False,
) -> None:
    """Write the point rules learned from a model, for where no model may be used."""
    from training.commands import scorecard as run

    run_verb(playbook, None, as_json, lambda given: run(given.workspace, version=version, out=out))


@app.command()
def promote(
    version: VersionOption = "challenger",
    force: Annotated[bool, typer.Option("--force", help="Do not ask the gate; needs --reason.")] = False,
    reason: ReasonOption = None,
    playbook: PlaybookOption = DEMO,
    exports: ExportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let the challenger serve, if the gate lets it through; else say which rule held."""
    from training.commands import promote as run

    run_verb(
        playbook,
        exports,
        as_json,
        lambda given: run(given.workspace, version=version, force=force, reason=reason, progress=given.progress),
    )


@app.command()
def rollback(reason: ReasonOption = None, playbook: PlaybookOption = DEMO, as_json: JsonOption = False) -> None:
    """Let the previous champion serve again."""
    from training.commands import rollback as run

    run_verb(playbook, None, as_json, lambda given: run(given.workspace, reason=reason))


@app.command()
def history(playbook: PlaybookOption = DEMO, as_json: JsonOption = False) -> None:
    """List who moved which version to serve, when and why."""
    from training.commands import history as run

    run_verb(playbook, None, as_json, lambda given: run(given.workspace))


@app.command()
def score(
    out: Annotated[Path, typer.Option("--out", metavar="F.parquet", help="Parquet file to write.")],
    as_of: AsOfOption = None,
    reasons: Annotated[bool, typer.Option("--reasons", help="Write every reason of every lead too.")] = False,
    playbook: PlaybookOption = DEMO,
    exports: ExportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score every lead that was open at an instant of the history."""
    from models.commands import score as run

    run_verb(
        playbook,
        exports,
        as_json,
        lambda given: run(
            given.workspace, out=out, as_of=given.instant(as_of), reasons=reasons, progress=given.progress
        ),
    )


@app.command()
def explain(
    lead: Annotated[str, typer.Argument(help="Id of the lead.")],
    as_of: AsOfOption = None,
    playbook: PlaybookOption = DEMO,
    exports: ExportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show why a lead has its score, in points that add up."""
    from models.commands import explain as run

    run_verb(
        playbook,
        exports,
        as_json,
        lambda given: run(given.workspace, lead_id=lead, as_of=given.instant(as_of), progress=given.progress),
    )


@app.command()
def load(playbook: PlaybookOption = DEMO, exports: ExportsOption = None, as_json: JsonOption = False) -> None:
    """Load history into the service's store."""
    from serving.verbs.load_and_serve import load as run

    run_verb(playbook, exports, as_json, lambda given: run(given.workspace, progress=given.progress))


@app.command()
def serve(
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on; default: LEADSCORE_HOST, or else 127.0.0.1."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Port to listen on; default: LEADSCORE_PORT, or else 8000."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Processes that answer; default: LEADSCORE_WORKERS, or else 1."),
    ] = None,
    playbook: PlaybookOption = DEMO,
    as_json: JsonOption = False,
) -> None:
    """Serve scores, take events and hand over leads, until Ctrl-C."""
    from serving.verbs.load_and_serve import serve as run

    run_verb(
        playbook,
        None,
        as_json,
        lambda given: run(given.workspace, host=host, port=port, workers=workers),
    )


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the export; a second run updates it.")],
    playbook: PlaybookOption = DEMO,
    as_json: JsonOption = False,
) -> None:
    """Write what the service knows back as Parquet, to learn from."""
    from serving.verbs.export_and_recheck import export as run

    run_verb(playbook, None, as_json, lambda given: run(given.workspace, out=out, progress=given.progress))


@app.command()
def recheck(
    sample: Annotated[int, typer.Option(min=1, help="How many receipts at most.")] = 1000,
    hours: Annotated[float, typer.Option(min=0, help="How far back they are drawn from.")] = 24,
    seed: Annotated[int | None, typer.Option(min=0, help="Draws the same receipts again.")] = None,
    playbook: PlaybookOption = DEMO,
    as_json: JsonOption = False,
) -> None:
    """Compute a sample of what was served anew from history; exit code 2 where a value differs."""
    from serving.verbs.export_and_recheck import recheck as run

    result = run_verb(
        playbook,
        None,
        as_json,
        lambda given: run(given.workspace, sample=sample, hours=hours, seed=seed, progress=given.progress),
    )
    if not result.passed:
        raise typer.Exit(USER_MISTAKE)


@app.command()
def deploy(
    version: Annotated[
        str | None,
        typer.Option("--version", help="champion, challenger, a version's number or a bundle's folder."),
    ] = None,
    shadow: Annotated[
        bool | None,
        typer.Option("--shadow/--no-shadow", help="Only compare it with the champion; or take the shadow away."),
    ] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="URL", help="A service; default: the store itself.")] = None,
    key: Annotated[str | None, typer.Option("--key", envvar="LEADSCORE_KEY", help="Opens the service.")] = None,
    playbook: PlaybookOption = DEMO,
    as_json: JsonOption = False,
) -> None:
    """Hand a model to the service, which lets it answer within two seconds in every process."""
    from serving.verbs.deploy import deploy as run

    run_verb(
        playbook,
        None,
        as_json,
        lambda given: run(given.workspace, version=version, shadow=shadow, to=to, key=key),
    )


@app.command()
def erase(
    lead: Annotated[str, typer.Argument(help="Any id of the person.")],
    vacuum: Annotated[bool, typer.Option("--vacuum", help="Write PostgreSQL's tables anew too; writes wait.")] = False,
    playbook: PlaybookOption = DEMO,
    as_json: JsonOption = False,
) -> None:
    """Erase a lead: from the store, and from what was made of it on this machine."""
    from serving.verbs.person import erase_lead as run

    run_verb(playbook, None, as_json, lambda given: run(given.workspace, lead, vacuum=vacuum))


@app.command()
def dossier(
    lead: Annotated[str, typer.Argument(help="Any id of the person.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="F.md", help="File to write it to, with all rows.")
    ] = None,
    playbook: PlaybookOption = DEMO,
    as_json: JsonOption = False,
) -> None:
    """Tell all that is held about a lead, and the logic of its score in plain words."""
    from serving.verbs.person import tell_dossier as run

    run_verb(playbook, None, as_json, lambda given: run(given.workspace, lead, out=out))


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Who will hold it, such as crm.")],
    scope: Annotated[
        list[str],
        typer.Option(
            "--scope",
            help="What it may do, given once or several times: "
            "events:write, scores:read, routes:write, models:write, or admin, which is everything.",
        ),
    ],
    expires_days: Annotated[
        float | None, typer.Option("--expires-days", metavar="N", help="After how many days it ends; default: never.")
    ] = None,
    plain: PlainOption = False,
    playbook: PlaybookOption = DEMO,
    as_json: JsonOption = False,
) -> None:
    """Make a key; its secret is shown this once."""
    from serving.verbs.manage_keys import PlainSecret, create

    def make(given: Context) -> Answer:
        made = create(given.workspace, name, scopes=scope, expires_days=expires_days)
        return PlainSecret(made) if plain else made

    run_verb(playbook, None, as_json, make)


@keys.command("list")
def list_keys(playbook: PlaybookOption = DEMO, as_json: JsonOption = False) -> None:
    """Show every key that was made, without its secret."""
    from serving.verbs.manage_keys import listed

    run_verb(playbook, None, as_json, lambda given: listed(given.workspace))


@keys.command("rotate")
def rotate_key(
    key_id: Annotated[str, typer.Argument(help="The key, as `leadscore keys list` names it.")],
    overlap_hours: Annotated[
        float, typer.Option("--overlap-hours", metavar="H", help="For how long the old one still opens.")
    ] = 24,
    plain: PlainOption = False,
    playbook: PlaybookOption = DEMO,
    as_json: JsonOption = False,
) -> None:
    """Make a key that takes another's place; both open until the overlap has passed."""
    from serving.verbs.manage_keys import PlainSecret, rotate

    def make(given: Context) -> Answer:
        made = rotate(given.workspace, key_id, overlap_hours=overlap_hours)
        return PlainSecret(made) if plain else made

    run_verb(playbook, None, as_json, make)


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The key, as `leadscore keys list` names it.")],
    playbook: PlaybookOption = DEMO,
    as_json: JsonOption = False,
) -> None:
    """Let a key open nothing any more."""
    from serving.verbs.manage_keys import revoke

    run_verb(playbook, None, as_json, lambda given: revoke(given.workspace, key_id))


@app.command()
def demo(
    leads: Annotated[int, typer.Option(help="How many leads to simulate.")] = 20_000,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Stop when everything is ready to serve.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on.")] = 8000,
    playbook: PlaybookOption = DEMO,
    exports: ExportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go the whole way: history, model, comparison, promotion, service."""
    console = Console(stderr=as_json)
    from demonstration import demo_key, walk

    simulated = playbook.resolve() == DEMO and exports is None  # another company brings its own history
    run_verb(playbook, exports, as_json, lambda given: walk(given, leads=leads, simulated=simulated, console=console))
    if not no_serve:
        key = demo_key(playbook)
        console.print(f"\n[bold]Serving[/] on http://127.0.0.1:{port}, what it can do: http://127.0.0.1:{port}/docs")
        console.print("Newest handovers (Ctrl-C stops the service):", highlight=False)
        console.print(
            f'  curl -H "Authorization: Bearer {key}" http://127.0.0.1:{port}/v1/routes',
            soft_wrap=True,
            highlight=False,
        )
        serve(host="127.0.0.1", port=port, playbook=playbook, as_json=False)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
