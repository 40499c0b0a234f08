"""Merges: a lead turned out to be another one."""

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from serving.api.auth import key_of, needs
from serving.api.idempotency import once, raising
from serving.api.intake_document import MERGE
from serving.api.request_parsing import only, parsed, written
from serving.errors import RequestError, UnknownLeadError
from serving.facts import Fact, Id, is_id, read_as
from serving.intake.idempotent_requests import ResponseReservation, StoredResponse
from serving.intake.merging import LeadMerger, MergeResult
from serving.service import Service, service_of

router = APIRouter(prefix="/v1", tags=["facts"])


class MergeTarget(Fact):
    """The lead that a lead turned out to be."""

    into: Id


@router.post("/leads/{lead_id:path}/merge", dependencies=[needs("events:write")], **MERGE)
async def merge_lead(request: Request, lead_id: str) -> Response:
    """
    Merge a lead into another one; from now on one score stands for both.

    The other one gets all activities and outcomes, and what is unknown of it. As of each instant before the merge both
    leads answer as they did. What is sent for the merged lead later belongs to the other one.
    """
    only(request)
    body = await request.body()
    if not is_id(lead_id):
        message = "No such lead is known; there is nothing to merge."
        raise UnknownLeadError(message)
    try:
        into = read_as(MergeTarget, parsed(body)).into
    except RequestError as error:
        return await once(request, raising(error), body=body, lead_ids={lead_id})
    merging, actor = _merging(service_of(request)), key_of(request).key_id

    def act(ticket: ResponseReservation | None) -> StoredResponse:
        def kept(connection: Connection, merged: MergeResult) -> None:
            if ticket is not None:
                ticket.finish(connection, _said(merged), {merged.into})

        return _said(merging.merge(lead_id, into, actor=actor, kept=kept))

    answer = await once(request, act, body=body, lead_ids={lead_id, into})
    service_of(request).worker.woken.set()
    return answer


def _merging(service: Service) -> LeadMerger:
    return LeadMerger(service.database, service.clock, service.active_scorer, service.crossing_rules)


def _said(merged: MergeResult) -> StoredResponse:
    return StoredResponse(200, written(merged.as_json()))
