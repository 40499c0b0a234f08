"""The model: which scorer answers, which are in force, and bundles to deploy."""

import logging
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from models.bundle import StaleBundleError
from models.bundle_company import OtherCompanyError
from models.checked_json import is_label
from models.conversion import ConversionModel
from models.errors import LimitError, ModelError, SignatureError
from models.packed_bundle import unpack
from models.scorer import Scorer
from models.signing import signer_of
from serving.api.auth import key_of, needs
from serving.api.bundle_body import LARGEST_BUNDLE_BYTES, BundleBody
from serving.api.parameters import USUAL_LIMIT, CheckedRequest, Limit, RoleChoice
from serving.api.problem_responses import problems
from serving.api.schemas.answer import respond
from serving.api.schemas.explained_scores import ScorerOut
from serving.api.schemas.scorers_in_force import (
    BandsOut,
    ColdStartOut,
    DeploymentsOut,
    GoalOut,
    ModelCardOut,
    ModelOut,
    ShadowComparisonOut,
    ShadowOut,
    SignatureOut,
    in_force,
)
from serving.bundle_errors import BundleRefusedError, LargeBundleError
from serving.errors import InvalidError, RequestError
from serving.scorers import deployments
from serving.scorers.bundle_owner import require_company_of_store
from serving.scorers.deployments import CheckedBundle, deploy_bundle, newest_deployments, verify_bundle
from serving.scorers.shadow import compare_shadow
from serving.service import Service, service_of
from serving.store.store_errors import STORE_ERRORS

_LOG = logging.getLogger("leadscore.serving")
router = APIRouter(prefix="/v1", tags=["model"])


def _label(version: str) -> str:
    if is_label(version):
        return version
    kind, message = "label", "expected 1 to 200 characters without control characters"
    raise PydanticCustomError(kind, message)


Version = Annotated[
    str | None,
    Query(
        description="the registry's label for the bundle",
        examples=["3"],
        json_schema_extra={"minLength": 1, "maxLength": 200},
    ),
    AfterValidator(lambda version: None if version is None else _label(version)),
]
OnlyShadow = Annotated[
    Literal["shadow"] | None, Query(description="must be shadow: a champion is only ever replaced", examples=["shadow"])
]


@router.get(
    "/model",
    summary="Read which scorer answers",
    dependencies=[needs("scores:read")],
    response_model=ModelOut,
    responses=problems(),
)
async def read_model(request: CheckedRequest) -> Response:
    """Return which scorer answers, for which goal, its points for handovers and grades, and how its shadow does."""
    return respond(await _state(service_of(request)))


@router.put(
    "/model",
    summary="Deploy a bundle",
    dependencies=[needs("models:write")],
    response_model=ModelOut,
    responses=problems(
        (413, "The bundle is too large"), (422, "The bundle is refused, or the query is not what was expected")
    ),
    max_body_size=LARGEST_BUNDLE_BYTES,
)
async def deploy_model(
    request: CheckedRequest,
    bundle: Annotated[bytes, Depends(BundleBody())],
    role: RoleChoice = "champion",
    version: Version = None,
) -> Response:
    """Verify a bundle and put it in force: signature, hashes, structure, golden rows, its features on this store."""
    service, actor = service_of(request), key_of(request).key_id
    async with service.bundles:
        verified = await service.ask(partial(_verified, service, bundle, version))
        now = service.clock.now()
        await service.write(lambda: deploy_bundle(service.database, verified, role, by=actor, at=now))
    await service.ask(service.active_scorer.refresh)
    return respond(await _state(service))


@router.delete(
    "/model",
    summary="Take the shadow away",
    dependencies=[needs("models:write")],
    response_model=ModelOut,
    responses=problems(),
)
async def remove_shadow(request: CheckedRequest, role: OnlyShadow = None) -> Response:
    """Take the shadow away; a champion is only ever replaced."""
    if role is None:
        message = "role: only a shadow can be taken away (role=shadow); deploy another champion instead."
        raise InvalidError(message)
    service, actor = service_of(request), key_of(request).key_id
    await service.write(lambda: deployments.remove_shadow(service.database, by=actor, at=service.clock.now()))
    await service.ask(service.active_scorer.refresh)
    return respond(await _state(service))


@router.get(
    "/deployments",
    summary="List deployments",
    dependencies=[needs("models:write")],
    response_model=DeploymentsOut,
    responses=problems(),
)
async def list_deployments(request: CheckedRequest, limit: Limit = USUAL_LIMIT) -> Response:
    """List the deployments, newest first: which scorer was put in which role, when, and by whom."""
    deployments = await service_of(request).ask_store(lambda store, _now: newest_deployments(store, limit))
    return respond(DeploymentsOut.model_validate({"deployments": deployments}))


def _verified(service: Service, blob: bytes, version: str | None) -> CheckedBundle:
    """Unpack and verify a bundle; if anything is wrong with it, nothing of it is stored, and no word of it repeated."""
    try:
        packed = unpack(blob)
        service.active_scorer.signatures.require(signer_of(packed.files))  # first, so that strangers cost least
        bundle = verify_bundle(packed.files, version=version or packed.version, fingerprint=packed.fingerprint)
        require_company_of_store(service.database, bundle.company)
        service.active_scorer.admit(bundle.model)
    except STORE_ERRORS:
        raise  # it is the store that cannot be used
    except RequestError:
        raise  # the signature does not count here
    except OtherCompanyError as error:
        message = str(error)
    except LimitError as error:  # it names counts and limits, and nothing of the bundle's own text
        _LOG.warning("a bundle was refused: %s", error)
        message = f"The bundle holds too much. {error}"
        raise LargeBundleError(message) from None
    except SignatureError as error:
        _LOG.warning("a bundle was refused: %s", error)
        message = "The signature does not fit: the bundle was changed after it was signed. Deploy the original."
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


async def _state(service: Service) -> ModelOut:
    live, playbook = service.active_scorer.current, service.playbook
    standing = service.active_scorer.cold_start_stage
    return ModelOut(
        scorer=ScorerOut.model_validate(live.scorer.id),
        degraded=live.degraded,
        problem=live.problem,
        goal=GoalOut.model_validate(playbook.business.goal),
        bands=BandsOut.model_validate(live.scorer.bands),
        hysteresis_points=playbook.routing.hysteresis_points,
        features=len(live.scorer.catalog.features),
        signature=_signature(service, live.scorer),
        card=_card(live.scorer),
        standing=None if standing is None else ColdStartOut.model_validate(standing),
        champion=in_force(service.active_scorer.deployed.get("champion")),
        shadow=await _shadow(service),
    )


def _card(scorer: Scorer) -> ModelCardOut | None:
    """Return what a model was made of, its gates, and the risk that was accepted; rules have no such card."""
    if not isinstance(scorer, ConversionModel):
        return None
    facts: dict[str, Any] = {name: scorer.facts.get(name) for name in ModelCardOut.model_fields}
    return ModelCardOut.model_validate(facts)


def _signature(service: Service, scorer: Scorer) -> SignatureOut | None:
    """Return who vouches for a model; rules have no signature."""
    state = service.active_scorer.signatures.state(scorer)
    if state is None or not isinstance(scorer, ConversionModel):
        return None
    return SignatureOut(state=state, key_id=None if scorer.signer is None else scorer.signer.id)


async def _shadow(service: Service) -> ShadowOut | None:
    """Return which scorer is the shadow and how it compares."""
    live = service.active_scorer.shadow
    shadow = in_force(service.active_scorer.deployed.get("shadow"))
    if shadow is None:
        return None
    champion = service.active_scorer.current.scorer.id.fingerprint
    comparison = await service.ask_store(
        lambda store, _now: compare_shadow(store, champion=champion, shadow=shadow.scorer.fingerprint)
    )
    return ShadowOut(
        scorer=shadow.scorer,
        source=shadow.source,
        deployed_at=shadow.deployed_at,
        problem=service.active_scorer.shadow_problem,
        signature=None if live is None else _signature(service, live.scorer),
        compared=ShadowComparisonOut.model_validate(comparison),
    )
