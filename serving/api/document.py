"""The OpenAPI document: what each route takes and gives, with examples."""

from typing import Any, Literal

from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field

from serving.api.auth import add_scopes
from serving.api.problems import MEDIA_TYPE, Problem
from serving.facts import Fact, Preview

LARGEST_BODY_BYTES = 8 * 2**20
_EXAMPLES: dict[str, dict[str, Any]] = {
    "LeadFact": {
        "lead_id": "L-1",
        "account_id": "A-7",
        "attributes": {"seniority": "director", "employees": 250, "business_email": True},
    },
    "ActivityFact": {
        "activity_id": "web-81723",
        "lead_id": "L-1",
        "kind": "page_view",
        "occurred_at": "2026-03-01T12:00:00Z",
        "subject": "pricing",
    },
    "OutcomeFact": {
        "outcome_id": "crm-552",
        "lead_id": "L-1",
        "stage": "sql",
        "reached_at": "2026-03-02T09:30:00+01:00",
        "amount": 12000,
    },
}
_PREVIEW_EXAMPLE = {
    "lead": _EXAMPLES["LeadFact"],
    "activities": [{"kind": "demo_request", "occurred_at": "2026-03-01T12:00:00Z"}],
}


class ResultOut(BaseModel):
    """What became of one item."""

    id: str | None = Field(examples=["web-81723"])
    status: Literal["stored", "duplicate", "quarantined", "rejected"] = Field(examples=["stored"])
    error: str | None = Field(default=None, description="why it was rejected")


class TakenOut(BaseModel):
    """What became of all items; what is stored is on disk."""

    results: list[ResultOut]
    stored: int = Field(examples=[1])
    duplicates: int = Field(examples=[0])
    quarantined: int = Field(description="their instant is ahead of our clock; nothing counts them", examples=[0])
    rejected: int = Field(examples=[0])


class ReasonOut(BaseModel):
    """One line of a receipt."""

    code: str = Field(examples=["page_view_pricing"])
    says: str = Field(examples=["opened the pricing page 3 times in 7 days"])
    points: float = Field(examples=[8.25])


class ScorerOut(BaseModel):
    """Which scorer made a score."""

    kind: Literal["rules", "model"] = Field(examples=["model"])
    name: str = Field(examples=["demo"])
    version: str = Field(examples=["3"])
    fingerprint: str


class ScoreOut(BaseModel):
    """An explained score: base_points plus the points of the reasons plus rest_points is points."""

    lead_id: str = Field(examples=["L-1"])
    as_of: str = Field(examples=["2026-03-01T12:00:05.000321Z"])
    score: int = Field(description="points as shown: rounded, 0 to 100", examples=[71])
    points: float = Field(examples=[70.75])
    base_points: float = Field(examples=[47.5])
    probability: float | None = Field(description="null for point rules without history", examples=[0.31])
    grade: Literal["A", "B", "C", "D"] = Field(examples=["A"])
    reasons: list[ReasonOut] = Field(description="those that moved most first")
    rest_points: float = Field(description="points of the reasons that are not shown", examples=[15.0])
    stretch: float | None = Field(
        description="the factor on this lead's reasons under a calibration that bends; null where all leads share one",
        examples=[None],
    )
    scorer: ScorerOut
    degraded: bool = Field(description="whether this scorer stands in for the model", examples=[False])
    newest_activity_at: str | None = Field(examples=["2026-03-01T12:00:00Z"])
    lag_s: float | None = Field(description="seconds from the newest activity to as_of", examples=[5.000321])
    threshold: float = Field(description="points from which leads are handed over", examples=[62.5])


class UnknownOut(BaseModel):
    """A lead that is not known."""

    lead_id: str
    error: str


class ScoresOut(BaseModel):
    """Scores in the order asked for."""

    scores: list[ScoreOut | UnknownOut]
    as_of: str


class RouteOut(BaseModel):
    """A lead that was handed over."""

    id: int
    lead_id: str
    score: int
    grade: Literal["A", "B", "C", "D"]
    threshold: float = Field(description="points from which leads were handed over then")
    routed_at: str
    reasons: list[ReasonOut]


class RoutesOut(BaseModel):
    """The newest routes first."""

    routes: list[RouteOut]


class NoteOut(BaseModel):
    """Something that an administrator did."""

    id: int
    at: str = Field(examples=["2026-03-01T12:00:05.000321Z"])
    actor: str = Field(description="a key's id, or the user of the command line", examples=["9f86d081884c"])
    act: str = Field(examples=["keys.revoke"])
    about: str = Field(description="to what; a lead only by its keyed hash", examples=["9f86d081884c"])


class NotesOut(BaseModel):
    """What was done, the newest first."""

    notes: list[NoteOut]


class HealthOut(BaseModel):
    """The process runs."""

    status: Literal["ok"]


class ReadyOut(HealthOut):
    """The service can answer."""

    degraded: bool


def describe(app: FastAPI) -> None:
    """Give the app its OpenAPI document, in which every error is a problem."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            content = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            add_scopes(content, app)
            content["components"]["schemas"] |= {"Problem": Problem.model_json_schema(), **_preview_schemas()}
            app.openapi_schema = content
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def ingest(summary: str, fact: type[Fact]) -> dict[str, Any]:
    """Describe a route that takes facts."""
    schema, example = fact.model_json_schema(), _EXAMPLES[fact.__name__]
    item = {"anyOf": [schema, {"description": "anything else is rejected in its place, and the others are kept"}]}
    either = {"anyOf": [schema, {"type": "array", "items": item, "maxItems": 1000}]}
    examples = {"one": {"summary": "one", "value": example}, "several": {"summary": "several", "value": [example]}}
    return {
        "summary": summary,
        "status_code": 202,
        "response_model": TakenOut,
        "responses": problems(
            (400, "The body is not JSON"),
            (409, "The id is taken by other content, or the first request with this key is under way"),
            (410, "The lead was erased"),
            (413, "The body is too large"),
            (422, "The object is not what was expected, or names a lead that is not known"),
        ),
        "max_body_size": LARGEST_BODY_BYTES,
        "openapi_extra": {"parameters": [ONCE], "requestBody": body(either, examples)},
    }


def body(schema: dict[str, Any], examples: dict[str, Any]) -> dict[str, Any]:
    """Describe a body of JSON."""
    return {"required": True, "content": {"application/json": {"schema": schema, "examples": examples}}}


def problems(*given: tuple[int, str]) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that a route may answer, beside those that each may."""
    all_of_them = (*given, (500, "The service made a mistake"), (503, "The store does not answer"))
    schema = {"$ref": "#/components/schemas/Problem"}
    return {status: {"description": said, "content": {MEDIA_TYPE: {"schema": schema}}} for status, said in all_of_them}


def query(name: str, said: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Describe a parameter of a query."""
    return {"name": name, "in": "query", "required": False, "description": said, "schema": schema}


ONCE: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "names this request: sent again under the same key, it is answered as it was first, for 24 hours",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$", "examples": ["0b5d0c1e"]},
}
LEAD = {"name": "lead_id", "in": "path", "required": True, "schema": {"type": "string", "examples": ["L-1"]}}
_REASONS = query(
    "reasons",
    "how many reasons to word, or all",
    {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 1000}, {"const": "all"}], "default": 5},
)
_AS_OF = query(
    "as_of",
    "an instant that has passed, with its offset; the answer uses what was known then",
    {"type": "string", "format": "date-time"},
)
LIMIT = query("limit", "how many", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100})
_ASKED = {
    "type": "object",
    "additionalProperties": False,
    "required": ["lead_ids"],
    "properties": {"lead_ids": {"type": "array", "maxItems": 1000, "items": {"type": "string", "maxLength": 200}}},
}

READ_SCORE: dict[str, Any] = {
    "summary": "Score a lead",
    "response_model": ScoreOut,
    "responses": problems((404, "The lead is not known, or was not yet"), (422, "The query is not what was expected")),
    "openapi_extra": {"parameters": [LEAD, _REASONS, _AS_OF]},
}
READ_SCORES: dict[str, Any] = {
    "summary": "Score many leads",
    "response_model": ScoresOut,
    "responses": problems(
        (400, "The body is not JSON"), (413, "The body is too large"), (422, "The request is not what was expected")
    ),
    "max_body_size": LARGEST_BODY_BYTES,
    "openapi_extra": {
        "parameters": [_REASONS, _AS_OF],
        "requestBody": body(_ASKED, {"two": {"summary": "two", "value": {"lead_ids": ["L-1", "L-2"]}}}),
    },
}
PREVIEW: dict[str, Any] = {
    "summary": "Score a lead without storing it",
    "response_model": ScoreOut,
    "responses": problems(
        (400, "The body is not JSON"), (413, "The body is too large"), (422, "The request is not what was expected")
    ),
    "max_body_size": LARGEST_BODY_BYTES,
    "openapi_extra": {
        "parameters": [_REASONS],
        "requestBody": body(
            {"$ref": "#/components/schemas/Preview"}, {"one": {"summary": "one", "value": _PREVIEW_EXAMPLE}}
        ),
    },
}
READ_ROUTES: dict[str, Any] = {
    "summary": "List handovers",
    "response_model": RoutesOut,
    "responses": problems((422, "The query is not what was expected")),
    "openapi_extra": {"parameters": [LIMIT]},
}

READ_AUDIT: dict[str, Any] = {
    "summary": "Say what administrators did",
    "response_model": NotesOut,
    "responses": problems((422, "The query is not what was expected")),
    "openapi_extra": {"parameters": [LIMIT]},
}

METRICS: dict[str, Any] = {
    "summary": "Say how the service is doing",
    "response_class": Response,
    "responses": {
        200: {"description": "As Prometheus reads it", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **problems(),
    },
}
HEALTH: dict[str, Any] = {"summary": "Is the process alive?", "response_model": HealthOut}
READY: dict[str, Any] = {"summary": "Can the service answer?", "response_model": ReadyOut, "responses": problems()}


def _preview_schemas() -> dict[str, Any]:
    """Give the schemas of a preview's body, which no route declares to FastAPI."""
    schema = Preview.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "Preview": schema}
