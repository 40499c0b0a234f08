"""What ``leadscore deploy`` does: hand a bundle to the store, here or over HTTP, as champion or as its shadow."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from data.instants import now_us
from data.workspace import Workspace
from models.bundle import read_bundle_files
from models.bundle_versions import find_bundle
from models.receipt import ScorerId, scorer_json
from serving.errors import ServingError
from serving.scorers.admission import admit_scorer
from serving.scorers.deployments import CheckedBundle, Role, deploy_bundle, remove_shadow, verify_bundle
from serving.settings import settings_for
from serving.store.audit_log import command_line_user
from serving.store.database import Database


@dataclass(frozen=True, slots=True)
class DeployResult:
    """
    What was handed over.

    Attributes:
        role: what it is from now on.
        scorer: which bundle; None where the shadow was taken away.
        where: the store or the service that it was handed to.
    """

    role: Role
    scorer: ScorerId | None
    where: str

    def as_json(self) -> dict[str, Any]:
        """Write it."""
        scorer = None if self.scorer is None else scorer_json(self.scorer)
        return {"role": self.role, "scorer": scorer, "where": self.where}

    def show(self, console: Console) -> None:
        """Say it on a console."""
        if self.scorer is None:
            said = f"Nobody is compared with the champion of {self.where} any longer."
        elif self.role == "shadow":
            said = f"{self._named} scores the same leads as the champion of {self.where} and routes none."
        else:
            said = f"{self._named} answers in every process on {self.where} within 2 seconds."
        console.print(said, markup=False, highlight=False, soft_wrap=True)

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
    Hand a bundle to the store of the settings, or to a service.

    Args:
        workspace: the playbook, and where tables and models are kept.
        version: ``champion``, ``challenger``, a version's number or a bundle's folder; by default what was promoted,
            and for a shadow the challenger.
        shadow: whether it is only compared with the champion; False takes the shadow away.
        to: where a service is, such as ``https://leads.example.com``; by default the store is written directly.
        key: opens the service; its scope is ``models:write``.

    Raises:
        ModelError: there is no such bundle, or it is not as it was saved.
        ServingError: the store cannot be opened, or the service refused.
    """
    if shadow is False and version is not None:
        message = "a version is named and the shadow shall go: leave --version out, or say --shadow."
        raise ServingError(message)
    models = settings_for(workspace).models
    bundle = None if shadow is False else _bundle(models, version or ("challenger" if shadow else "champion"))
    role: Role = "champion" if shadow is None else "shadow"
    if to is not None:
        _send(to, key, role=role, bundle=bundle)
    where = to or _keep(workspace, role=role, bundle=bundle)
    return DeployResult(role, None if bundle is None else bundle.model.id, where)


def _bundle(models: Path, wanted: str) -> CheckedBundle:
    found = find_bundle(models, wanted)
    files = read_bundle_files(models / found.bundle)
    fingerprint = found.fingerprint or None
    return verify_bundle(
        files, version=found.version or None, fingerprint=fingerprint, where=str(models / found.bundle)
    )


def _keep(workspace: Workspace, *, role: Role, bundle: CheckedBundle | None) -> str:
    """Hand it to the store of the settings; say where that is."""
    settings = settings_for(workspace)
    database = Database(settings.database, busy_timeout_s=settings.busy_timeout_s)
    try:
        if bundle is None:
            remove_shadow(database, by=command_line_user(), at=now_us())
        else:
            admit_scorer(bundle.model, database)
            deploy_bundle(database, bundle, role, by=command_line_user(), at=now_us())
        return database.display_url
    finally:
        database.close()


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
