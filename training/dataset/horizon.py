"""The horizon: how long leads take to reach the goal, as manifests and evaluations hold it."""

from pydantic import Field

from training.statistics.estimate import Estimate, EvaluationPart, Number


class HorizonPoint(EvaluationPart):
    """The share of eventual conversions reached by a day."""

    day: float
    reached: Number


class Horizon(EvaluationPart):
    """How long leads take to reach the goal, and whether the goal's horizon holds enough of them."""

    share: Estimate | None = Field(
        description="of all conversions, those within the horizon; no number where the history is too short to tell"
    )
    proposed_days: Number = Field(
        description="the smallest usual horizon that would hold 90 %, where the playbook's holds less"
    )
    median_days: Number = Field(description="half of all conversions take at most so long")
    watched_days: Number = Field(default=None, description="conversions are known up to here")
    says: str = Field(description="all this in one sentence")
    curve: tuple[HorizonPoint, ...]
