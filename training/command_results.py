"""What the verbs of this package answer: values that say themselves as JSON and on a screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from data.point_rules import ScorecardRules
from models.cold_start import ColdStartStage
from training.dataset.groups import LargestGroup
from training.registry.register import RegisteredTraining, metrics_of
from training.replay import Replay
from training.reporting.screen_tables import arena_table, blocks_table, gates_said, metrics_table, origins_table
from training.statistics.comparison import ScorerComparison


@dataclass(frozen=True, slots=True)
class BuildResult:
    """The training set that ``build`` made or found."""

    folder: Path
    manifest: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Give the manifest with its place."""
        return {"folder": str(self.folder), **self.manifest}

    def show(self, console: Console) -> None:
        """Print what the training set holds."""
        said = self.manifest
        console.print(
            f"{said['snapshots']:,} snapshots of {said['leads']:,} leads, {said['mature']:,} old enough to know their "
            f"outcome: {said['base_rate']:.1%} reach {said['goal']['stage']} in {said['goal']['horizon_days']:g} days"
        )
        console.print(blocks_table(said))
        purged, aside = said["blocks"]["purged"], said["blocks"]["aside"]
        console.print(f"{purged:,} purged between the blocks, {aside:,} set aside: their account is in another block")
        console.print(said["horizon"]["says"])
        if too_large := LargestGroup(**said["largest_group"]).says:
            console.print(too_large)
        console.print(f"{said['features']} features: {self.folder}", soft_wrap=True)


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What ``train`` made: a registered challenger, and everything that was found on the way."""

    entry: RegisteredTraining

    @property
    def version(self) -> str:
        """Give the version that the registry gave it."""
        return self.entry.version

    @property
    def run_id(self) -> str:
        """Give MLflow's run."""
        return self.entry.run_id

    @property
    def bundle(self) -> Path:
        """Give the folder of the model."""
        return self.entry.bundle

    @property
    def fingerprint(self) -> str:
        """Give the hash of all that is in the bundle."""
        return str(self.entry.judgement["model"]["fingerprint"])

    @property
    def judgement(self) -> Mapping[str, Any]:
        """Give everything that was found."""
        return self.entry.judgement

    @property
    def manifest(self) -> Mapping[str, Any]:
        """Give what the training set holds."""
        found: Mapping[str, Any] = self.judgement["data"]
        return found

    @property
    def test(self) -> dict[str, Any]:
        """Give the model's numbers on leads it had never seen."""
        return metrics_of(_first(self.judgement["scorers"], "model"))

    @property
    def rules(self) -> dict[str, Any]:
        """Give those of the point rules on the same leads."""
        return metrics_of(_first(self.judgement["scorers"], "rules"))

    def as_json(self) -> dict[str, Any]:
        """Give the result as the command line promises it."""
        said, data = self.judgement, self.manifest
        model, blocks, positives = said["model"], data["blocks"], data["positives"]
        told = ("standing", "gates", "scorers", "differences", "origins", "accepted_risk", "verdict")
        return {
            "version": self.version,
            "run_id": self.run_id,
            "bundle": str(self.bundle),
            "report": str(self.entry.report),
            "fingerprint": self.fingerprint,
            "rows": blocks["train"] + blocks["stop"],
            "positives": positives["train"] + positives["stop"],
            **{name: model[name] for name in ("features", "features_tried", "trees", "threshold", "calibration")},
            "tuned": model["tuned"],
            "plan": data["plan"],
            "blocks": dict(blocks),
            "horizon": {name: value for name, value in data["horizon"].items() if name != "curve"},
            "dataset": data["rows_sha256"],
            "test": self.test,
            "rules_test": self.rules,
            **{name: said[name] for name in told},
        }

    def show(self, console: Console) -> None:
        """Print what was trained, and how it did on leads it had never seen."""
        said, data = self.judgement, self.manifest
        blocks, model = data["blocks"], said["model"]
        learnt = blocks["train"] + blocks["stop"]
        console.print(
            f"Version {self.version} is trained: {model['trees']} trees on {model['features']} of "
            f"{model['features_tried']} features from {learnt:,} snapshots, judged on {blocks['test']:,} later ones of "
            "other leads."
        )
        console.print(metrics_table(said["scorers"]))
        console.print(origins_table(said["origins"]))
        for line in (*gates_said(said["gates"]), said["standing"]["says"], said["verdict"]):
            console.print(line)
        console.print(
            f"It is the challenger, and serves nobody yet: run leadscore promote. Bundle: {self.bundle}", soft_wrap=True
        )
        console.print(f"Report: {self.entry.report / 'report.html'}", soft_wrap=True)


@dataclass(frozen=True, slots=True)
class RulesOnlyResult:
    """What ``train`` found where history is enough for the point rules alone: nothing is registered."""

    standing: ColdStartStage
    report: Path
    judgement: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Give the standing; there is no version."""
        return {
            "version": None,
            "standing": {**self.standing.as_json(), "says": self.standing.says},
            "report": str(self.report),
            "verdict": self.judgement["verdict"],
        }

    def show(self, console: Console) -> None:
        """Print what is missing."""
        console.print(self.judgement["verdict"])
        console.print(f"Report: {self.report / 'report.html'}", soft_wrap=True)


@dataclass(frozen=True, slots=True)
class CompareResult:
    """What ``compare`` found."""

    comparison: ScorerComparison
    version: str
    arena: Replay

    def as_json(self) -> dict[str, Any]:
        """Give the scorers' metrics, who had the lowest log loss, and the replay."""
        found = self.comparison
        return {
            "version": self.version,
            "scorers": [scorer.as_json() for scorer in found.scorers],
            "winner": found.winner,
            "difference": found.difference.as_json(),
            "decided": found.decided,
            "arena": self.arena.as_json(),
        }

    def show(self, console: Console) -> None:
        """Print the scorers side by side, and who won."""
        found, arena = self.comparison, self.arena.as_json()
        console.print(f"The same {found.scorers[0].rows:,} snapshots, never seen by any of them:")
        console.print(metrics_table([scorer.as_json() for scorer in found.scorers]))
        base = found.scorers[0]
        console.print(
            f"Without any scorer: {base.base_rate.value:.1%} reach the goal, log loss {base.base_log_loss:.4f}"
        )
        sure = "" if found.decided else ", but the difference may be chance"
        console.print(f"{found.winner} has the lower log loss, by {-(found.difference.value or 0.0):.4f}{sure}.")
        console.print(f"\nThe best leads called each of {arena['days']} days, {arena['capacity_per_day']:g} a day:")
        console.print(arena_table(arena))
        console.print(arena["says"])


@dataclass(frozen=True, slots=True)
class ReportResult:
    """The report of a version."""

    version: str
    folder: Path
    judgement: Mapping[str, Any]
    out: Path | None

    def as_json(self) -> dict[str, Any]:
        """Give where it lies and all that is in it."""
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
        """Give the rules."""
        return {"version": self.version, "out": str(self.out), **self.rules.model_dump(mode="json", by_alias=True)}

    def show(self, console: Console) -> None:
        """Print the rules as a table of points."""
        count, base = len(self.rules.rules), self.rules.base_points
        console.print(f"{count} rules learned from version {self.version}, upon {base:g} points that everyone has:")
        for rule in sorted(self.rules.rules, key=lambda rule: -rule.points):
            console.print(f"{rule.points:+6g}  {rule.because}", markup=False, highlight=False)
        console.print(f"Handed over from {self.rules.threshold:g} points. Written to {self.out}", soft_wrap=True)


def _first(scorers: Sequence[Mapping[str, Any]], kind: str) -> Mapping[str, Any]:
    return next(one for one in scorers if one["kind"] == kind)
