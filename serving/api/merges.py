"""Merges: a lead turned out to be another one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field
from sqlalchemy import Connection

from serving.api.auth import key_of, needs
from serving.api.idempotency import once, raising
from serving.api.json_body import JsonBody, LaterBody
from serving.api.parameters import CheckedRequest, IdempotencyKey, LeadId
from serving.api.problem_responses import BODY_PROBLEMS, problems
from serving.api.schemas.answer import as_text
from serving.api.schemas.lead_merges import MergeOut
from serving.errors import RequestError
from serving.facts import Fact
from serving.intake.idempotent_requests import ResponseReservation, StoredResponse
from serving.intake.merging import LeadMerger, MergeResult
from serving.lead_ids import LeadRef
from serving.service import Service, service_of

router = APIRouter(prefix="/v1", tags=["facts"])


class MergeTarget(Fact):
    """The lead that a lead turned out to be."""

    into: LeadRef = Field(description="the lead that stays", examples=["L-1"])


_TARGET = JsonBody(MergeTarget, {"into": "L-1"})


@router.post(
    "/leads/{lead_id:path}/merge",
    summary="Merge a lead into another one",
    dependencies=[needs("events:write")],
    response_model=MergeOut,
    responses=problems(
        *BODY_PROBLEMS,
        (404, "The lead is not known"),
        (409, "The two are part of another merge, or the first request with this key is under way"),
        (422, "The body is not what was expected, or the other lead is not known"),
    ),
)
async def merge_leads(
    request: CheckedRequest,
    lead_id: LeadId,
    body: Annotated[bytes, Depends(LaterBody(_TARGET))],
    key: IdempotencyKey,
) -> Response:
    """
    Merge a lead into another one; from now on one score stands for both.

    The other one gets all activities and outcomes, and what is unknown of it. As of each instant before the merge both
    leads answer as they did. What is sent for the merged lead later belongs to the other one.
    """
    service, actor = service_of(request), key_of(request).key_id
    try:
        into = _TARGET.read(body, service.playbook.business.id_forms).into
    except RequestError as error:
        return await once(request, raising(error), key=key, body=body, lead_ids={lead_id})

    def act(reservation: ResponseReservation | None) -> StoredResponse:
        def finish(connection: Connection, merged: MergeResult) -> None:
            if reservation is not None:
                reservation.finish(connection, _answered(merged), {merged.into})

        return _answered(_merger(service).merge(lead_id, into, actor=actor, before_commit=finish))

    response = await once(request, act, key=key, body=body, lead_ids={lead_id, into})
    service.worker.woken.set()
    return response


def _merger(service: Service) -> LeadMerger:
    return LeadMerger(service.database, service.clock, service.active_scorer, service.crossing_rules)


def _answered(merged: MergeResult) -> StoredResponse:
    return StoredResponse(200, as_text(MergeOut.model_validate(merged)))
