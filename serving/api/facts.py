"""Facts come in: leads, activities and outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from serving.api.auth import needs
from serving.api.document import ingest
from serving.api.idempotency import once, raising, worded
from serving.api.request_parsing import items_of, only, parsed, written
from serving.errors import RequestError
from serving.facts import ActivityFact, LeadFact, OutcomeFact, is_id
from serving.intake.idempotent_requests import ResponseReservation, StoredResponse
from serving.intake.ingestion import ItemOutcome, summary
from serving.intake.quarantined_facts import Kind
from serving.service import service_of

router = APIRouter(prefix="/v1", tags=["facts"])


@router.post("/leads", dependencies=[needs("events:write")], **ingest("Tell of leads, or of changes to them", LeadFact))
async def post_leads(request: Request) -> Response:
    """
    Keep what is known of a lead from now on; the same content again is a duplicate.

    A version says all that is known: attributes that are left out are unknown from now on.
    """
    return await _taken(request, "leads")


@router.post("/activities", dependencies=[needs("events:write")], **ingest("Tell of activities", ActivityFact))
async def post_activities(request: Request) -> Response:
    """Keep what a lead did, once per `activity_id`; a lead that crosses the threshold by it is routed at once."""
    return await _taken(request, "activities")


@router.post(
    "/outcomes", dependencies=[needs("events:write")], **ingest("Tell of stages that leads reached", OutcomeFact)
)
async def post_outcomes(request: Request) -> Response:
    """Keep which stage a lead reached, once per `outcome_id`; a closed lead is never routed again."""
    return await _taken(request, "outcomes")


async def _taken(request: Request, kind: Kind) -> Response:
    """Answer once everything is on disk; one bad object is a problem, a bad item of a list is told in its place."""
    only(request)
    body = await request.body()
    try:
        sent = parsed(body)
        items = items_of(sent)
    except RequestError as error:
        return await once(request, raising(error), body=body)
    take, alone = service_of(request).ingestion.ingest, isinstance(sent, dict)

    def act(ticket: ResponseReservation | None) -> StoredResponse:
        return _said(take(kind, items, ticket=None if ticket is None else _Answer(ticket, alone)), alone=alone)

    return await once(request, act, body=body, lead_ids=_named(items))


@dataclass(frozen=True, slots=True)
class _Answer:
    """Keeps what a request is answered together with its facts."""

    ticket: ResponseReservation
    alone: bool

    def finish(self, connection: Connection, results: Sequence[ItemOutcome]) -> None:
        """Write the answer down in the transaction that keeps the facts."""
        self.ticket.finish(connection, _said(results, alone=self.alone))


def _said(results: Sequence[ItemOutcome], *, alone: bool) -> StoredResponse:
    refused = next((result.error for result in results if result.error is not None), None) if alone else None
    return StoredResponse(202, written(summary(results))) if refused is None else worded(refused)


def _named(items: Sequence[object]) -> set[str]:
    """Give the leads that items name, as far as they can be ids."""
    named = (item.get("lead_id") for item in items if isinstance(item, dict))
    return {lead_id for lead_id in named if isinstance(lead_id, str) and is_id(lead_id)}
