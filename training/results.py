"""What the verbs of this package answer: values that say themselves as JSON and on a screen."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from training.comparison import Comparison
from training.groups import Largest

_SHOWN = (
    ("precision_at_capacity", "called leads that succeed", "{:.0%}"),
    ("recall_at_capacity", "successes that were called", "{:.0%}"),
    ("lift_at_10", "best tenth, times average", "{:.2f}"),
    ("log_loss", "log loss, lower is better", "{:.3f}"),
    ("auc", "AUC", "{:.3f}"),
    ("observed_over_expected", "observed / expected", "{:.2f}"),
)


@dataclass(frozen=True, slots=True)
class Built:
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
        table = Table("block", "from", "to", "rows", "reach the goal", box=None)
        for name in ("train", "calibrate", "test"):
            span = said["plan"][name]
            parts = ("train", "stop") if name == "train" else (name,)
            rows, hits = (sum(said[key][part] for part in parts) for key in ("blocks", "positives"))
            table.add_row(name, span["start"][:10], span["end"][:10], f"{rows:,}", f"{hits:,}")
        console.print(table)
        purged, aside = said["blocks"]["purged"], said["blocks"]["aside"]
        console.print(f"{purged:,} purged between the blocks, {aside:,} set aside: their account is in another block")
        if too_large := Largest(**said["largest_group"]).says:
            console.print(too_large)
        console.print(f"{said['features']} features: {self.folder}")


@dataclass(frozen=True, slots=True)
class Trained:
    """What ``train`` made: a registered challenger."""

    version: str
    run_id: str
    bundle: Path
    fingerprint: str
    manifest: Mapping[str, Any]
    test: Mapping[str, Any]
    rules: Mapping[str, Any]
    trees: int
    features: int
    threshold: float

    def as_json(self) -> dict[str, Any]:
        """Give the result as the command line promises it."""
        blocks, positives = self.manifest["blocks"], self.manifest["positives"]
        return {
            "version": self.version,
            "run_id": self.run_id,
            "bundle": str(self.bundle),
            "fingerprint": self.fingerprint,
            "rows": blocks["train"] + blocks["stop"],
            "positives": positives["train"] + positives["stop"],
            "features": self.features,
            "features_tried": self.manifest["features"],
            "trees": self.trees,
            "threshold": self.threshold,
            "plan": self.manifest["plan"],
            "blocks": dict(blocks),
            "dataset": self.manifest["rows_sha256"],
            "test": dict(self.test),
            "rules_test": dict(self.rules),
        }

    def show(self, console: Console) -> None:
        """Print what was trained, and how it did on leads it had never seen."""
        blocks = self.manifest["blocks"]
        learnt = blocks["train"] + blocks["stop"]
        console.print(
            f"Version {self.version} is trained: {self.trees} trees on {self.features} of {self.manifest['features']} "
            f"features from {learnt:,} snapshots, "
            f"judged on {blocks['test']:,} later ones of other leads."
        )
        console.print(metrics_table({"model": self.test, "point rules": self.rules}))
        console.print(f"It is the challenger, and serves nobody yet: run leadscore promote. Bundle: {self.bundle}")


@dataclass(frozen=True, slots=True)
class Compared:
    """What ``compare`` found."""

    comparison: Comparison
    version: str

    def as_json(self) -> dict[str, Any]:
        """Give the scorers' metrics and the winner."""
        found = self.comparison
        return {
            "scorers": [dict(scorer) for scorer in found.scorers],
            "winner": found.winner,
            "difference": dict(found.difference),
            "decided": found.decided,
        }

    def show(self, console: Console) -> None:
        """Print the scorers side by side, and who won."""
        found = self.comparison
        console.print(f"The same {found.scorers[0]['rows']:,} snapshots, never seen by any of them:")
        console.print(metrics_table({str(scorer["name"]): scorer for scorer in found.scorers}))
        base = found.scorers[0]
        console.print(
            f"Without any scorer: {base['base_rate']['value']:.1%} reach the goal, log loss {base['base_log_loss']:.4f}"
        )
        sure = "" if found.decided else ", but the difference may be chance"
        console.print(f"{found.winner} has the lower log loss, by {-found.difference['value']:.4f}{sure}.")


def metrics_table(scorers: Mapping[str, Mapping[str, Any]]) -> Table:
    """Put scorers side by side, each number with its interval."""
    table = Table("", *scorers, box=None)
    for name, words, shape in _SHOWN:
        table.add_row(words, *[_with_interval(metrics[name], shape) for metrics in scorers.values()])
    return table


def _with_interval(number: Mapping[str, float], shape: str) -> str:
    value, low, high = (shape.format(number[part]) for part in ("value", "low", "high"))
    return f"{value} ({low} – {high})"
