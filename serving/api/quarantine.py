"""The quarantine: facts whose instant cannot be right yet, to be seen, taken in or thrown away."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import Connection

from serving.api.auth import key_of, needs
from serving.api.idempotency import once
from serving.api.intake_document import DISCARD, READ_QUARANTINE, RELEASE
from serving.api.request_parsing import answer, limit_of, only, written
from serving.intake.idempotent_requests import ResponseReservation, StoredResponse
from serving.intake.ingestion import ItemOutcome
from serving.intake.quarantine_decisions import QuarantineDecisions
from serving.intake.quarantined_facts import QuarantinedFact, newest_quarantined
from serving.service import Service, service_of

router = APIRouter(prefix="/v1/quarantine", tags=["quarantine"])
Number = Annotated[int, Path(ge=1, le=2**53, description="as GET /v1/quarantine gives it", examples=[7])]


@router.get("", dependencies=[needs("events:write")], **READ_QUARANTINE)
async def read_quarantine(request: Request) -> Response:
    """Give the facts whose instant is ahead of our clock, newest first; nothing counts them."""
    only(request, "limit")
    limit = limit_of(request)
    service = service_of(request)
    found = await service.ask_store(lambda store, _now: newest_quarantined(store, limit))
    return answer({"quarantine": [held.as_json() for held in found]})


@router.post("/{number}/release", dependencies=[needs("admin")], **RELEASE)
async def release_fact(request: Request, number: Number) -> Response:
    """Take a fact in as if it had been sent now, with now for its instant if the one told has not passed."""
    only(request)
    actor, body = key_of(request).key_id, await request.body()
    releasing = _releasing(service_of(request))

    def act(ticket: ResponseReservation | None) -> StoredResponse:
        def kept(connection: Connection, found: QuarantinedFact, result: ItemOutcome) -> None:
            if ticket is not None:
                ticket.finish(connection, _said(result), {found.lead_id})

        return _said(releasing.release(number, actor=actor, kept=kept))

    released = await once(request, act, body=body)
    service_of(request).worker.woken.set()
    return released


@router.delete("/{number}", dependencies=[needs("admin")], **DISCARD)
async def discard_fact(request: Request, number: Number) -> Response:
    """Throw a fact away; sent again, it is judged anew."""
    only(request)
    service, actor = service_of(request), key_of(request).key_id
    await service.write(lambda: _releasing(service).discard(number, actor=actor))
    return answer({"id": number, "status": "discarded"})


def _releasing(service: Service) -> QuarantineDecisions:
    return QuarantineDecisions(service.database, service.clock, service.ingestion)


def _said(result: ItemOutcome) -> StoredResponse:
    return StoredResponse(200, written(result.as_json()))
