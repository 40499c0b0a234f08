"""A bundle as the body of a request: packed by ``leadscore deploy``, or its files as JSON."""

from pydantic import BaseModel, ConfigDict, Field

from models.packed_bundle import LARGEST_BYTES
from serving.api.json_body import RawBody, json_content, schemas_of

LARGEST_BUNDLE_BYTES = LARGEST_BYTES
"""A packed bundle is smaller than what it unpacks to, and JSON as it is must not be larger either."""

_EXAMPLE = {"files": {"manifest.json": "{…}", "trees.json": "{…}"}, "version": "3"}


class PackedBundleBody(BaseModel):
    """A bundle as JSON; ``models.packed_bundle`` reads it."""

    model_config = ConfigDict(extra="forbid")

    files: dict[str, str] = Field(
        description="the text of each file by its name", examples=[{"manifest.json": "{…}", "trees.json": "{…}"}]
    )
    version: str | None = Field(default=None, max_length=200, description="the registry's label", examples=["3"])
    fingerprint: str | None = Field(
        default=None, max_length=200, description="the SHA-256 of manifest.json", examples=["9f86d081884c"]
    )


class BundleBody(RawBody):
    """A dependency: the bytes of a bundle."""

    def __init__(self) -> None:
        reference, schemas = schemas_of(PackedBundleBody)
        content = json_content(reference, shortened=_EXAMPLE)
        content["content"]["application/octet-stream"] = {"schema": {"type": "string", "format": "binary"}}
        content["description"] = "the bundle's files, as `leadscore deploy` packs them, or as JSON"
        super().__init__(content, schemas)
