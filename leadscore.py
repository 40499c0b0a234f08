"""
Which leads to call first, why, and what changed since yesterday.

Options of the playbook may stand before the verb or after it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import own_packages  # noqa: F401 - first of ours: refuses packages of other projects that have the names of ours
from data.home import DEMO
from data.service_options import (
    BackupFolder,
    BackupPath,
    Host,
    Hours,
    Keep,
    KeepStored,
    NewName,
    Port,
    Sample,
    Seed,
    Workers,
    Yes,
)
from data.verb_options import AsOf, LeadId, Overwrite, PersonId, Reason, Version
from data.verbs import command_line, verb
from key_commands import keys

if TYPE_CHECKING:
    from data.command_line import Context, VerbResult

__all__ = ["DEMO", "app", "main"]

app = command_line(__doc__)
START = "Start here"
MARKETING = "Marketing operations: train, evaluate and promote a model"
ANALYSTS = "Analysts: compare the point rules with the model"
SALES = "Sales: whom to call, and why"
OPERATIONS = "Operations: run the service"
PRIVACY = "Data protection: what is held about a person"

app.add_typer(keys, name="keys", help="Make, list, rotate and revoke keys of the service.", rich_help_panel=OPERATIONS)


@verb(app, START, exports=True)
def demo(
    context: "Context",
    leads: Annotated[int, typer.Option(help="How many leads to simulate.")] = 20_000,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Stop when everything is ready to serve.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on.")] = 8000,
) -> "VerbResult | None":
    """Go the whole way: history, model, comparison, promotion, service."""
    from demonstration import serve_demo, walk

    steps = walk(context, leads=leads)
    if no_serve:
        return steps
    serve_demo(context, steps, port=port)
    return None


@verb(app, START)
def simulate(
    context: "Context",
    out: Annotated[Path, typer.Argument(help="Folder for the exports and a playbook that reads them.")],
    leads: Annotated[int, typer.Option(help="How many leads.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same history.")] = 7,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="End of the 18 months; default: today, 00:00 UTC.")
    ] = None,
    drift: Annotated[float, typer.Option(help="How far the last months differ from the others; 0: not at all.")] = 0.0,
    overwrite: Overwrite = False,
) -> "VerbResult":
    """Make up a B2B company and its history, whose true conversion process is known."""
    from data.commands import simulate as run

    return run(out, leads=leads, seed=seed, until=until, drift=drift, overwrite=overwrite, progress=context.progress)


@verb(app, START, exports=True)
def check(context: "Context") -> "VerbResult":
    """Read the exports and report everything that is wrong with them."""
    from data.commands import check as run

    return run(context.workspace, progress=context.progress)


@verb(app, START)
def draft(
    context: "Context",
    files: Annotated[list[Path], typer.Argument(help="The files that your CRM and other tools exported.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="New folder for the playbook.")],
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: take the safe answers, and mark them.")] = False,
) -> "VerbResult":
    """Draft a playbook that reads your files, asking only what they leave open."""
    from data.drafting.commands import draft as run

    return run(files, out=out, asks=not yes, console=context.console, progress=context.progress)


@verb(app, MARKETING, exports=True)
def build(context: "Context") -> "VerbResult":
    """Turn history into a training set: snapshots, features, mature labels."""
    from training.commands import build as run

    return run(context.workspace, progress=context.progress)


@verb(app, MARKETING, exports=True)
def train(
    context: "Context",
    tune: Annotated[int, typer.Option(min=0, metavar="N", help="Try N sets of hyperparameters first.")] = 0,
    accept_risk: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Continue although a gate fails; the reason is kept with the model."),
    ] = None,
) -> "VerbResult":
    """Train and evaluate a model, register it as the challenger, and write its report."""
    from training.commands import train as run

    return run(context.workspace, tune=tune, accept_risk=accept_risk, progress=context.progress)


@verb(app, MARKETING)
def report(
    context: "Context",
    version: Version = "challenger",
    out: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Copy the report to this file.")] = None,
    overwrite: Overwrite = False,
) -> "VerbResult":
    """Summarise a training, and print where its report and model card are."""
    from training.commands import report as run

    return run(context.workspace, version=version, out=out, overwrite=overwrite)


@verb(app, MARKETING, exports=True)
def promote(
    context: "Context",
    version: Version = "challenger",
    force: Annotated[bool, typer.Option("--force", help="Skip the promotion gate; needs --reason.")] = False,
    reason: Reason = None,
) -> "VerbResult":
    """Make the challenger the champion if it passes the promotion gate; else print why not."""
    from training.commands import promote as run

    return run(context.workspace, version=version, force=force, reason=reason, progress=context.progress)


@verb(app, MARKETING)
def rollback(context: "Context", reason: Reason = None) -> "VerbResult":
    """Make the previous champion serve again."""
    from training.commands import rollback as run

    return run(context.workspace, reason=reason)


@verb(app, MARKETING)
def history(context: "Context") -> "VerbResult":
    """List who promoted which version, when and why."""
    from training.commands import history as run

    return run(context.workspace)


@verb(app, MARKETING)
def deploy(
    context: "Context",
    version: Annotated[
        str | None, typer.Option("--version", help="champion, challenger, a version's number or a bundle's folder.")
    ] = None,
    shadow: Annotated[
        bool | None,
        typer.Option("--shadow/--no-shadow", help="Only compare it with the champion; or remove the shadow."),
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="URL", help="A running service; default: the store itself.")] = None,
    key: Annotated[str | None, typer.Option(envvar="LEADSCORE_KEY", help="API key for the service.")] = None,
) -> "VerbResult":
    """Hand a model to the service; every process answers with it within two seconds."""
    from serving.verbs.deploy import deploy as run

    return run(context.workspace, version=version, shadow=shadow, to=to, key=key)


@verb(app, ANALYSTS, exports=True)
def compare(context: "Context", version: Version = "challenger") -> "VerbResult":
    """Replay point rules and models on the same leads and weeks, at the same capacity."""
    from training.commands import compare as run

    return run(context.workspace, version=version, progress=context.progress)


@verb(app, ANALYSTS)
def scorecard(
    context: "Context",
    out: Annotated[Path, typer.Option(metavar="FILE.yaml", help="YAML file to write.")],
    version: Version = "challenger",
    overwrite: Overwrite = False,
) -> "VerbResult":
    """Write the point rules distilled from a model, for use where no model is allowed."""
    from training.commands import scorecard as run

    return run(context.workspace, version=version, out=out, overwrite=overwrite)


@verb(app, SALES, exports=True)
def score(
    context: "Context",
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="A .parquet, .csv or .jsonl file; on Spark also a new folder.")
    ],
    as_of: AsOf = None,
    reasons: Annotated[bool, typer.Option("--reasons", help="Also write every reason of every lead.")] = False,
    overwrite: Overwrite = False,
) -> "VerbResult":
    """Score every lead that was open at some time in the history."""
    from models.commands import score as run

    return run(
        context.workspace,
        out=out,
        as_of=context.instant(as_of),
        reasons=reasons,
        overwrite=overwrite,
        progress=context.progress,
    )


@verb(app, SALES, exports=True)
def explain(context: "Context", lead: LeadId, as_of: AsOf = None) -> "VerbResult":
    """Show why a lead has its score, in points that add up."""
    from models.commands import explain as run

    return run(context.workspace, lead_id=lead, as_of=context.instant(as_of), progress=context.progress)


@verb(app, OPERATIONS, exports=True)
def load(context: "Context", keep_stored: KeepStored = False) -> "VerbResult":
    """Load history into the service's store; exit code 2 if a row contradicts what it holds."""
    from serving.verbs.load_and_serve import load as run

    return run(context.workspace, keeps_stored=keep_stored, progress=context.progress)


@verb(app, OPERATIONS)
def rename(context: "Context", name: NewName) -> "VerbResult":
    """Call the company by another name: in its playbook, its folders here and the registry. Stop the service first."""
    from training.commands import rename as run

    return run(context.workspace, name=name)


@verb(app, OPERATIONS)
def serve(context: "Context", host: Host = None, port: Port = None, workers: Workers = None) -> "VerbResult":
    """Serve scores, accept events and hand over leads, until Ctrl-C."""
    from serving.verbs.load_and_serve import serve as run

    return run(context.workspace, host=host, port=port, workers=workers)


@verb(app, OPERATIONS)
def backup(context: "Context", to: BackupFolder, keep: Keep = None) -> "VerbResult":
    """Take a verified backup of the store while the service runs."""
    from serving.verbs.backup_and_restore import backup as run

    return run(context.workspace, to=to, keep=keep, progress=context.progress)


@verb(app, OPERATIONS)
def restore(context: "Context", backup: BackupPath, yes: Yes = False) -> "VerbResult":
    """Put a backup in the store's place; first says what is lost, then erases and revokes again what was since."""
    from serving.verbs.backup_and_restore import restore as run

    return run(context.workspace, backup, yes=yes, console=context.console, progress=context.progress)


@verb(app, OPERATIONS)
def export(
    context: "Context",
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the export; a second run updates it.")],
) -> "VerbResult":
    """Write what the service knows as Parquet, to train on."""
    from serving.verbs.export_and_recheck import export as run

    return run(context.workspace, out=out, progress=context.progress)


@verb(app, OPERATIONS)
def recheck(context: "Context", sample: Sample = 1000, hours: Hours = 24, seed: Seed = None) -> "VerbResult":
    """Recompute a sample of served scores from history; exit code 2 if a value differs."""
    from serving.verbs.export_and_recheck import recheck as run

    return run(context.workspace, sample=sample, hours=hours, seed=seed, progress=context.progress)


@verb(app, OPERATIONS)
def doctor(context: "Context") -> "VerbResult":
    """Examine the service, and name what is wrong with it and what to do."""
    from serving.verbs.doctor import doctor as run

    return run(context)


@verb(app, PRIVACY)
def dossier(
    context: "Context",
    lead: PersonId,
    out: Annotated[Path | None, typer.Option(metavar="FILE.md", help="File to write it to, with all rows.")] = None,
    overwrite: Overwrite = False,
) -> "VerbResult":
    """Show everything that is held about a person, and the logic of the score in plain words."""
    from serving.verbs.erase_and_dossier import write_dossier as run

    return run(context.workspace, lead, out=out, overwrite=overwrite)


@verb(app, PRIVACY)
def erase(
    context: "Context",
    lead: PersonId,
    vacuum: Annotated[bool, typer.Option("--vacuum", help="Also rewrite PostgreSQL's tables; writes wait.")] = False,
) -> "VerbResult":
    """Erase a person from the store and from the files made of it on this machine."""
    from serving.verbs.erase_and_dossier import erase_lead as run

    return run(context.workspace, lead, vacuum=vacuum)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
