"""The verbs ``erase`` and ``dossier``: on the store, and on this machine's files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from data.instants import now_us
from data.output_files import require_replaceable, write_output
from data.workspace import Workspace
from serving.errors import ServingError
from serving.feedback.export import exports_of, remove_leads
from serving.lead_ids import as_lead_id, require_checksum
from serving.privacy.dossier import Dossier, audit_dossier, build_dossier
from serving.privacy.erasure import Erasure, RemainingCopy, erase
from serving.privacy.files_of_lead import LeadFiles, erase_from_files
from serving.privacy.remaining_copies import copies_left_here, erasure_receipt
from serving.scorers.active_scorer import ActiveScorer
from serving.store.audit_log import command_line_user
from serving.verbs.opened_store import opened_store


@dataclass(frozen=True, slots=True)
class EraseResult:
    """
    A lead that was erased from the store and from this machine's files.

    Attributes:
        lead_id: as it was requested, in the form of the playbook's rule.
        erasure: what happened to the store.
        files: what happened to files made of it.
        exports: exports that it was removed from.
        missing: exports that may still hold it, with why.
    """

    lead_id: str
    erasure: Erasure
    files: LeadFiles
    exports: tuple[str, ...]
    missing: Mapping[str, str]

    @property
    def held(self) -> list[RemainingCopy]:
        """What may still hold something of the lead."""
        return [*self.erasure.held, *copies_left_here(self.files, self.missing)]

    def as_json(self) -> dict[str, Any]:
        """Return the erasure receipt."""
        rewritten = [*self.exports, *self.files.rewritten]
        held = copies_left_here(self.files, self.missing)
        return erasure_receipt(self.lead_id, self.erasure, held=held, deleted=self.files.deleted, rewritten=rewritten)

    def show(self, console: Console) -> None:
        """Print it."""

        def say(line: str) -> None:
            console.print(line, markup=False, highlight=False, soft_wrap=True)

        receipt = self.as_json()
        rows = ", ".join(f"{count:,} of {table}" for table, count in self.erasure.rows.items())
        say(f"Erased on {receipt['erased_at']}: {rows or 'the store held nothing of it'}.")
        say(f"Their bytes in the store's files: {receipt['bytes']}.")
        for what in ("deleted", "rewritten"):
            for path in receipt["files"][what]:
                say(f"{what}: {path}")
        say("What may still hold something of it:")
        for copy in self.held:
            say(f"- {copy.what}, {copy.until}. {copy.do}")


@dataclass(frozen=True, slots=True)
class DossierResult:
    """A dossier, and where it was written."""

    dossier: Dossier
    out: Path | None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return self.dossier.as_json()

    def show(self, console: Console) -> None:
        """Print it, or where it is."""
        text = self.dossier.says if self.out is None else f"The dossier is in {self.out}."
        console.print(text, markup=False, highlight=False, soft_wrap=True)


def erase_lead(workspace: Workspace, lead_id: str, *, vacuum: bool = False) -> EraseResult:
    """
    Erase a lead: from the store, and from what was made of it on this machine.

    ``vacuum`` also rewrites the tables on PostgreSQL, which blocks everybody; SQLite always does.

    Raises:
        InvalidError: the checksum of the id is wrong.
        UnknownLeadError: the lead is not known.
        ServingError: the store cannot be opened.
    """
    lead_id = _in_form(workspace, lead_id)
    with opened_store(workspace) as (settings, database):
        erasure = erase(database, lead_id, at=now_us(), actor=command_line_user(), waits=True, thorough=vacuum)
        with database.reading() as connection:
            exports = exports_of(connection)
        written, missing = _remove_from_exports(exports, sorted(erasure.ids))
    files = erase_from_files(
        workspace.home, workspace.playbook.business.name, erasure.ids, store=settings.database_file
    )
    return EraseResult(lead_id, erasure, files, written, missing)


def _in_form(workspace: Workspace, lead_id: str) -> str:
    """Return the id of a lead in the form of the playbook's rule; what cannot be an id stays, and is unknown."""
    forms = workspace.playbook.business.id_forms
    require_checksum(lead_id, forms)
    return as_lead_id(lead_id, forms) or lead_id


def _remove_from_exports(exports: Sequence[Path], person: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Remove a person from exports; return those that held it, and those that may still hold it, with why."""
    written, missing = list[str](), dict[str, str]()
    for path in exports:
        try:
            rows = remove_leads(path, *person)
        except (OSError, ServingError) as error:
            missing[str(path)] = f"could not be rewritten ({getattr(error, 'strerror', None) or error})"
            continue
        if rows is None:
            missing[str(path)] = "is not on this machine"
        elif rows:
            written.append(str(path))
    return tuple(written), missing


def write_dossier(
    workspace: Workspace, lead_id: str, *, out: Path | None = None, overwrite: bool = False
) -> DossierResult:
    """
    Gather everything that the store holds about a lead, with the logic of its score.

    It is written to ``out``, as Markdown with every row; ``overwrite`` replaces even a file that was changed
    since, or that something else wrote.

    Raises:
        InvalidError: the checksum of the id is wrong.
        UnknownLeadError: nothing is held under this id.
        ServingError: the store cannot be opened.
        DataError: the file would be lost, or cannot be written.
    """
    if out is not None:
        require_replaceable(out, workspace.home, overwrite=overwrite)
    lead_id = _in_form(workspace, lead_id)
    with opened_store(workspace) as (settings, database):
        read_only = settings.model_copy(update={"follow_promotions": False})  # reading must deploy nothing
        live = ActiveScorer(workspace.playbook, read_only, database=database, now=now_us).current
        with database.reading() as connection:
            dossier = build_dossier(connection, live, workspace.playbook, lead_id=lead_id, now=now_us())
        audit_dossier(database, lead_id, at=dossier.as_of, actor=command_line_user())
    if out is not None:
        write_output(out, dossier.as_markdown().encode(), workspace.home, overwrite=overwrite, is_private=True)
    return DossierResult(dossier, out)
