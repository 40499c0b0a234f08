"""
The verb ``deploy``: put a bundle into the store, here or over HTTP, as champion or as its shadow.

It signs the bundle with this machine's key on the way; the folder stays as it is.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from data.instants import now_us
from data.workspace import Workspace
from models.bundle import read_bundle_files
from models.bundle_company import require_own
from models.bundle_versions import find_bundle
from models.champion import POINTER, read_pointer
from models.receipt import ScorerId, scorer_json
from models.signing import SIGNATURE, key_file, own_key
from serving.errors import InvalidError, ServingError
from serving.scorers.admission import admit_scorer
from serving.scorers.deployments import (
    OWN_SHADOW,
    CheckedBundle,
    Role,
    deploy_bundle,
    deployments_in_force,
    remove_shadow,
    verify_bundle,
)
from serving.scorers.signing_keys import SignatureCheck
from serving.settings import settings_for
from serving.store.audit_log import command_line_user
from serving.store.database import Database
from serving.verbs.opened_store import opened_store


@dataclass(frozen=True, slots=True)
class DeployResult:
    """Which bundle has a role now, none if the shadow was removed, and in which store or service."""

    role: Role
    scorer: ScorerId | None
    where: str

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        scorer = None if self.scorer is None else scorer_json(self.scorer)
        return {"role": self.role, "scorer": scorer, "where": self.where}

    def show(self, console: Console) -> None:
        """Print it."""
        if self.scorer is None:
            text = f"{self.where} has no shadow any longer."
        elif self.role == "shadow":
            text = f"{self._named} is the shadow on {self.where}: its scores are only recorded."
        else:
            text = f"{self._named} answers in every process on {self.where} within 2 seconds."
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    @property
    def _named(self) -> str:
        return "" if self.scorer is None else f"{self.scorer.name} {self.scorer.version}"


def deploy(
    workspace: Workspace,
    *,
    version: str | None = None,
    shadow: bool | None = None,
    to: str | None = None,
    key: str | None = None,
) -> DeployResult:
    """
    Put a bundle into the store of the settings, or send it to a service.

    Args:
        workspace: the playbook, and where tables and models are kept.
        version: ``champion``, ``challenger``, a version's number or a bundle's folder; default: the promoted bundle,
                and for a shadow the challenger.
        shadow: whether it is only compared with the champion; False removes the shadow.
        to: a service's address, such as ``https://leads.example.com``; default: write to the store directly.
        key: a key of the service with the scope ``models:write``.

    Raises:
        ModelError: there is no such bundle, or it is not as it was saved.
        ServingError: the store cannot be opened, the bundle is the champion and cannot be its own shadow, or the
            service refused, or the bundle is of another company.
    """
    if shadow is False and version is not None:
        message = "--version and --no-shadow exclude each other: leave --version out, or use --shadow."
        raise ServingError(message)
    models = settings_for(workspace).models
    wanted = version or ("challenger" if shadow else "champion")
    bundle = None if shadow is False else _bundle(models, wanted)
    role: Role = "champion" if shadow is None else "shadow"
    if bundle is not None:
        require_own(workspace.playbook.company, bundle.company, "The bundle")
    if to is not None:
        _send(to, key, role=role, bundle=bundle)
    where = to or _store(workspace, role=role, bundle=bundle)
    return DeployResult(role, None if bundle is None else bundle.model.id, where)


def _bundle(models: Path, wanted: str) -> CheckedBundle:
    registered = find_bundle(models, wanted)
    files = _signed(read_bundle_files(models / registered.bundle), models)
    fingerprint = registered.fingerprint or None
    return verify_bundle(
        files, version=registered.version or None, fingerprint=fingerprint, where=str(models / registered.bundle)
    )


def _signed(files: Mapping[str, bytes], models: Path) -> Mapping[str, bytes]:
    """Sign files with this machine's key; where it has none, a signature that they came with is kept."""
    file, is_signed = key_file(models.parent), SIGNATURE in files
    if is_signed and not os.access(file, os.R_OK):  # of another user, who signed it
        return files
    key = own_key(file, create=not is_signed)
    return files if key is None else key.sign(files)


def _store(workspace: Workspace, *, role: Role, bundle: CheckedBundle | None) -> str:
    """Put it into the store of the settings and return where that is."""
    with opened_store(workspace) as (settings, database):
        by, at = command_line_user(), now_us()
        if bundle is None:
            remove_shadow(database, by=by, at=at)
            return database.display_url
        if role == "shadow":
            _require_other_than_promoted(database, settings.models, bundle)
        SignatureCheck(settings, database, now=now_us).require_local(bundle.model.signer, by=by)
        admit_scorer(bundle.model, database.dialect)
        deploy_bundle(database, bundle, role, by=by, at=at)
        return database.display_url


def _require_other_than_promoted(database: Database, models: Path, bundle: CheckedBundle) -> None:
    """Refuse the promoted model as a shadow of itself where no service has deployed the promotion yet."""
    with database.reading() as connection:
        if "champion" in deployments_in_force(connection) or not (models / POINTER).exists():
            return
    if read_pointer(models).fingerprint == bundle.model.id.fingerprint:
        raise InvalidError(OWN_SHADOW)


def _send(to: str, key: str | None, *, role: Role, bundle: CheckedBundle | None) -> None:
    import leadscore_client  # noqa: PLC0415 - only a deployment over HTTP needs httpx

    try:
        with leadscore_client.Client(to, key=key) as client:
            if bundle is None:
                client.remove_shadow()
            else:
                label = bundle.model.version if bundle.is_labelled else None
                client.deploy_model(bundle.content, role=role, version=label)
    except leadscore_client.ClientError as error:
        raise ServingError(str(error)) from error
