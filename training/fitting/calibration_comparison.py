"""How well each kind of calibration did, as the choice among them and the evaluation hold it."""

from pydantic import Field

from training.statistics.estimate import Estimate, EvaluationPart


class CalibrationComparison(EvaluationPart):
    """How well a kind of calibration did on accounts that it was not fitted to."""

    kind: str
    log_loss: float = Field(description="weighted mean over the block's rows")
    difference: Estimate = Field(description="its log loss minus Platt's on the same rows")

    @property
    def is_better(self) -> bool:
        """Whether its log loss is lower than Platt's beyond noise."""
        return self.difference.sign < 0
