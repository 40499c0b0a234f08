"""Privacy: a lead is erased, and all that is held about it is reported."""

from fastapi import APIRouter, Response
from sqlalchemy import Connection

from serving.api.auth import key_of, needs
from serving.api.lead_paths import LEAD
from serving.api.parameters import CheckedRequest, LeadId
from serving.api.problem_responses import NO_SUCH_ID, problems
from serving.api.schemas.answer import respond
from serving.api.schemas.lead_records import DossierOut, ErasureOut
from serving.privacy.dossier import Dossier, audit_dossier, build_dossier
from serving.privacy.erasure import Erasure, erase
from serving.privacy.remaining_copies import copies_in_files, erasure_receipt
from serving.service import Service, service_of

router = APIRouter(prefix="/v1", tags=["privacy"], dependencies=[needs("admin")])


@router.delete(LEAD, summary="Erase a lead", response_model=ErasureOut, responses=problems(NO_SUCH_ID))
async def erase_lead(request: CheckedRequest, lead_id: LeadId) -> Response:
    """
    Erase a lead, every lead that it was merged with, and every trace of them in the store.

    Late facts about it are refused from then on. Files on disks, such as imported tables and exports, are not touched:
    `leadscore erase` does that. Sending this again does no harm.
    """
    service, actor = service_of(request), key_of(request).key_id
    erasure = await service.write(lambda: _erased(service, lead_id, actor))
    return respond(ErasureOut.model_validate(erasure_receipt(lead_id, erasure, held=copies_in_files())))


@router.get(
    "/leads/{lead_id:path}/dossier",
    summary="Read all that is held about a lead",
    response_model=DossierOut,
    responses=problems(NO_SUCH_ID),
)
async def read_dossier(request: CheckedRequest, lead_id: LeadId) -> Response:
    """Return all that is held about a lead, how its score comes about, and what follows from it."""
    service, actor = service_of(request), key_of(request).key_id

    def read(store: Connection, now: int) -> Dossier:
        return build_dossier(store, service.active_scorer.current, service.playbook, lead_id=lead_id, now=now)

    dossier = await service.ask_store(read)
    await service.write(lambda: audit_dossier(service.database, lead_id, at=dossier.as_of, actor=actor))
    return respond(DossierOut.model_validate(dossier.as_json()))


def _erased(service: Service, lead_id: str, actor: str) -> Erasure:
    """Erase on the writing thread; what takes long on PostgreSQL is left to the worker."""
    is_quick = service.database.dialect == "sqlite"
    forget = [service.recorder.forget]
    return erase(service.database, lead_id, at=service.clock.now(), actor=actor, forget=forget, scrubs=is_quick)
