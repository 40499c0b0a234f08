"""The name of each metric, which way is better, what it means, and the names of kinds, blocks and outcomes of gates."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from training.gates.gate import NOT_CONTRADICTED, QUESTION, GateState
from training.statistics.number_format import Shape

Better = Literal["higher", "lower", "near one", "neither"]


@dataclass(frozen=True, slots=True)
class Metric:
    """
    One metric as readers meet it.

    Attributes:
        words: its name, as it heads a column.
        shape: how its numbers are written.
        better: which way is good.
        says: what it means, in one sentence.
    """

    words: str
    shape: Shape
    better: Better
    says: str

    @property
    def aim(self) -> str:
        """Which way is good, in a few words; empty where neither way is."""
        return {"higher": "higher is better", "lower": "lower is better", "near one": "1 is right", "neither": ""}[
            self.better
        ]


@dataclass(frozen=True, slots=True)
class GateMark:
    """The sign that stands before a gate's outcome, and the style of both."""

    mark: str
    style: str


METRICS: Mapping[str, Metric] = {
    "precision_at_capacity": Metric(
        "called snapshots that succeed",
        "share",
        "higher",
        "Of the snapshots of each day that the team has time to call, best first, the share whose lead reaches the "
        "goal. A lead may have several; the replay calls each lead once.",
    ),
    "recall_at_capacity": Metric(
        "successful snapshots called",
        "share",
        "higher",
        "Of all snapshots whose lead reaches the goal, the share among those the team had time to call.",
    ),
    "lift_at_5": Metric(
        "best twentieth, times average",
        "times",
        "higher",
        "How much more often the best 5 % of the snapshots succeed than all.",
    ),
    "lift_at_10": Metric(
        "best tenth, times average",
        "times",
        "higher",
        "How much more often the best 10 % of the snapshots succeed than all.",
    ),
    "lift_at_20": Metric(
        "best fifth, times average",
        "times",
        "higher",
        "How much more often the best 20 % of the snapshots succeed than all.",
    ),
    "precision_at_10": Metric(
        "best tenth that succeeds",
        "share",
        "higher",
        "Of the best 10 % of the snapshots, the share whose lead reaches the goal.",
    ),
    "found_by_best_25": Metric(
        "successes in the best quarter",
        "share",
        "higher",
        "Of all snapshots whose lead reaches the goal, the share among the best 25 %; a useful scorer has 60 % or more "
        "there.",
    ),
    "top_over_bottom": Metric(
        "best tenth over worst half",
        "times",
        "higher",
        "How many times as often the best 10 % of the snapshots succeed as the worst 50 %; a useful scorer reaches 10.",
    ),
    "value_at_capacity": Metric(
        "value per called snapshot",
        "money",
        "higher",
        "What one called snapshot is worth on average, in the currency of the amounts.",
    ),
    "log_loss": Metric(
        "log loss",
        "loss",
        "lower",
        "How far the chances were from what happened; being sure and wrong costs most. Training minimises it.",
    ),
    "base_log_loss": Metric(
        "log loss without any scorer", "loss", "neither", "The log loss of giving every lead the same chance."
    ),
    "brier_skill": Metric(
        "Brier skill",
        "share",
        "higher",
        "Of the squared error of giving every lead the same chance, the share that is gone.",
    ),
    "auc": Metric(
        "AUC",
        "score",
        "higher",
        "How often a snapshot whose lead succeeds stands above one whose lead does not; 0.5 is a coin toss, 1 is every "
        "time.",
    ),
    "pr_auc": Metric(
        "PR-AUC", "score", "higher", "The average precision down the list; to be read beside the rate of success."
    ),
    "base_rate": Metric(
        "rate of success", "share", "neither", "The share of these snapshots whose lead reaches the goal."
    ),
    "observed_over_expected": Metric(
        "observed / expected",
        "ratio",
        "near one",
        "Successes that happened over those the chances add up to; above 1 the chances were too low.",
    ),
    "slope": Metric(
        "calibration slope",
        "ratio",
        "near one",
        "Below 1, high chances were too high and low ones too low; above 1, the other way round.",
    ),
    "ece": Metric(
        "calibration error",
        "loss",
        "lower",
        "The average distance between the predicted chance and the share that came true (ECE).",
    ),
}

HEADLINE = ("log_loss", "precision_at_capacity", "recall_at_capacity", "lift_at_10", "auc", "observed_over_expected")
"""What every table of scorers begins with; log loss stands first, in sight on the narrowest screen."""

GATE_MARKS: Mapping[GateState, GateMark] = {
    "passed": GateMark("✓", "passed"),
    NOT_CONTRADICTED: GateMark("~", "unsure"),
    QUESTION: GateMark("?", "unsure"),
    "failed": GateMark("✗", "failed"),
    "failed, accepted": GateMark("!", "accepted"),
}

KINDS: Mapping[str, str] = {
    "model": "learned model",
    "rules": "point rules",
    "learned rules": "learned scorecard",
    "baseline": "baseline",
}

BLOCKS: Mapping[str, str] = {
    "train": "train",
    "purged": "purged between train and test",
    "test": "test",
}
