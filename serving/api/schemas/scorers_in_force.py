"""Which scorer answers, what made it, and which were deployed."""

from typing import Any, Literal

from pydantic import Field

from serving.api.schemas.answer import Answer, UtcInstant
from serving.api.schemas.explained_scores import ScorerOut
from serving.scorers.deployments import Deployment

_SOURCE = Field(description="found promoted in the models folder, or deployed", examples=["promotion"])


class GoalOut(Answer):
    """What counts as success."""

    stage: str = Field(description="the stage to reach", examples=["sql"])
    horizon_days: float = Field(description="within how many days", examples=[30])


class BandsOut(Answer):
    """The points from which a lead is handed over, and from which each grade begins."""

    threshold: float = Field(description="points from which a lead is handed over", examples=[62.5])
    a: float = Field(description="points from which the grade is A", examples=[70.0])
    b: float = Field(description="points from which the grade is B", examples=[55.0])
    c: float = Field(description="points from which the grade is C; below it is D", examples=[40.0])


class ColdStartOut(Answer):
    """How far the company's history carries, as of the newest training."""

    rung: Literal["rules only", "small model", "full model"] = Field(
        description="what the history is enough for", examples=["small model"]
    )
    succeeded: int = Field(description="leads of the training period that reached the goal", examples=[120])
    failed: int = Field(description="leads of the training period that did not", examples=[3000])
    missing: str = Field(
        description="what the next rung needs; empty on the highest",
        examples=["380 more leads that reach sql make a full model"],
    )
    says: str = Field(
        description="all of this in one sentence",
        examples=["Small model, from 120 leads that succeeded and 900 that did not: 80 more leads make a full model."],
    )


class ModelCardOut(Answer):
    """What the model was made of and how it was evaluated, as in its bundle; null where the bundle does not say."""

    data: dict[str, Any] | None = Field(
        description="goal, plan of the blocks, rows, and until when history went",
        examples=[{"rows": 41_200, "until": "2026-02-01T00:00:00Z"}],
    )
    test: dict[str, Any] | None = Field(
        description="its numbers on later leads, with intervals", examples=[{"average_precision": 0.31}]
    )
    gates: list[dict[str, Any]] | None = Field(
        description="each gate: name, passed, says, numbers, accepted",
        examples=[[{"name": "never use", "passed": True}]],
    )
    accepted_risk: str | None = Field(
        description="why a failed gate did not stop the training", examples=["calibration is mended next week"]
    )


class SignatureOut(Answer):
    """Who vouches that the figures on the card are those of the model."""

    state: Literal["signed", "unsigned", "untrusted", "revoked"] = Field(
        description="whether a trusted key signed the bundle; nobody did; or a key that is not trusted, or was revoked",
        examples=["signed"],
    )
    key_id: str | None = Field(description="the key that signed it; null if none did", examples=["7c8edf77d1d0aec9"])


class ScorerInForceOut(Answer):
    """A scorer in force."""

    scorer: ScorerOut = Field(description="which one")
    source: Literal["promotion", "deploy"] = _SOURCE
    deployed_at: UtcInstant = Field(description="since when")


class ShadowComparisonOut(Answer):
    """The shadow against the champion, on the leads that the shadow scored last, at most 1,000."""

    leads: int = Field(description="leads that both have scored", examples=[1000])
    mean_difference_points: float | None = Field(
        description="mean of the absolute differences of their points", examples=[3.4]
    )
    same_side_share: float | None = Field(
        description="share of the leads that both would hand over, or neither, each by its own threshold",
        examples=[0.97],
    )


class ShadowOut(ScorerInForceOut):
    """A scorer that scores the same leads and hands over none; its scores are only recorded and compared."""

    problem: str | None = Field(
        description="why it cannot be used, if it cannot", examples=["a feature is not in the playbook"]
    )
    signature: SignatureOut | None = Field(description="who vouches for it; null where it cannot be used")
    compared: ShadowComparisonOut = Field(description="how it compares with the champion")


class DeploymentOut(Answer):
    """A scorer that was put in a role."""

    number: int = Field(description="rises with every deployment", examples=[4])
    role: Literal["champion", "shadow"] = Field(description="the role", examples=["champion"])
    scorer: ScorerOut | None = Field(description="which one; null where the role was left empty")
    source: Literal["promotion", "deploy"] = _SOURCE
    deployed_at: UtcInstant = Field(description="since when")
    deployed_by: str = Field(
        description="a key's id, or the user who promoted it or ran the command line", examples=["9f86d081884c"]
    )


class DeploymentsOut(Answer):
    """The deployments, the newest first; the first of a role is in force."""

    deployments: list[DeploymentOut] = Field(description="the deployments")


class ModelOut(Answer):
    """Which scorer answers."""

    scorer: ScorerOut = Field(description="which one")
    degraded: bool = Field(description="whether it stands in for the model", examples=[False])
    problem: str | None = Field(
        description="why a stand-in answers; null where none does", examples=["no model was promoted"]
    )
    goal: GoalOut = Field(description="what counts as success")
    bands: BandsOut = Field(description="the points of threshold and grades")
    hysteresis_points: float = Field(
        description="points below the threshold under which a lead may cross again", examples=[5.0]
    )
    features: int = Field(description="how many features it reads", examples=[56])
    signature: SignatureOut | None = Field(description="who vouches for the model; null for point rules")
    card: ModelCardOut | None = Field(description="what the model was made of; null for point rules")
    standing: ColdStartOut | None = Field(description="how far the history carries; null before anything was trained")
    champion: ScorerInForceOut | None = Field(
        description="the champion; another scorer stands in where it cannot be used"
    )
    shadow: ShadowOut | None = Field(description="the shadow; null where there is none")


def in_force(deployment: Deployment | None) -> ScorerInForceOut | None:
    """Return the scorer of a deployment as it is answered; None where the role is empty."""
    if deployment is None or deployment.scorer is None:
        return None
    return ScorerInForceOut.model_validate(deployment)
