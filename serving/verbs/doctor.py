"""The verb `doctor`: looks at everything that an on-call person would look at, and says what is wrong."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from data.command_line import Context
from data.errors import LeadscoreError
from data.instants import now_us
from serving.errors import ServingError
from serving.settings import Settings, settings_for
from serving.store.database import Database
from serving.verbs.examination import ExaminationResult, fine, warning, wrong
from serving.verbs.model_examination import examine_models
from serving.verbs.service_examination import examine_service
from serving.verbs.store_examination import examine_file, examine_store

_MARKS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "wrong": "[red]✗[/]"}
_SOMETHING_IS_WRONG = 1


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """
    What the doctor found.

    Attributes:
        findings: in the order in which one thing builds on another.
    """

    findings: Sequence[ExaminationResult]

    @property
    def exit_code(self) -> int:
        """1 where something is wrong, else 0."""
        return _SOMETHING_IS_WRONG if any(finding.state == "wrong" for finding in self.findings) else 0

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"healthy": self.exit_code == 0, "findings": [asdict(finding) for finding in self.findings]}

    def show(self, console: Console) -> None:
        """Print one line for each finding, and below it what to do where something is wrong."""
        table = Table.grid(padding=(0, 1))
        for column in ("mark", "subject"):
            table.add_column(column, no_wrap=True)
        table.add_column("says", overflow="fold")
        for finding in self.findings:
            table.add_row(_MARKS[finding.state], finding.subject, finding.says)
            if finding.cure is not None:
                table.add_row("", "", f"→ {finding.cure}")
        console.print(table, highlight=False)


def doctor(context: Context) -> Diagnosis:
    """Examine the settings, the playbook, the store, the models and the running service."""
    return Diagnosis(list(_findings(context)))


def _findings(context: Context) -> Iterator[ExaminationResult]:
    """Yield what is found; what builds on something that is wrong is not looked at."""
    try:
        playbook = context.workspace.playbook
    except LeadscoreError as error:
        yield wrong("playbook", str(error), cure=f"correct {context.playbook_folder}, then run leadscore check")
        return
    yield fine("playbook", f"{playbook.business.title} ({playbook.path})")
    try:
        settings = settings_for(context.workspace)
    except LeadscoreError as error:
        yield wrong("settings", str(error), cure="docs/settings.md lists every setting")
        return
    yield _of_settings(settings)
    yield from _of_store(settings)
    yield from examine_service(settings, key=os.environ.get("LEADSCORE_KEY"))


def _of_settings(settings: Settings) -> ExaminationResult:
    if settings.keys == "off":
        return warning("settings", "callers need no key (LEADSCORE_KEYS=off)", cure="set LEADSCORE_KEYS=required")
    count = sum(name.startswith("LEADSCORE_") for name in os.environ)
    return fine("settings", f"{count} set in the environment, the others at their defaults")


def _of_store(settings: Settings) -> Iterator[ExaminationResult]:
    found = list(examine_file(settings))
    yield from found
    if any(finding.state == "wrong" for finding in found):
        return
    try:
        database = Database(settings.database, busy_timeout_s=settings.busy_timeout_s)
    except ServingError as error:
        yield wrong("store", str(error), cure="make it writable for this user")
        return
    try:
        yield from examine_store(settings, database, now=now_us())
        yield from examine_models(settings, database)
    finally:
        database.close()
