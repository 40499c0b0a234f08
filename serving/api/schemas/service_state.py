"""Whether the service runs and can answer, and what administrators did."""

from typing import Literal

from pydantic import Field

from serving.api.schemas.answer import Answer, UtcInstant


class LivenessOut(Answer):
    """The process runs."""

    status: Literal["ok"] = Field(default="ok", description="always ok", examples=["ok"])


class ReadinessOut(Answer):
    """The service can answer."""

    status: Literal["ok"] = Field(default="ok", description="always ok", examples=["ok"])
    degraded: bool = Field(description="whether a lesser scorer stands in for the model", examples=[False])


class AuditEntryOut(Answer):
    """Something that an administrator did."""

    id: int = Field(description="rises with every entry", examples=[7])
    at: UtcInstant = Field(validation_alias="noted_at", description="when it was done")
    actor: str = Field(description="a key's id, or the user of the command line", examples=["9f86d081884c"])
    act: str = Field(validation_alias="action", description="what was done", examples=["keys.revoke"])
    about: str = Field(
        validation_alias="target",
        description="what it was done to; a lead only by its keyed hash",
        examples=["9f86d081884c"],
    )


class AuditOut(Answer):
    """What administrators did, the newest first."""

    notes: list[AuditEntryOut] = Field(description="the entries")
