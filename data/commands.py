"""The verbs ``check`` and ``simulate``."""

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from data.errors import QualityError
from data.home import DEMO
from data.importing.history_breaks import HistoryBreak, history_breaks
from data.importing.quality import LostValues, PeriodReport, QualityReport, SourceCount, Violation
from data.importing.unversioned_attributes import UnversionedAttributes, unversioned_attributes
from data.importing.warehouse import import_history
from data.instants import from_us, parse
from data.lifecycle.returned_leads import ReturnedLeads, returned_leads
from data.progress import Progress, silent
from data.screen import print_table
from data.simulation import SimulationCounts
from data.simulation import simulate as write_simulation
from data.workspace import Workspace


@dataclass(frozen=True, slots=True)
class CheckResult:
    """
    The report of ``leadscore check``.

    Attributes:
        report: what became of the rows.
        unversioned: attributes that hold today's values.
        breaks: where outcomes or leads begin, end or change in the midst of the history.
        returned: leads that came back after they were closed, where nothing opens a lead again.
        stopped: why the history cannot be used, if it cannot.
    """

    report: QualityReport
    unversioned: tuple[UnversionedAttributes, ...] = ()
    breaks: tuple[HistoryBreak, ...] = ()
    returned: ReturnedLeads | None = None
    stopped: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the history can be used."""
        return self.stopped is None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        unversioned = [asdict(each) | {"says": each.says} for each in self.unversioned]
        returned = None if self.returned is None else asdict(self.returned) | {"says": self.returned.says}
        return {
            **self.report.as_json(),
            "unversioned": unversioned,
            "breaks": [asdict(each) for each in self.breaks],
            "returned": returned,
            "passed": self.passed,
            "stopped": self.stopped,
        }

    def show(self, console: Console) -> None:
        """Print the rows by source, each violation with examples, and where the rejected rows are."""
        console.print(f"playbook {self.report.playbook}", style="italic", markup=False, highlight=False)
        print_table(console, _sources(self.report))
        for line in filter(None, (say(count) for count in self.report.sources for say in (_assumed, _midnights))):
            console.print(line)
        for join in self.report.joins:
            console.print(f"\n{escape(join.sentence)}", style=None if join.met == join.rows else "yellow")
        for sentence in self.report.notes:
            console.print(f"\n{escape(sentence)}", soft_wrap=True)
        for each in self.unversioned:
            console.print(f"\n{escape(each.says)}", soft_wrap=True)
        if self.returned is not None:
            console.print(f"\n{escape(self.returned.says)}", soft_wrap=True)
        if self.report.period is not None:
            console.print(f"\n{escape(_described_period(self.report.period))}", soft_wrap=True)
        for found in self.breaks:
            console.print(f"\n{escape(found.says)}", style="yellow", soft_wrap=True)
        for lost in self.report.lost:
            console.print(_described_loss(lost))
        for violation in self.report.violations:
            console.print(_described(violation))
        if self.report.rejected_rows:
            console.print(f"\nRejected rows with their reasons: {escape(self.report.rejected_rows)}", soft_wrap=True)
        verdict = "[green]The history can be used.[/]" if self.stopped is None else f"[red]{escape(self.stopped)}[/]"
        console.print(f"\n{verdict}")


def check(workspace: Workspace, *, progress: Progress = silent) -> CheckResult:
    """
    Import the history and report on it, also if it cannot be used.

    Raises:
        IntakeError: an export is missing, damaged, empty, or lacks a column that the playbook names.
    """
    business = workspace.playbook.business
    unversioned = unversioned_attributes(business)
    try:
        warehouse = import_history(workspace, progress=progress)
    except QualityError as error:
        if error.report is None:
            raise
        return CheckResult(error.report, unversioned, stopped=str(error))
    returned = returned_leads(warehouse.activities, warehouse.outcomes, business)
    return CheckResult(warehouse.quality, unversioned, history_breaks(warehouse, business), returned)


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """What ``leadscore simulate`` wrote, in numbers."""

    made: SimulationCounts

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        made = self.made
        return {
            "folder": str(made.folder),
            "from": made.start.isoformat(),
            "until": made.until.isoformat(),
            "leads": made.leads,
            "accounts": made.accounts,
            "activities": made.activities,
            "outcomes": dict(made.outcomes),
            "goal_rate": made.goal_rate,
        }

    def show(self, console: Console) -> None:
        """Print it, with what to do next."""
        made, folder = self.made, escape(str(self.made.folder))
        period = f"{made.start:%Y-%m-%d} to {made.until:%Y-%m-%d}"
        counts = f"{made.leads:,} leads of {made.accounts:,} accounts, {made.activities:,} activities"
        console.print(f"Made {counts}, {period}; {made.goal_rate:.1%} of the leads became sales-qualified.")
        console.print(
            f"The exports and a playbook that reads them: leadscore check --playbook {folder}", soft_wrap=True
        )


def simulate(  # noqa: PLR0913 - each is an option of its own
    out: Path,
    *,
    leads: int,
    seed: int,
    until: str | None = None,
    drift: float = 0.0,
    overwrite: bool = False,
    another_company: bool = False,
    name: str | None = None,
    progress: Progress = silent,
) -> SimulationResult:
    """
    Make the history of a company whose true conversion process is known.

    Args:
        out: folder for the exports and a playbook that reads them.
        leads: how many.
        seed: the same seed makes the same history.
        until: end of the history, ISO 8601; default: the start of today, UTC.
        drift: how far the last months differ from those before.
        overwrite: replace any earlier simulation, also one in which files were changed.
        another_company: replace an unchanged simulation of another size or seed too.
        name: what the company is called; default: the name of the folder.
        progress: is told what is being made.

    Raises:
        DataError: an argument is out of range, or the folder holds something that would be lost.
    """
    counts = write_simulation(
        out,
        leads=leads,
        seed=seed,
        until=None if until is None else from_us(parse(until)),
        drift=drift,
        overwrite=overwrite,
        another_company=another_company,
        name=_company_name(out) if name is None else None if name == DEMO.name else name,
        progress=lambda what: progress(what, 0, 0),
    )
    return SimulationResult(counts)


def _company_name(out: Path) -> str:
    """
    Return the name of a simulated company: that of its folder, in the letters that a name may have.

    >>> _company_name(Path("x/Acme GmbH")), _company_name(Path("42"))
    ('acme_gmbh', 'company_42')
    """
    name = re.sub(r"[^a-z0-9]+", "_", out.resolve().name.lower()).strip("_")
    return name if name[:1].isalpha() else f"company_{name}".rstrip("_")


def _sources(report: QualityReport) -> Table:
    table = Table()
    table.add_column("source", no_wrap=True)
    table.add_column("holds", no_wrap=True)
    for name in ("rows", "kept", "rejected", "ignored"):
        table.add_column(name, justify="right", no_wrap=True)
    for count in report.sources:
        numbers = (count.rows, count.kept, count.rejected, count.ignored)
        holds = f"{count.holds},\nderived" if count.derived else count.holds
        table.add_row(escape(count.source), holds, *(f"{number:,}" for number in numbers))
    return table


def _assumed(count: SourceCount) -> str | None:
    if not count.assumed_known:
        return None
    rows = f"{count.assumed_known:,} rows do not say when they became known"
    return f"\n{escape(count.source)}: {rows}; they are taken as known when they happened."


def _described_period(period: PeriodReport) -> str:
    """
    Describe from when to when facts lie in mass, and which lie outside.

    >>> from data.importing.quality import TimeOutliers
    >>> lead = "1 lead is far from all others: created 2015-01-01"
    >>> far = TimeOutliers(source="leads.csv", holds="leads", count=1, says=lead, file="leads.csv", row=17)
    >>> _described_period(PeriodReport(begin="2025-01-03", end="2025-10-01", outliers=(far,)))
    'facts from 2025-01-03 to 2025-10-01; 1 lead is far from all others: created 2015-01-01 (leads.csv:17)'
    """
    outliers = [f"{facts.says} ({facts.file}:{facts.row})" for facts in period.outliers]
    return "; ".join([f"facts from {period.begin} to {period.end}", *outliers])


def _midnights(count: SourceCount) -> str | None:
    if not count.days:
        return None
    holds = f"{' and '.join(count.days)} {'holds' if len(count.days) == 1 else 'hold'} hardly anything but midnights"
    return f"\n{escape(count.source)}: {escape(holds)}; these are taken as days, known when the day is over."


def _described_loss(lost: LostValues) -> str:
    """Return what an attribute lost, whose it was, and how that would mislead a model."""
    head = f"{lost.attribute} is unknown for {lost.count:,} of {lost.given:,} rows, whose cells cannot be read"
    others = f"{lost.others_reached:,} of the other {lost.other_leads:,}"
    whose = f"{lost.reached:,} of {lost.leads:,} leads that lost it reached the goal, {others}"
    shown = [f"    {escape(row.file)}:{row.row}: {escape(row.found)}" for row in lost.examples]
    warned = [f"    [red]one-sided: {escape(why)}[/]" for why in lost.one_sided]
    lines = [
        f"\n[bold]{escape(lost.source)}[/]: {escape(head)}; {whose}",
        *shown,
        *warned,
        f"    → {escape(lost.mend)}",
    ]
    return "\n".join(lines)


def _described(violation: Violation) -> str:
    head = f"\n[bold]{violation.count:,} ×[/] {escape(violation.source)}: {escape(violation.says)}"
    shown = [f"    {escape(row.file)}:{row.row}: {escape(row.found)}" for row in violation.examples]
    return "\n".join([head, *shown, f"    → {escape(violation.mend)}"])
