"""Facts: leads, activities and outcomes are taken in."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import Connection

from data.words.id_rules import IdForms
from serving.api.auth import charge, key_of, needs
from serving.api.idempotency import once, raising, worded
from serving.api.json_body import LARGEST_BODY_BYTES, items_body, items_of, off_the_loop, parsed
from serving.api.parameters import CheckedRequest, IdempotencyKey
from serving.api.problem_responses import BODY_PROBLEMS, problems
from serving.api.schemas.answer import as_text
from serving.api.schemas.ingestion_results import IngestionOut
from serving.errors import RequestError
from serving.facts import ActivityFact, LeadFact, OutcomeFact
from serving.intake.idempotent_requests import ResponseReservation, StoredResponse
from serving.intake.ingestion import ItemOutcome
from serving.intake.quarantined_facts import Kind
from serving.lead_ids import as_lead_id
from serving.service import service_of

router = APIRouter(prefix="/v1", tags=["facts"])
_TAKES_FACTS: dict[str, Any] = {
    "dependencies": [needs("events:write")],
    "status_code": 202,
    "response_model": IngestionOut,
    "responses": problems(
        *BODY_PROBLEMS,
        (409, "The id is taken by other content, or the first request with this key is under way"),
        (410, "The lead was erased"),
        (422, "The object is not what was expected, or names a lead that is not known"),
    ),
    "max_body_size": LARGEST_BODY_BYTES,
}
_LEAD = {
    "lead_id": "L-1",
    "account_id": "A-7",
    "attributes": {"seniority": "director", "employees": 250, "business_email": True},
}
_ACTIVITY = {
    "activity_id": "web-81723",
    "lead_id": "L-1",
    "kind": "page_view",
    "occurred_at": "2026-03-01T12:00:00Z",
    "subject": "pricing",
}
_OUTCOME = {
    "outcome_id": "crm-552",
    "lead_id": "L-1",
    "stage": "sql",
    "reached_at": "2026-03-02T09:30:00+01:00",
    "amount": 12000,
}
Leads = Annotated[bytes, Depends(items_body(LeadFact, _LEAD))]
Activities = Annotated[bytes, Depends(items_body(ActivityFact, _ACTIVITY))]
Outcomes = Annotated[bytes, Depends(items_body(OutcomeFact, _OUTCOME))]


@router.post("/leads", summary="Create or update leads", **_TAKES_FACTS)
async def send_leads(request: CheckedRequest, body: Leads, key: IdempotencyKey) -> Response:
    """
    Store what is known of a lead from now on; the same content again is a duplicate.

    A version holds all that is known: an attribute that is left out is unknown from now on.
    """
    return await _ingested(request, "leads", body=body, key=key)


@router.post("/activities", summary="Add activities", **_TAKES_FACTS)
async def send_activities(request: CheckedRequest, body: Activities, key: IdempotencyKey) -> Response:
    """Store what a lead did, once per `activity_id`; a lead that crosses the threshold by it is handed over at once."""
    return await _ingested(request, "activities", body=body, key=key)


@router.post("/outcomes", summary="Add stages that leads reached", **_TAKES_FACTS)
async def send_outcomes(request: CheckedRequest, body: Outcomes, key: IdempotencyKey) -> Response:
    """
    Store which stage a lead reached, once per `outcome_id`; a closed lead is never handed over.

    What opens it again is for the playbook to say (`reopened_by`); by default an activity that it calls intent, after
    `lost` or `disqualified`.
    """
    return await _ingested(request, "outcomes", body=body, key=key)


async def _ingested(request: Request, kind: Kind, *, body: bytes, key: str | None) -> Response:
    """Answer once everything is on disk; a bad object is a problem, a bad item of a list is reported in its place."""
    if request.app.state.works_behind:
        await service_of(request).require_room()
    try:
        content = await off_the_loop(parsed, body)
        items = items_of(content)
    except RequestError as error:
        return await once(request, raising(error), key=key, body=body)
    headers = charge(request, leads=len(items), body_bytes=len(body))
    take, is_single = (
        partial(service_of(request).ingestion.ingest, caller=key_of(request).key_id),
        isinstance(content, dict),
    )

    def act(reservation: ResponseReservation | None) -> StoredResponse:
        def finish(connection: Connection, results: Sequence[ItemOutcome]) -> None:
            if reservation is not None:
                reservation.finish(connection, _answered(results, is_single=is_single))

        results = take(kind, items, before_commit=None if reservation is None else finish)
        return _answered(results, is_single=is_single)

    response = await once(
        request, act, key=key, body=body, lead_ids=_leads_in(items, service_of(request).playbook.business.id_forms)
    )
    response.headers.update(headers)
    return response


def _answered(results: Sequence[ItemOutcome], *, is_single: bool) -> StoredResponse:
    refused = next((result.error for result in results if result.error is not None), None) if is_single else None
    return StoredResponse(202, as_text(IngestionOut.of(results))) if refused is None else worded(refused)


def _leads_in(items: Sequence[object], forms: IdForms) -> set[str]:
    """Return the leads that items name, as far as they can be ids."""
    named = (as_lead_id(item.get("lead_id"), forms) for item in items if isinstance(item, dict))
    return {lead_id for lead_id in named if lead_id is not None}
