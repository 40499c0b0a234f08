"""The model: which scorer answers, who is in force, and bundles coming in."""

import logging
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from data.instants import iso
from models.bundle import StaleBundleError
from models.checked_json import is_label
from models.conversion import ConversionModel
from models.errors import ModelError
from models.packed_bundle import unpack
from models.receipt import scorer_json
from models.scorer import Scorer
from serving.api.auth import key_of, needs
from serving.api.model_document import DELETE_MODEL, PUT_MODEL, READ_DEPLOYMENTS, READ_MODEL
from serving.api.request_parsing import answer, limit_of, only, role_of
from serving.errors import BundleRefusedError, InvalidError
from serving.scorers.deployments import (
    CheckedBundle,
    Deployment,
    deploy_bundle,
    newest_deployments,
    remove_shadow,
    verify_bundle,
)
from serving.scorers.shadow import compare_shadow
from serving.service import Service, service_of
from serving.store.database import STORE_ERRORS

_LOG = logging.getLogger("leadscore.serving")
router = APIRouter(prefix="/v1", tags=["model"])


@router.get("/model", dependencies=[needs("scores:read")], **READ_MODEL)
async def read_model(request: Request) -> Response:
    """Say which scorer answers, for which goal, from which points a lead is handed over, and how its shadow does."""
    only(request)
    return answer(await _told(service_of(request)))


@router.put("/model", dependencies=[needs("models:write")], **PUT_MODEL)
async def put_model(request: Request) -> Response:
    """Verify a bundle and put it in force: hashes, structure, golden rows, and its features on this store."""
    only(request, "role", "version")
    service, role, version = service_of(request), role_of(request), _version_of(request)
    bundle = await service.ask(partial(_verified, service, await request.body(), version))
    by, at = key_of(request).key_id, service.clock.now()
    await service.write(lambda: deploy_bundle(service.database, bundle, role, by=by, at=at))
    await service.ask(service.active_scorer.refresh)
    return answer(await _told(service))


@router.delete("/model", dependencies=[needs("models:write")], **DELETE_MODEL)
async def delete_model(request: Request) -> Response:
    """Take the shadow away; a champion is only ever replaced."""
    only(request, "role")
    if request.query_params.get("role") != "shadow":
        message = "role: only a shadow can be taken away (role=shadow); deploy another champion instead."
        raise InvalidError(message)
    service, by = service_of(request), key_of(request).key_id
    await service.write(lambda: remove_shadow(service.database, by=by, at=service.clock.now()))
    await service.ask(service.active_scorer.refresh)
    return answer(await _told(service))


@router.get("/deployments", dependencies=[needs("models:write")], **READ_DEPLOYMENTS)
async def read_deployments(request: Request) -> Response:
    """Give the newest deployments first: who was put where, when, by whom."""
    only(request, "limit")
    service, limit = service_of(request), limit_of(request)
    found = await service.ask_store(lambda store, _now: newest_deployments(store, limit))
    return answer({"deployments": [one.as_json() for one in found]})


def _verified(service: Service, blob: bytes, version: str | None) -> CheckedBundle:
    """Unpack and verify a bundle; whatever is wrong with it, nothing of it is kept and the caller's words stay here."""
    try:
        packed = unpack(blob)
        bundle = verify_bundle(packed.files, version=version or packed.version, fingerprint=packed.fingerprint)
        service.active_scorer.admit(bundle.model)
    except STORE_ERRORS:
        raise  # it is the store that cannot be used
    except StaleBundleError as error:
        _LOG.warning("a bundle was refused: %s", error)
        message = "A file is not the one that the manifest names: pack the bundle again from its folder."
    except ModelError as error:
        _LOG.warning("a bundle was refused: %s", error)
        message = (
            "It is no whole bundle, or its structure or its golden rows do not hold: run leadscore deploy where the "
            "bundle was made, which says what is wrong."
        )
    except Exception as error:  # noqa: BLE001 - whatever is in a damaged bundle, it must not end the service
        _LOG.warning("a bundle was refused", exc_info=error)
        message = "It cannot be used here: export the bundle again from its MLflow run."
    else:
        return bundle
    raise BundleRefusedError(message)


def _version_of(request: Request) -> str | None:
    version = request.query_params.get("version")
    if version is not None and not is_label(version):
        message = "version: expected 1 to 200 signs without control characters."
        raise InvalidError(message)
    return version


async def _told(service: Service) -> dict[str, Any]:
    live, playbook = service.active_scorer.current, service.playbook
    goal, standing = playbook.business.goal, service.active_scorer.cold_start_stage
    return {
        "scorer": scorer_json(live.scorer.id),
        "degraded": live.degraded,
        "problem": live.problem,
        "goal": {"stage": goal.stage, "horizon_days": goal.horizon_days},
        "bands": live.scorer.bands.as_json(),
        "hysteresis_points": playbook.routing.hysteresis_points,
        "features": len(live.scorer.catalog.features),
        "card": _card(live.scorer),
        "standing": None if standing is None else {**standing.as_json(), "says": standing.says},
        "champion": _deployed(service.active_scorer.deployed.get("champion")),
        "shadow": await _shadow(service),
    }


def _card(scorer: Scorer) -> dict[str, Any] | None:
    """Give what a model was made of, its gates, and the risk that was accepted; rules have no such card."""
    if not isinstance(scorer, ConversionModel):
        return None
    return {name: scorer.facts.get(name) for name in ("data", "test", "gates", "accepted_risk")}


def _deployed(deployment: Deployment | None) -> dict[str, Any] | None:
    if deployment is None or deployment.scorer is None:
        return None
    told = {"source": deployment.source, "deployed_at": iso(deployment.deployed_at)}
    return {"scorer": scorer_json(deployment.scorer), **told}


async def _shadow(service: Service) -> dict[str, Any] | None:
    """Say who the shadow is and how it compares."""
    ladder = service.active_scorer
    told = _deployed(ladder.deployed.get("shadow"))
    if told is None:
        return None
    champion, shadow = ladder.current.scorer.id.fingerprint, told["scorer"]["fingerprint"]
    comparison = await service.ask_store(lambda store, _now: compare_shadow(store, champion=champion, shadow=shadow))
    return {**told, "problem": ladder.shadow_problem, "compared": comparison.as_json()}
