"""API keys: what is known of each, and a new one with its secret."""

from typing import Annotated, Literal

from pydantic import Field

from serving.api.schemas.answer import Answer, OptionalInstant, UtcInstant
from serving.callers.keys import LONGEST_DAYS, Key
from serving.facts import Fact
from serving.lead_ids import Id

ScopeName = Literal["events:write", "scores:read", "routes:write", "models:write", "admin"]


class NewKey(Fact):
    """A key to be created."""

    name: Id = Field(description="who will hold it", examples=["crm"])
    scopes: list[ScopeName] = Field(min_length=1, description="what it may do", examples=[["scores:read"]])
    expires_days: Annotated[float, Field(gt=0, le=LONGEST_DAYS)] | None = Field(
        default=None, description="days until it expires; default: never", examples=[365]
    )
    addresses: list[Id] = Field(
        default_factory=list,
        max_length=20,
        description="addresses or ranges it may be used from; default: anywhere",
        examples=[["10.0.0.0/8"]],
    )


class KeyRotation(Fact):
    """How a key is to be replaced."""

    overlap_hours: Annotated[float, Field(ge=0, le=24 * LONGEST_DAYS)] = Field(
        default=24, description="hours for which the old key still works", examples=[24]
    )


class KeyOut(Answer):
    """What is known of a key, without its secret."""

    key_id: str = Field(description="names the key, and opens nothing", examples=["9f86d081884c"])
    name: str = Field(description="who holds it", examples=["crm"])
    scopes: list[ScopeName] = Field(description="what it may do", examples=[["scores:read"]])
    addresses: list[str] = Field(description="where it may be used from; empty: anywhere", examples=[["10.0.0.0/8"]])
    state: Literal["in force", "replaced", "expired", "revoked"] = Field(
        description="replaced keys work until they expire", examples=["in force"]
    )
    created_at: UtcInstant = Field(description="when it was made")
    expires_at: OptionalInstant = Field(description="when it stops working; null is never")
    revoked_at: OptionalInstant = Field(description="when it was revoked; null where it was not")
    last_used_at: OptionalInstant = Field(description="when it was last used, to the minute; null is never")
    replaced_by: str | None = Field(description="the key that took its place", examples=["2c26b46b68ff"])

    @classmethod
    def of(cls, key: Key, now: int) -> "KeyOut":
        """Return a key as it is answered at an instant [us since 1970 UTC]."""
        return cls.model_validate(_content(key, now))


class CreatedKeyOut(KeyOut):
    """A new key; its secret is shown now and never again."""

    secret: str = Field(
        description="what callers send as `Authorization: Bearer lsk_…`; the store holds its hash alone",
        examples=["lsk_…"],
    )

    @classmethod
    def with_secret(cls, key: Key, secret: str, *, now: int) -> "CreatedKeyOut":
        """Return a new key as it is answered."""
        return cls.model_validate({**_content(key, now), "secret": secret})


class KeysOut(Answer):
    """Every key that was ever created, the newest first."""

    keys: list[KeyOut] = Field(description="the keys")


def _content(key: Key, now: int) -> dict[str, object]:
    columns = {name: getattr(key, name) for name in KeyOut.model_fields if name != "state"}
    return {**columns, "scopes": sorted(key.scopes), "addresses": list(key.addresses), "state": key.state(now)}
