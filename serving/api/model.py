"""The model: which scorer answers."""

from typing import Any

from fastapi import APIRouter, Request, Response

from models.conversion import ConversionModel
from models.receipt import scorer_json
from models.scorer import Scorer
from serving.api.allowed import needs
from serving.api.asked import answer, only
from serving.api.document import READ_MODEL
from serving.service import Service, service_of

router = APIRouter(prefix="/v1", tags=["model"])


@router.get("/model", dependencies=[needs("scores:read")], **READ_MODEL)
async def read_model(request: Request) -> Response:
    """Say which scorer answers, for which goal, and from which points a lead is handed over."""
    only(request)
    return answer(_told(service_of(request)))


def _told(service: Service) -> dict[str, Any]:
    live, folder = service.ladder.current, service.folder
    goal, standing = folder.playbook.goal, service.ladder.standing
    return {
        "scorer": scorer_json(live.scorer.id),
        "degraded": live.degraded,
        "problem": live.problem,
        "goal": {"stage": goal.stage, "horizon_days": goal.horizon_days},
        "bands": live.scorer.bands.as_json(),
        "hysteresis_points": folder.routing.hysteresis_points,
        "features": len(live.scorer.catalog.features),
        "card": _card(live.scorer),
        "standing": None if standing is None else {**standing.as_json(), "says": standing.says},
    }


def _card(scorer: Scorer) -> dict[str, Any] | None:
    """Give what a model was made of, its gates, and the risk that was accepted; rules have no such card."""
    if not isinstance(scorer, ConversionModel):
        return None
    return {name: scorer.facts.get(name) for name in ("data", "test", "gates", "accepted_risk")}
