"""The verbs ``report`` and ``scorecard``: what a training left in its folder, read without MLflow."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from data.output_files import write_output
from data.point_rules import ScorecardRules
from data.workspace import Workspace
from training.distillation.rule_yaml import read_rules
from training.errors import TrainingError
from training.registry.registered_versions import CHALLENGER, find_version, learned_rules_file, report_folder


@dataclass(frozen=True, slots=True)
class ReportResult:
    """The report of a version."""

    version: str
    folder: Path
    judgement: Mapping[str, Any]
    out: Path | None

    def as_json(self) -> dict[str, Any]:
        """Return where it is and all that is in it."""
        files = {name: str(self.folder / name) for name in ("report.html", "card.html", "card.json", "judgement.json")}
        return {
            "version": self.version,
            "files": files,
            "out": None if self.out is None else str(self.out),
            "judgement": dict(self.judgement),
        }

    def show(self, console: Console) -> None:
        """Print the verdict, and where to read more."""
        console.print(self.judgement["verdict"])
        for words, name in (("Report", "report.html"), ("Model card", "card.html"), ("All numbers", "judgement.json")):
            console.print(f"{words}: {self.folder / name}", soft_wrap=True)
        if self.out is not None:
            console.print(f"Copied to {self.out}", soft_wrap=True)


@dataclass(frozen=True, slots=True)
class ScorecardResult:
    """The point rules distilled from a version, written to a file."""

    version: str
    out: Path
    rules: ScorecardRules

    def as_json(self) -> dict[str, Any]:
        """Return the rules."""
        return {"version": self.version, "out": str(self.out), **self.rules.model_dump(mode="json", by_alias=True)}

    def show(self, console: Console) -> None:
        """Print the rules as a table of points."""
        count, base = len(self.rules.rules), self.rules.base_points
        console.print(f"{count} rules learned from version {self.version}, on top of {base:g} points for everyone:")
        for rule in sorted(self.rules.rules, key=lambda rule: -rule.points):
            console.print(f"{rule.points:+6g}  {rule.because}", markup=False, highlight=False)
        console.print(f"Handed over from {self.rules.threshold:g} points. Written to {self.out}", soft_wrap=True)


def report(
    workspace: Workspace, *, version: str = CHALLENGER, out: Path | None = None, overwrite: bool = False
) -> ReportResult:
    """
    Find the report of a version, and copy it where it is wanted.

    Args:
        workspace: the playbook, and where tables and models are kept.
        version: ``challenger`` (the newest), ``champion`` or a number.
        out: HTML file to write.
        overwrite: replace a file that was changed since leadscore wrote it, or that something else wrote.

    Raises:
        RegistryError: there is no such version.
        TrainingError: its report is gone.
        DataError: the file would be lost, or cannot be written.
    """
    name = workspace.playbook.business.name
    registered = find_version(workspace.home, name, version)
    folder = report_folder(workspace.home.models(name), registered.run_id)
    judgement = _read_judgement(folder)
    if out is not None:
        write_output(out, (folder / "report.html").read_bytes(), workspace.home, overwrite=overwrite)
    return ReportResult(registered.version, folder, judgement, out)


def scorecard(
    workspace: Workspace, *, out: Path, version: str = CHALLENGER, overwrite: bool = False
) -> ScorecardResult:
    """
    Write the point rules that were distilled from a model, for use where no model is allowed.

    Args:
        workspace: the playbook, and where tables and models are kept.
        out: YAML file to write.
        version: ``challenger`` (the newest), ``champion`` or a number.
        overwrite: replace a file that was changed since leadscore wrote it, or that something else wrote.

    Raises:
        RegistryError: there is no such version.
        TrainingError: no rules were distilled from it.
        DataError: the file would be lost, or cannot be written.
    """
    name = workspace.playbook.business.name
    registered = find_version(workspace.home, name, version)
    file = learned_rules_file(workspace.home.models(name), registered.run_id)
    rules = read_rules(file, workspace.playbook.business)
    write_output(out, file.read_bytes(), workspace.home, overwrite=overwrite)
    return ScorecardResult(registered.version, out, rules)


def _read_judgement(folder: Path) -> Mapping[str, Any]:
    path = folder / "judgement.json"
    try:
        judgement: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read ({error}): train again to have a report."
        raise TrainingError(message) from None
    return judgement
