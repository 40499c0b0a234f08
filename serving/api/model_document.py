"""What the OpenAPI document says of models: which scorer answers, what made it, and how another one is deployed."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from serving.api.document import LIMIT, ScorerOut, problems, query

LARGEST_BUNDLE_BYTES = 64 * 2**20


class GoalOut(BaseModel):
    """What counts as success."""

    stage: str = Field(examples=["sql"])
    horizon_days: float = Field(examples=[30])


class BandsOut(BaseModel):
    """The points from which a lead is handed over, and from which each grade begins."""

    threshold: float
    a: float
    b: float
    c: float


class StandingOut(BaseModel):
    """How far the company's history carries, as the newest training found."""

    rung: Literal["rules only", "small model", "full model"]
    succeeded: int = Field(description="leads of the training period that reached the goal", examples=[120])
    failed: int = Field(description="leads of the training period that did not", examples=[3000])
    missing: str = Field(description="what the next rung needs; empty on the highest")
    says: str = Field(description="all of this in one sentence")


class CardOut(BaseModel):
    """What the model was made of and how it was judged, as its bundle says; null where the bundle does not."""

    data: dict[str, Any] | None = Field(description="goal, plan of the blocks, rows, and until when history went")
    test: dict[str, Any] | None = Field(description="its numbers on later leads, with intervals")
    gates: list[dict[str, Any]] | None = Field(description="each gate: name, passed, says, numbers, accepted")
    accepted_risk: str | None = Field(description="why a failed gate did not stop the training")


class DeployedOut(BaseModel):
    """A scorer in force."""

    scorer: ScorerOut
    source: Literal["promotion", "deploy"]
    deployed_at: str = Field(examples=["2026-03-01T12:00:05.000321Z"])


class ComparedOut(BaseModel):
    """The shadow against the champion, on the leads that the shadow scored last, at most 1,000."""

    leads: int = Field(description="leads that both have scored", examples=[1000])
    mean_difference_points: float | None = Field(description="of the points, each without its sign", examples=[3.4])
    same_side_share: float | None = Field(
        description="share of the leads that both would hand over, or neither, each by its own threshold",
        examples=[0.97],
    )


class ShadowOut(DeployedOut):
    """A scorer that scores the same leads, routes nothing and is compared."""

    problem: str | None = Field(description="why it cannot be used, if it cannot")
    compared: ComparedOut


class DeploymentOut(BaseModel):
    """A scorer put in a role."""

    number: int
    role: Literal["champion", "shadow"]
    scorer: ScorerOut | None = Field(description="null where whoever was there was taken away")
    source: Literal["promotion", "deploy"]
    deployed_at: str
    deployed_by: str = Field(description="a key's id, or who promoted it or ran the command line")


class DeploymentsOut(BaseModel):
    """The newest deployments first; the first of a role is in force."""

    deployments: list[DeploymentOut]


class ModelOut(BaseModel):
    """Which scorer answers."""

    scorer: ScorerOut
    degraded: bool
    problem: str | None = Field(description="why a stand-in answers")
    goal: GoalOut
    bands: BandsOut
    hysteresis_points: float
    features: int
    card: CardOut | None = Field(description="null for point rules")
    standing: StandingOut | None = Field(description="null before anything was trained")
    champion: DeployedOut | None = Field(
        description="who is in force; another scorer stands in where it cannot be used"
    )
    shadow: ShadowOut | None


READ_MODEL: dict[str, Any] = {
    "summary": "Say which scorer answers",
    "response_model": ModelOut,
    "responses": problems((422, "The query is not what was expected")),
}

_ROLE = query("role", "where", {"enum": ["champion", "shadow"], "default": "champion"})

_VERSION = query("version", "the registry's label for it", {"type": "string", "minLength": 1, "maxLength": 200})

_SHADOW = {**query("role", "only a shadow can be taken away", {"const": "shadow"}), "required": True}
_PACKED = {
    "type": "object",
    "additionalProperties": False,
    "required": ["files"],
    "properties": {
        "files": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "name of the file: text",
        },
        "version": {"type": ["string", "null"], "maxLength": 200, "description": "the registry's label"},
        "fingerprint": {"type": ["string", "null"], "maxLength": 200, "description": "the sha256 of manifest.json"},
    },
}

_PACKED_EXAMPLES = {
    "whole": {
        "summary": "the content of a bundle's folder, shortened",
        "value": {"files": {"manifest.json": "{…}", "trees.json": "{…}"}, "version": "3"},
    }
}

PUT_MODEL: dict[str, Any] = {
    "summary": "Deploy a bundle",
    "response_model": ModelOut,
    "responses": problems(
        (413, "The bundle is too large"), (422, "The bundle is refused, or the query is not what was expected")
    ),
    "max_body_size": LARGEST_BUNDLE_BYTES,
    "openapi_extra": {
        "parameters": [_ROLE, _VERSION],
        "requestBody": {
            "required": True,
            "description": "the bundle's files, as `leadscore deploy` packs them, or as JSON",
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
                "application/json": {"schema": _PACKED, "examples": _PACKED_EXAMPLES},
            },
        },
    },
}

DELETE_MODEL: dict[str, Any] = {
    "summary": "Take the shadow away",
    "response_model": ModelOut,
    "responses": problems((422, "The query is not what was expected")),
    "openapi_extra": {"parameters": [_SHADOW]},
}

READ_DEPLOYMENTS: dict[str, Any] = {
    "summary": "List deployments",
    "response_model": DeploymentsOut,
    "responses": problems((422, "The query is not what was expected")),
    "openapi_extra": {"parameters": [LIMIT]},
}
