"""All that is held about a lead, and what erasing it did."""

from typing import Any, Literal

from pydantic import Field

from serving.api.schemas.answer import Answer, UtcInstant
from serving.api.schemas.explained_scores import ScoreOut, ScorerOut


class RewrittenFilesOut(Answer):
    """Files that were made from the lead."""

    deleted: list[str] = Field(
        default=[],
        description="caches that held it; they are made anew when they are needed",
        examples=[["data/store/leads.parquet"]],
    )
    rewritten: list[str] = Field(
        default=[], description="texts, with (erased) in place of its id", examples=[["reports/week.md"]]
    )


class RemainingCopyOut(Answer):
    """A place that may still hold something of the lead."""

    what: str = Field(description="what holds it", examples=["Backups and copies of the store that were made before"])
    until: str = Field(description="until when", examples=["as long as you keep them"])
    do: str = Field(
        description="what to do about it", examples=["Let them lapse; after restoring one, erase the lead again."]
    )


class ErasureOut(Answer):
    """The erasure receipt."""

    lead_id: str = Field(description="as it was sent; it is stored nowhere", examples=["L-1"])
    erased_at: UtcInstant = Field(description="when it was erased the first time")
    rows: dict[str, int] = Field(description="how many rows went, by table", examples=[{"leads": 1, "activities": 12}])
    bytes: Literal["gone", "freed", "pending"] = Field(
        description="whether their bytes are overwritten, their place is free for others, or this is still to be done",
        examples=["gone"],
    )
    files: RewrittenFilesOut = Field(description="the files of this machine")
    held: list[RemainingCopyOut] = Field(description="what may still hold something")


class WordedGoalOut(Answer):
    """What counts as success, in words."""

    stage: str = Field(description="the stage to reach", examples=["sql"])
    says: str = Field(description="the stage in words", examples=["a sales qualified lead"])
    horizon_days: float = Field(description="within how many days", examples=[30])


class ScoreLogicOut(Answer):
    """How scores come about and what follows from them."""

    scorer: ScorerOut = Field(description="which scorer makes them")
    degraded: bool = Field(description="whether it stands in for the model", examples=[False])
    goal: WordedGoalOut = Field(description="what counts as success")
    average_points: float = Field(description="the points of an average lead", examples=[50.0])
    points_per_doubling: float = Field(description="points more that double the odds", examples=[10.0])
    threshold: float = Field(description="points from which leads are handed over", examples=[62.5])
    hysteresis_points: float = Field(
        description="points below the threshold under which a lead may cross again", examples=[5.0]
    )
    never_used: list[str] = Field(description="activities and attributes that no score reads", examples=[["country"]])
    decided_by: str = Field(description="who decides what follows from a score", examples=["a person"])
    kept: str = Field(description="how long all of this is kept", examples=["until erased"])


class DossierOut(Answer):
    """All that is held about a lead, and the logic of its score."""

    lead_id: str = Field(description="the lead, or the one it was merged into", examples=["L-1"])
    ids: list[str] = Field(description="every id under which something is held", examples=[["L-1", "L-2"]])
    as_of: UtcInstant = Field(description="when this was so")
    held: dict[str, list[dict[str, Any]]] = Field(
        description="rows by what they are", examples=[{"outcomes": [{"outcome_id": "crm-552", "stage": "sql"}]}]
    )
    score: ScoreOut | None = Field(description="with every reason; null where the lead cannot be scored")
    logic: ScoreLogicOut = Field(description="how the score comes about")
    says: str = Field(
        description="all of this in plain sentences",
        examples=["This is all that is held about lead L-1: 12 activities."],
    )
