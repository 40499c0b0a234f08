"""A registered model beside the champion and every scorecard, on the same leads of the same weeks."""

from pydantic import Field

from training.evaluation.scorer_evaluation import Period
from training.replay.replay_evaluation import ReplayEvaluation
from training.statistics.estimate import Estimate, EvaluationPart
from training.statistics.scorer_metrics import ScorerEvaluation


class ModelComparison(EvaluationPart):
    """What ``compare`` found."""

    version: str = Field(description="the model's")
    test: Period = Field(description="from when to when the snapshots were taken")
    scorers: tuple[ScorerEvaluation, ...]
    winner: str = Field(description="name of the scorer with the lowest log loss")
    difference: Estimate = Field(description="its log loss minus that of the next best")
    decided: bool = Field(description="whether that is more than chance")
    replay: ReplayEvaluation
