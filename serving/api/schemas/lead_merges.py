"""Merges of leads."""

from typing import Literal

from pydantic import Field

from serving.api.schemas.answer import Answer, UtcInstant


class MergeOut(Answer):
    """What became of a merge."""

    lead_id: str = Field(description="the lead that was merged", examples=["L-2"])
    into: str = Field(description="the lead that stays", examples=["L-1"])
    merged_at: UtcInstant = Field(description="from then on one score stands for both")
    status: Literal["merged", "duplicate"] = Field(description="merged now, or before already", examples=["merged"])
