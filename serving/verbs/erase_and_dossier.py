"""What ``leadscore erase`` and ``leadscore dossier`` do: on the store, and on this machine's files."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from data.instants import now_us
from data.output_files import require_replaceable, write_output
from data.workspace import Workspace
from serving.feedback.export import exports_of, remove_leads
from serving.privacy.dossier import Dossier, audit_dossier, build_dossier
from serving.privacy.erasure import Erasure, RemainingCopy, erase
from serving.privacy.files_of_lead import LeadFiles, erase_from_files
from serving.privacy.remaining_copies import copies_left_here, erasure_receipt
from serving.scorers.active_scorer import ActiveScorer
from serving.settings import Settings, settings_for
from serving.store.audit_log import command_line_user
from serving.store.database import Database


@dataclass(frozen=True, slots=True)
class EraseResult:
    """
    A lead that was erased from the store and from this machine's files.

    Attributes:
        lead_id: as it was asked for.
        erasure: what happened to the store.
        traces: what happened to files made of it.
        exports: exports that it was taken out of.
        missing: exports that are not on this machine.
    """

    lead_id: str
    erasure: Erasure
    traces: LeadFiles
    exports: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def held(self) -> list[RemainingCopy]:
        """Give what may still hold something of the lead."""
        return [*self.erasure.held, *copies_left_here(self.traces, self.missing)]

    def as_json(self) -> dict[str, Any]:
        """Write the erasure receipt."""
        rewritten = [*self.exports, *self.traces.rewritten]
        held = copies_left_here(self.traces, self.missing)
        return erasure_receipt(self.lead_id, self.erasure, held=held, deleted=self.traces.deleted, rewritten=rewritten)

    def show(self, console: Console) -> None:
        """Say it on a console."""

        def say(line: str) -> None:
            console.print(line, markup=False, highlight=False, soft_wrap=True)

        receipt = self.as_json()
        rows = ", ".join(f"{count:,} of {table}" for table, count in self.erasure.rows.items())
        say(f"Erased on {receipt['erased_at']}: {rows or 'nothing was left of it in the store'}.")
        say(f"Their bytes in the store's files: {receipt['bytes']}.")
        for what in ("deleted", "rewritten"):
            for path in receipt["files"][what]:
                say(f"{what}: {path}")
        say("What may still hold something of it:")
        for one in self.held:
            say(f"- {one.what}, {one.until}. {one.do}")


@dataclass(frozen=True, slots=True)
class DossierResult:
    """A dossier, and where it was written."""

    dossier: Dossier
    out: Path | None

    def as_json(self) -> dict[str, Any]:
        """Write it."""
        return self.dossier.as_json()

    def show(self, console: Console) -> None:
        """Say it on a console, or where it is."""
        said = self.dossier.says if self.out is None else f"The dossier is in {self.out}."
        console.print(said, markup=False, highlight=False, soft_wrap=True)


def erase_lead(workspace: Workspace, lead_id: str, *, vacuum: bool = False) -> EraseResult:
    """
    Erase a lead: from the store, and from what was made of it on this machine.

    Args:
        workspace: the playbook, and where tables and models are kept.
        lead_id: any id of the person.
        vacuum: whether PostgreSQL shall write the store's tables anew, while everybody waits; SQLite always does.

    Raises:
        UnknownLeadError: nobody has told the store of this lead.
        ServingError: the store cannot be opened.
    """
    with _opened(workspace) as (_, database):
        erasure = erase(database, lead_id, at=now_us(), actor=command_line_user(), waits=True, thorough=vacuum)
        with database.reading() as connection:
            exports = exports_of(connection)
        written, missing = _taken_out(exports, sorted(erasure.ids))
    return EraseResult(
        lead_id,
        erasure,
        erase_from_files(workspace.home, workspace.playbook.business.name, erasure.ids),
        written,
        missing,
    )


def _taken_out(exports: Sequence[Path], person: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Take a person out of exports; give those that held it, and those that are not here."""
    gone = {str(path): remove_leads(path, *person) for path in exports}
    return tuple(path for path, rows in gone.items() if rows), tuple(
        path for path, rows in gone.items() if rows is None
    )


def write_dossier(
    workspace: Workspace, lead_id: str, *, out: Path | None = None, overwrite: bool = False
) -> DossierResult:
    """
    Gather all that the store holds about a lead, with the logic of its score.

    Args:
        workspace: the playbook, and where tables and models are kept.
        lead_id: any id of the lead.
        out: file to write it to, as Markdown with every row; default: none.
        overwrite: replace a file that was changed since leadscore wrote it, or that something else wrote.

    Raises:
        UnknownLeadError: nothing is held under this id.
        ServingError: the store cannot be opened.
        DataError: the file would be lost, or cannot be written.
    """
    if out is not None:
        require_replaceable(out, workspace.home, overwrite=overwrite)
    with _opened(workspace) as (settings, database):
        alone = settings.model_copy(update={"follow_promotions": False})  # who reads puts nobody in force
        live = ActiveScorer(workspace.playbook, alone, database=database, now=now_us).current
        with database.reading() as connection:
            found = build_dossier(connection, live, workspace.playbook, lead_id=lead_id, now=now_us())
        audit_dossier(database, lead_id, at=found.as_of, actor=command_line_user())
    if out is not None:
        write_output(out, found.as_markdown().encode(), workspace.home, overwrite=overwrite)
    return DossierResult(found, out)


@contextmanager
def _opened(workspace: Workspace) -> Iterator[tuple[Settings, Database]]:
    settings = settings_for(workspace)
    database = Database(settings.database, busy_timeout_s=settings.busy_timeout_s)
    try:
        yield settings, database
    finally:
        database.close()
