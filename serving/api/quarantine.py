"""The quarantine: facts whose instant cannot be right yet, to be listed, released or discarded."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import Connection

from serving.api.auth import key_of, needs
from serving.api.idempotency import once
from serving.api.parameters import USUAL_LIMIT, CheckedRequest, FactNumber, IdempotencyKey, Limit
from serving.api.problem_responses import problems
from serving.api.schemas.answer import as_text, respond
from serving.api.schemas.ingestion_results import ItemResultOut
from serving.api.schemas.quarantine_entries import DiscardedFactOut, QuarantineOut
from serving.intake.idempotent_requests import ResponseReservation, StoredResponse
from serving.intake.ingestion import ItemOutcome
from serving.intake.quarantine_decisions import discard_fact, release_fact
from serving.intake.quarantined_facts import QuarantinedFact, newest_quarantined
from serving.service import service_of

router = APIRouter(prefix="/v1/quarantine", tags=["quarantine"])
_NO_SUCH_FACT = (404, "No fact with this number was quarantined")


@router.get(
    "",
    summary="List facts in quarantine",
    dependencies=[needs("events:write")],
    response_model=QuarantineOut,
    responses=problems(),
)
async def list_quarantined_facts(request: CheckedRequest, limit: Limit = USUAL_LIMIT) -> Response:
    """List the facts whose instant is ahead of our clock, newest first; nothing counts them."""
    facts = await service_of(request).ask_store(lambda store, _now: newest_quarantined(store, limit))
    return respond(QuarantineOut.model_validate({"quarantine": facts}))


async def _any_body(request: Request) -> bytes:
    return await request.body()


@router.post(
    "/{number}/release",
    summary="Take in a fact from quarantine",
    dependencies=[needs("admin")],
    response_model=ItemResultOut,
    responses=problems(
        _NO_SUCH_FACT,
        (409, "It was released or taken in, its id is taken by now, or the first request with this key is under way"),
        (410, "The lead was erased"),
        (413, "The body is too large"),
        (422, "The fact is not what is expected by now, or its lead is not known any more"),
    ),
)
async def release_quarantined_fact(
    request: CheckedRequest, number: FactNumber, body: Annotated[bytes, Depends(_any_body)], key: IdempotencyKey
) -> Response:
    """Take a fact in as if it had been sent now; if its instant has not passed, it counts as of now."""
    service, actor = service_of(request), key_of(request).key_id

    def act(reservation: ResponseReservation | None) -> StoredResponse:
        def finish(connection: Connection, fact: QuarantinedFact, result: ItemOutcome) -> None:
            if reservation is not None:
                reservation.finish(connection, _answered(result), {fact.lead_id})

        return _answered(release_fact(service.ingestion, number, actor=actor, before_commit=finish))

    response = await once(request, act, key=key, body=body)
    service.worker.woken.set()
    return response


@router.delete(
    "/{number}",
    summary="Discard a fact in quarantine",
    dependencies=[needs("admin")],
    response_model=DiscardedFactOut,
    responses=problems(_NO_SUCH_FACT, (409, "It was released or taken in already")),
)
async def discard_quarantined_fact(request: CheckedRequest, number: FactNumber) -> Response:
    """Throw a fact away; when it is sent again, it is checked anew."""
    service, actor = service_of(request), key_of(request).key_id
    await service.write(lambda: discard_fact(service.ingestion, number, actor=actor))
    return respond(DiscardedFactOut(id=number))


def _answered(result: ItemOutcome) -> StoredResponse:
    return StoredResponse(200, as_text(ItemResultOut.model_validate(result)))
