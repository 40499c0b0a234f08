"""What the OpenAPI document says of receipts, their replay, what changed, and the worklist."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from serving.api.document import LEAD, LIMIT, ReasonOut, ScoreOut, ScorerOut, problems, query

_WHEN: dict[str, Any] = {"type": "string", "format": "date-time"}
_RECEIPT = {
    "name": "receipt_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
}


class StoredScoreOut(BaseModel):
    """A lead's score as it was found when it was last looked at."""

    lead_id: str = Field(examples=["L-1"])
    as_of: str
    score: int = Field(examples=[71])
    points: float
    grade: Literal["A", "B", "C", "D"]
    probability: float | None
    newest_activity_at: str | None
    receipt_id: str = Field(description="the receipt that says why")
    lag_s: float = Field(description="seconds since it was last found to be so")
    waiting: bool = Field(description="whether facts came since that are not counted yet")
    stale: bool = Field(description="whether it is older than promised, or another scorer's")
    why_stale: str | None


class WorklistOut(BaseModel):
    """The open leads with the highest scores first."""

    scores: list[StoredScoreOut]
    now: str


class PastScorerOut(BaseModel):
    """Which scorer made a receipt; only its fingerprint is known where it cannot be loaded any more."""

    fingerprint: str
    kind: Literal["rules", "model"] | None = None
    name: str | None = None
    version: str | None = None


class ReceiptOut(BaseModel):
    """A score that was given; base_points plus the points of all reasons is points."""

    receipt_id: str
    lead_id: str
    role: Literal["champion", "shadow"]
    as_of: str
    score: int
    points: float
    base_points: float
    probability: float | None
    grade: Literal["A", "B", "C", "D"]
    threshold: float = Field(description="points from which leads were handed over then")
    reasons: list[ReasonOut]
    scorer: PastScorerOut
    degraded: bool
    newest_activity_at: str | None


class ReceiptsOut(BaseModel):
    """The newest receipts first."""

    receipts: list[ReceiptOut]


class ReplayOut(BaseModel):
    """A receipt given again."""

    receipt_id: str
    equal: bool = Field(description="whether values and facts give the very same score again")
    differences: list[str] = Field(description="what is not the same, feature by feature and reason by reason")
    given: ReceiptOut
    again: ScoreOut | None = Field(description="what the facts as they were known then give now")


class EndOut(BaseModel):
    """A score at one end of a change."""

    score: int
    points: float
    grade: Literal["A", "B", "C", "D"]
    scorer: PastScorerOut | ScorerOut


class ChangesOut(BaseModel):
    """What changed: before.points plus the points of all changes is after.points."""

    lead_id: str
    since: str
    as_of: str
    before: EndOut
    after: EndOut
    points: float = Field(description="the difference")
    changes: list[ReasonOut] = Field(description="those that moved most first")
    says: str = Field(description="the most important of it in a sentence")


_MISSING = (404, "Nothing is known under this id")
_QUERY = (422, "The query is not what was expected")
WORKLIST: dict[str, Any] = {
    "summary": "List the leads to call first",
    "response_model": WorklistOut,
    "responses": problems(_QUERY),
    "openapi_extra": {
        "parameters": [LIMIT, query("grade", "only leads of this grade", {"enum": ["A", "B", "C", "D"]})]
    },
}
LIST_RECEIPTS: dict[str, Any] = {
    "summary": "List the receipts of a lead",
    "response_model": ReceiptsOut,
    "responses": problems(_MISSING, _QUERY),
    "openapi_extra": {
        "parameters": [
            LEAD,
            LIMIT,
            query("role", "who gave them", {"enum": ["champion", "shadow"], "default": "champion"}),
        ]
    },
}
READ_RECEIPT: dict[str, Any] = {
    "summary": "Read a receipt",
    "response_model": ReceiptOut,
    "responses": problems(_MISSING, _QUERY),
    "openapi_extra": {"parameters": [_RECEIPT]},
}
REPLAY: dict[str, Any] = {
    "summary": "Give a receipt again",
    "response_model": ReplayOut,
    "responses": problems(_MISSING, _QUERY),
    "openapi_extra": {"parameters": [_RECEIPT]},
}
READ_CHANGES: dict[str, Any] = {
    "summary": "Say what changed in a score",
    "response_model": ChangesOut,
    "responses": problems(_MISSING, _QUERY),
    "openapi_extra": {
        "parameters": [LEAD, {**query("since", "an instant that has passed, with its offset", _WHEN), "required": True}]
    },
}
