"""What the OpenAPI document says of erasing a lead and of its dossier."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from serving.api.document import LEAD, ScoreOut, problems


class FilesOut(BaseModel):
    """Files that were made from the lead."""

    deleted: list[str] = Field(description="caches that held it; they are made anew when they are needed")
    rewritten: list[str] = Field(description="texts, with (erased) in place of its id")


class StillHeldOut(BaseModel):
    """A place that may still hold something of the lead."""

    what: str = Field(examples=["Backups and copies of the store that were made before"])
    until: str = Field(examples=["as long as you keep them"])
    do: str = Field(examples=["Let them lapse; after restoring one, erase the lead again."])


class ErasedOut(BaseModel):
    """The erasure receipt."""

    lead_id: str = Field(description="as it was asked for; it is kept nowhere", examples=["L-1"])
    erased_at: str = Field(description="when it was erased the first time")
    rows: dict[str, int] = Field(description="how many rows went, by table", examples=[{"leads": 1, "activities": 12}])
    bytes: Literal["gone", "freed", "pending"] = Field(
        description="whether their bytes are overwritten, their place is free for others, or this is still to be done"
    )
    files: FilesOut
    held: list[StillHeldOut]


class LogicOut(BaseModel):
    """How scores come about and what follows from them."""

    scorer: dict[str, str]
    degraded: bool
    goal: dict[str, Any]
    average_points: float
    points_per_doubling: float
    threshold: float
    hysteresis_points: float
    never_used: list[str]
    decided_by: str
    kept: str


class DossierOut(BaseModel):
    """All that is held about a lead, and the logic of its score."""

    lead_id: str = Field(description="the lead, or what it was merged into", examples=["L-1"])
    ids: list[str] = Field(description="every id under which something is held")
    as_of: str
    held: dict[str, list[dict[str, Any]]] = Field(description="rows by what they are")
    score: ScoreOut | None = Field(description="with every reason; null where the lead cannot be scored")
    logic: LogicOut
    says: str = Field(description="all of this in plain sentences")


_MISSING = (404, "Nothing is known under this id")
ERASE: dict[str, Any] = {
    "summary": "Erase a lead",
    "response_model": ErasedOut,
    "responses": problems(_MISSING),
    "openapi_extra": {"parameters": [LEAD]},
}
DOSSIER: dict[str, Any] = {
    "summary": "Give all that is held about a lead",
    "response_model": DossierOut,
    "responses": problems(_MISSING),
    "openapi_extra": {"parameters": [LEAD]},
}
