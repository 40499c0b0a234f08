"""The results of the verbs of this package: as JSON, and on a screen."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from data.words.point_rules import ScorecardRules
from models.cold_start import ColdStartStage
from training.evaluation.evaluation_document import FILE, Evaluation
from training.evaluation.model_comparison import ModelComparison
from training.evaluation.scorer_evaluation import Period
from training.evaluation.summary import next_step
from training.evaluation.training_summary import DataSummary
from training.reporting.screen_tables import blocks_table, metrics_table, origins_table, print_lines, replay_table
from training.statistics.number_format import day, difference, known, value
from training.statistics.scorer_metrics import Metrics, ScorerEvaluation


@dataclass(frozen=True, slots=True)
class BuildResult:
    """
    The training set that ``build`` made or found.

    Attributes:
        folder: where it lies.
        manifest: its counts, plan and hashes, as the folder holds them.
        largest_group_note: a sentence where one group of accounts is too large; else empty.
    """

    folder: Path
    manifest: Mapping[str, Any]
    largest_group_note: str

    def as_json(self) -> dict[str, Any]:
        """Return the manifest with its place."""
        return {"folder": str(self.folder), **self.manifest}

    def show(self, console: Console) -> None:
        """Print what the training set holds."""
        data, goal = DataSummary.of(self.manifest), self.manifest["goal"]
        print_lines(
            console,
            f"{data.snapshots:,} snapshots of {data.leads:,} leads, {data.mature:,} old enough to know their outcome: "
            f"{value(data.base_rate, 'share')} reach {goal['stage']} in {goal['horizon_days']:g} days, "
            f"{_days(data.plan.train)}",
        )
        console.print(blocks_table(data))
        print_lines(
            console,
            f"{data.blocks.purged:,} purged between train and test: their outcomes come in the test weeks",
            data.horizon.says,
        )
        if self.largest_group_note:
            print_lines(console, self.largest_group_note)
        print_lines(console, f"{self.manifest['features']} features: {self.folder}")


@dataclass(frozen=True, slots=True)
class TrainResult:
    """
    A trained challenger.

    Attributes:
        version: in the registry.
        run_id: of MLflow.
        bundle: folder of the model.
        report: folder of the report.
        evaluation: everything that training found.
    """

    version: str
    run_id: str
    bundle: Path
    report: Path
    evaluation: Evaluation

    @property
    def fingerprint(self) -> str:
        """The hash of everything in the bundle."""
        return "" if self.evaluation.model is None else self.evaluation.model.fingerprint

    @property
    def data(self) -> DataSummary:
        """What the training set holds."""
        return self.evaluation.data

    @property
    def test(self) -> Metrics:
        """The model's numbers on weeks it had never seen."""
        return _metrics(self.evaluation.model_scorer)

    @property
    def rules(self) -> Metrics:
        """The numbers of the point rules on the same leads."""
        return _metrics(self.evaluation.rules_scorer)

    def as_json(self) -> dict[str, Any]:
        """Return the result as the command line promises it."""
        content = self.evaluation.model_dump(mode="json")
        model, data = content["model"], content["data"]
        parts = (
            "history_breaks",
            "cold_start",
            "gates",
            "lists",
            "scorers",
            "differences",
            "origins",
            "accepted_risk",
            "verdict",
        )
        return {
            "version": self.version,
            "run_id": self.run_id,
            "bundle": str(self.bundle),
            "report": str(self.report),
            "fingerprint": self.fingerprint,
            "rows": self.data.blocks.train,
            "positives": self.data.positives.train,
            **{name: model[name] for name in ("features", "features_tried", "trees", "threshold", "calibration")},
            "tuned": model["tuned"],
            "family": model["family"],
            "plan": data["plan"],
            "blocks": data["blocks"],
            "horizon": {name: part for name, part in data["horizon"].items() if name != "curve"},
            "dataset": data["rows_sha256"],
            "test": self.test.model_dump(mode="json"),
            "rules_test": self.rules.model_dump(mode="json"),
            **{name: content[name] for name in parts},
            "next_step": next_step(self.evaluation),
        }

    def show(self, console: Console) -> None:
        """Print what was trained, how it did on weeks it had never seen, and what to do next."""
        evaluation, blocks, model = self.evaluation, self.data.blocks, self.evaluation.model
        if model is not None:
            print_lines(
                console,
                f"Version {self.version} is trained: {model.size} on {model.features} of {model.features_tried} "
                f"features from {blocks.train:,} snapshots, tested on {blocks.test:,} later ones.",
                f"{value(self.data.base_rate, 'share')} of the snapshots reach {evaluation.goal.stage} in "
                f"{evaluation.goal.horizon_days:g} days, {_days(self.data.plan.train)}; tested "
                f"{_days(self.data.plan.test)}.",
                f"What serves is fitted anew to {model.fitted_rows:,} snapshots until {day(model.fitted_until)}.",
            )
        print_lines(console, "The tested snapshots, each a lead on a day; the calls in the verdict below are leads:")
        console.print(metrics_table(evaluation.scorers))
        print_lines(console, "", "At each origin, trained anew on the weeks before it:")
        console.print(origins_table(evaluation.origins))
        if evaluation.lists is not None:
            print_lines(console, "", f"{evaluation.lists.says}.")
        print_lines(console, "")
        blocked = [f"{gate.name} failed: {gate.says}" for gate in evaluation.blocking_gates]
        asked = [f"{gate.name} asks: {gate.says}" for gate in evaluation.asking_gates]
        family = () if model is None or model.family is None else (model.family.says,)
        says = (evaluation.cold_start.says, *family, *evaluation.history_breaks, evaluation.verdict)
        print_lines(console, *says, *asked, *blocked, next_step(evaluation))
        print_lines(console, f"Bundle: {self.bundle}", f"Report: {self.report / 'report.html'}")


@dataclass(frozen=True, slots=True)
class RulesOnlyResult:
    """What ``train`` found where history is enough for the point rules alone: nothing is registered."""

    cold_start: ColdStartStage
    report: Path
    evaluation: Evaluation

    def as_json(self) -> dict[str, Any]:
        """Return how far the history carries; there is no version."""
        return {
            "version": None,
            "history_breaks": list(self.evaluation.history_breaks),
            "cold_start": self.evaluation.cold_start.model_dump(mode="json"),
            "report": str(self.report),
            "verdict": self.evaluation.verdict,
        }

    def show(self, console: Console) -> None:
        """Print what is missing."""
        evaluation = self.evaluation
        print_lines(console, *evaluation.history_breaks, evaluation.verdict, f"Report: {self.report / 'report.html'}")


@dataclass(frozen=True, slots=True)
class CompareResult:
    """What ``compare`` found."""

    comparison: ModelComparison

    def as_json(self) -> dict[str, Any]:
        """Return the scorers' numbers, which has the lowest log loss, and the replay."""
        return self.comparison.model_dump(mode="json")

    def show(self, console: Console) -> None:
        """Print the scorers below each other, and which is best."""
        comparison = self.comparison
        first, replay = comparison.scorers[0], comparison.replay
        print_lines(console, f"The same {first.rows:,} snapshots, which no scorer has seen:")
        console.print(metrics_table(comparison.scorers))
        print_lines(
            console,
            f"Without any scorer: {value(first.base_rate, 'share')} of them reach the goal {_days(comparison.test)}, "
            f"log loss {value(first.base_log_loss, 'loss')}",
            _winner_in_words(comparison),
            "",
            f"The best leads called each of {replay.days} days, {replay.capacity_per_day:g} a day:",
        )
        console.print(replay_table(replay))
        print_lines(console, replay.says)


@dataclass(frozen=True, slots=True)
class ReportResult:
    """The report of a version."""

    version: str
    folder: Path
    evaluation: Evaluation
    out: Path | None

    def as_json(self) -> dict[str, Any]:
        """Return where it lies and the whole evaluation."""
        files = {name: str(self.folder / name) for name in ("report.html", "card.html", "card.json", FILE)}
        return {
            "version": self.version,
            "files": files,
            "out": None if self.out is None else str(self.out),
            "evaluation": self.evaluation.model_dump(mode="json"),
        }

    def show(self, console: Console) -> None:
        """Print the verdict, and where to read more."""
        print_lines(console, self.evaluation.verdict)
        for words, name in (("Report", "report.html"), ("Model card", "card.html"), ("All numbers", FILE)):
            print_lines(console, f"{words}: {self.folder / name}")
        if self.out is not None:
            print_lines(console, f"Copied to {self.out}")


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
        """Print the rules by their points."""
        count, base = len(self.rules.rules), self.rules.base_points
        rules = sorted(self.rules.rules, key=lambda rule: -rule.points)
        print_lines(
            console,
            f"{count} rules learned from version {self.version}, added to {base:g} points that every lead starts with:",
            *(f"{rule.points:+6g}  {rule.because}" for rule in rules),
            f"Handed over from {self.rules.threshold:g} points. Written to {self.out}",
        )


def _days(period: Period) -> str:
    """
    Return from which day to which day a period lasts.

    >>> _days(Period(start="2025-01-03T08:00:00Z", end="2025-06-30T08:00:00Z", days=178))
    'from 2025-01-03 to 2025-06-30'
    """
    return f"from {period.start[:10]} to {period.end[:10]}"


def _metrics(scorer: ScorerEvaluation | None) -> Metrics:
    if scorer is None:
        message = "a trained version is evaluated beside the point rules"
        raise LookupError(message)
    return scorer.metrics


def _log_loss(scorer: ScorerEvaluation) -> float:
    loss = known(scorer.log_loss)
    return float("inf") if loss is None else loss


def _winner_in_words(comparison: ModelComparison) -> str:
    best, second = sorted(comparison.scorers, key=_log_loss)[:2]
    apart = difference(value(second.log_loss, "loss"), value(best.log_loss, "loss"), sign=False)
    by = apart if apart.strip("0.") else "less than 0.001"
    chance = "" if comparison.decided else ", but the difference may be chance"
    return f"{comparison.winner} has the lowest log loss, by {by} below {second.name}{chance}."
