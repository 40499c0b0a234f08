"""
The evaluation of a training: everything it found, as one typed document.

The report, the model card, the notebooks, MLflow and ``--json`` all read this document, so no two of them can count
differently. It is kept as ``evaluation.json``; ``Evaluation.model_json_schema()`` describes it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError

from training.errors import TrainingError
from training.evaluation.scorer_evaluation import (
    Curves,
    LogLossDifference,
    OriginEvaluation,
    SegmentEvaluation,
    first_of,
)
from training.evaluation.training_summary import (
    ColdStart,
    DataSummary,
    GoalSummary,
    LearnedScorecard,
    ModelSummary,
    PlaybookSummary,
    ReasonWeight,
)
from training.gates.gate import QUESTION, GateResult
from training.lists.list_evaluation import ListTest
from training.replay.replay_evaluation import ReplayEvaluation
from training.statistics.estimate import EvaluationPart
from training.statistics.scorer_metrics import ScorerEvaluation

FILE = "evaluation.json"
LEARNED_RULES = "scorecard.yaml"
"""The point rules distilled from a model, which a training puts beside its evaluation."""


class Evaluation(EvaluationPart):
    """Everything a training found; without a model, and with empty parts, where only the point rules score."""

    format_version: Literal[3] = 3
    playbook: PlaybookSummary
    goal: GoalSummary
    capacity_per_day: float
    trained_at: str
    version: str | None = Field(default=None, description="the registry's; None where only the rules score")
    run_id: str | None = None
    data: DataSummary
    history_breaks: tuple[str, ...] = Field(
        default=(), description="where outcomes or leads begin, end or change in the midst of the history"
    )
    cold_start: ColdStart
    gates: tuple[GateResult, ...] = ()
    model: ModelSummary | None = None
    reasons: tuple[ReasonWeight, ...] = Field(default=(), description="largest first")
    scorers: tuple[ScorerEvaluation, ...] = Field(default=(), description="the model first, on the test rows")
    differences: tuple[LogLossDifference, ...] = ()
    origins: tuple[OriginEvaluation, ...] = Field(default=(), description="oldest first")
    segments: tuple[SegmentEvaluation, ...] = ()
    curves: Curves = Curves()
    lists: ListTest | None = Field(default=None, description="the lists of the test weeks: promised against came")
    replay: ReplayEvaluation | None = None
    learned_scorecard: LearnedScorecard | None = None
    accepted_risk: str | None = Field(default=None, description="why a failed gate did not stop the training")
    verdict: str = ""

    @property
    def model_scorer(self) -> ScorerEvaluation | None:
        """The evaluated model among the scorers; None where only the rules score."""
        return first_of(self.scorers, "model")

    @property
    def rules_scorer(self) -> ScorerEvaluation | None:
        """The playbook's own point rules among the scorers."""
        return first_of(self.scorers, "rules")

    @property
    def blocking_gates(self) -> tuple[GateResult, ...]:
        """The gates that failed and were not accepted; with one of them the model may not be promoted."""
        return tuple(gate for gate in self.gates if gate.state == "failed")

    @property
    def accepted_gates(self) -> tuple[GateResult, ...]:
        """The gates that failed and were accepted with a reason."""
        return tuple(gate for gate in self.gates if gate.state == "failed, accepted")

    @property
    def asking_gates(self) -> tuple[GateResult, ...]:
        """The gates that passed with a question for the user."""
        return tuple(gate for gate in self.gates if gate.state == QUESTION)

    def with_version(self, version: str) -> Self:
        """Return the evaluation with the version that the registry gave the model."""
        return self.model_copy(update={"version": version})

    def with_history_breaks(self, sentences: Iterable[str]) -> Self:
        """Return the evaluation with the breaks of the history it was made of, in words."""
        return self.model_copy(update={"history_breaks": tuple(sentences)})

    def to_json(self) -> str:
        """Return the text of ``evaluation.json``; numbers are finite."""
        return self.model_dump_json(indent=1)


def read_evaluation(folder: Path) -> Evaluation:
    """
    Read the evaluation that a training left in its folder.

    Raises:
        TrainingError: there is none, it is damaged, or another version of leadscore wrote it.
    """
    path = folder / FILE
    try:
        return Evaluation.model_validate_json(path.read_bytes())
    except OSError as error:
        reason = error.strerror or str(error)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        reason = f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
    message = (
        f"{path} cannot be read ({reason}). Reports of leadscore 0.2 and before are not read: train again to have a "
        "report."
    )
    raise TrainingError(message)
