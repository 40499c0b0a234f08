"""Privacy: a lead is erased, and what is held about it is told."""

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from serving.api.auth import key_of, needs
from serving.api.lead_paths import LEAD
from serving.api.privacy_document import DOSSIER, ERASE
from serving.api.request_parsing import answer, only
from serving.errors import UnknownLeadError
from serving.facts import is_id
from serving.privacy.dossier import Dossier, audit_dossier, build_dossier
from serving.privacy.erasure import Erasure, erase
from serving.privacy.remaining_copies import copies_in_files, erasure_receipt
from serving.service import Service, service_of

router = APIRouter(prefix="/v1", tags=["privacy"], dependencies=[needs("admin")])


@router.delete(LEAD, **ERASE)
async def erase_lead(request: Request) -> Response:
    """
    Erase a lead, whoever it was merged with, and every trace of them in the store.

    Late facts about it are refused from then on. Files on disks, such as imported tables and exports, are not touched:
    `leadscore erase` does that. Asking again does no harm.
    """
    only(request)
    service, lead_id, actor = service_of(request), _lead_id(request), key_of(request).key_id
    erasure = await service.write(lambda: _erased(service, lead_id, actor))
    return answer(erasure_receipt(lead_id, erasure, held=copies_in_files()))


@router.get("/leads/{lead_id:path}/dossier", **DOSSIER)
async def read_dossier(request: Request) -> Response:
    """Give all that is held about a lead, how its score comes about, and what follows from it."""
    only(request)
    service, lead_id = service_of(request), _lead_id(request)

    def ask(store: Connection, now: int) -> Dossier:
        return build_dossier(store, service.active_scorer.current, service.playbook, lead_id=lead_id, now=now)

    found = await service.ask_store(ask)
    actor = key_of(request).key_id
    await service.write(lambda: audit_dossier(service.database, lead_id, at=found.as_of, actor=actor))
    return answer(found.as_json())


def _erased(service: Service, lead_id: str, actor: str) -> Erasure:
    """Erase on the writing thread; what takes long on PostgreSQL is left to the worker."""
    is_quick = service.database.dialect == "sqlite"
    forget = [service.recorder.forget]
    return erase(service.database, lead_id, at=service.clock.now(), actor=actor, forget=forget, scrubs=is_quick)


def _lead_id(request: Request) -> str:
    lead_id: str = request.path_params["lead_id"]
    if not is_id(lead_id):
        message = "No such lead is known."
        raise UnknownLeadError(message)
    return lead_id
