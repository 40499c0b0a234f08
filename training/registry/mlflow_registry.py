"""
The registry in MLflow: one run per training, and the registered versions.

The database and all artefacts lie under ``Home.registry``. Registration is the last step and cannot be interrupted
half-way; whatever stops a training before it leaves a run whose status tells so, and no version. ``champion.json``
decides which version serves; MLflow's alias ``champion`` follows it, for those who look there.
"""

import contextlib
import json
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow.entities import RunData
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from data.company_identity import CompanyIdentity, company_from_json
from data.home import Home
from models.champion import NoChampionError, read_pointer
from training.errors import RegistryError, UnknownVersionError
from training.registry.registered_version import RegisteredVersion, RegistryEntry
from training.registry.run_folders import CHALLENGER, CHAMPION

_ALL = 1_000
_COMPANY = "company"
_NOT_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


@dataclass(frozen=True)
class Registry:
    """The runs and registered versions of one playbook's model."""

    home: Home
    name: str

    @property
    def model_name(self) -> str:
        """The name under which versions are registered."""
        return f"leadscore-{self.name}"

    @property
    def models(self) -> Path:
        """The folder of the bundles, of the pointer to the champion and of its history."""
        return self.home.models(self.name)

    @property
    def artifacts_uri(self) -> str:
        """The address under which MLflow keeps the files of each run."""
        return (self._place / "artifacts").as_uri()

    @property
    def _place(self) -> Path:
        return self.home.registry.resolve()

    @property
    def _database(self) -> Path:
        return self._place / "mlflow.db"

    @property
    def tracking_uri(self) -> str:
        """The address of MLflow's database."""
        return f"sqlite:///{self._database}"

    def require_readable(self) -> None:
        """
        Check the database, where there is one yet.

        MLflow would try a file that is no database ten times, for more than a minute.

        Raises:
            RegistryError: it is damaged.
        """
        if self._database.exists():
            with (
                self.errors_as_sentences(),
                closing(sqlite3.connect(f"{self._database.as_uri()}?mode=ro", uri=True)) as connection,
            ):
                (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                if found != "ok":
                    raise sqlite3.DatabaseError(found)

    def client(self) -> mlflow.MlflowClient:
        """
        Open the database; the first time, MLflow makes it.

        Raises:
            RegistryError: it is damaged, or the folder cannot be written.
        """
        silence_mlflow()
        with self.errors_as_sentences():
            self._place.mkdir(parents=True, exist_ok=True)
            self.require_readable()
            _touch(self._database)
            mlflow.set_tracking_uri(self.tracking_uri)
            mlflow.set_registry_uri(self.tracking_uri)
            return mlflow.MlflowClient()

    @contextmanager
    def errors_as_sentences(self) -> Iterator[None]:
        """
        Turn an error of the database or the disk in the block into one sentence.

        Raises:
            RegistryError: names what went wrong.
        """
        try:
            yield
        except (MlflowException, sqlite3.Error) as error:
            message = (
                f"The registry {self._database} cannot be used ({_first_line(error)}): bring it back from a backup, or "
                f"move {self._place} away and train again."
            )
            raise RegistryError(message) from None
        except OSError as error:
            message = (
                f"The registry {self._place} cannot be written ({error.strerror or error}): make room there and allow "
                "writing, or name another folder in LEADSCORE_HOME."
            )
            raise RegistryError(message) from None

    def find(self, wanted: str) -> RegisteredVersion:
        """
        Find a version by its alias or its number.

        Args:
            wanted: ``challenger`` (the newest), ``champion`` or a number.

        Raises:
            UnknownVersionError: there is none.
            RegistryError: the database is damaged.
        """
        if not wanted.strip():
            message = "No version is named, expected challenger, champion or a number: name one of them."
            raise UnknownVersionError(message)
        found = self.champion() if wanted == CHAMPION else self._registered_as(wanted)
        if found is None:
            message = f"{self.model_name} has no version {wanted}: run leadscore train first, or name one that exists."
            raise UnknownVersionError(message)
        return found

    def _registered_as(self, wanted: str) -> RegisteredVersion | None:
        client = self.client()
        with self.errors_as_sentences():
            try:
                if wanted.isdecimal():
                    return _registered(client.get_model_version(self.model_name, wanted))
                return _registered(client.get_model_version_by_alias(self.model_name, wanted))
            except MlflowException as error:
                if error.error_code not in _NOT_THERE:
                    raise
            return self._newest() if wanted == CHALLENGER else None

    def _newest(self) -> RegisteredVersion | None:
        """Return the version registered last: a promotion takes the alias challenger from it, not its place."""
        found = mlflow.MlflowClient().search_model_versions(f"name = '{self.model_name}'", max_results=_ALL)
        return max(map(_registered, found), key=lambda each: int(each.version), default=None)

    def champion(self) -> RegisteredVersion | None:
        """
        Return the version that serves, if one was promoted.

        Raises:
            BundleError: the pointer to it is damaged.
        """
        try:
            pointer = read_pointer(self.models)
        except NoChampionError:
            return None
        return RegisteredVersion(pointer.version, Path(pointer.bundle).name, pointer.fingerprint)

    def metrics(self, run_id: str) -> Mapping[str, float]:
        """Return the numbers that a training wrote into its run."""
        return dict(self._run_data(run_id).metrics)

    def parameters(self, run_id: str) -> Mapping[str, str]:
        """Return the parameters of a training, as its run holds them."""
        return dict(self._run_data(run_id).params)

    def _run_data(self, run_id: str) -> RunData:
        client = self.client()
        with self.errors_as_sentences():
            return client.get_run(run_id).data

    @property
    def champion_alias(self) -> str | None:
        """
        The version that MLflow's alias ``champion`` names.

        Raises:
            RegistryError: there is no registry, or it is damaged.
        """
        client = self._existing()
        with self.errors_as_sentences():
            found = client.get_registered_model(self.model_name).aliases.get(CHAMPION)
        return None if found is None else str(found)

    def set_champion_alias(self, serving: RegisteredVersion, tags: Mapping[str, str]) -> None:
        """
        Set MLflow's alias ``champion`` to the version that serves, and its tags to who promoted it, when and why.

        The version is no challenger any more: where it was one, that alias goes first.

        Args:
            serving: the version.
            tags: written before the alias is set.

        Raises:
            UnknownVersionError: MLflow does not hold it, or holds another model under its number.
            RegistryError: there is no registry, or it cannot be written.
        """
        client, held = self._existing(), self.find(serving.version)
        if held != serving:
            message = f"{self.model_name} holds another model as version {serving.version}: train again."
            raise UnknownVersionError(message)
        with self.errors_as_sentences():
            for name, value in tags.items():
                client.set_model_version_tag(self.model_name, serving.version, name, value)
            if str(client.get_registered_model(self.model_name).aliases.get(CHALLENGER)) == serving.version:
                client.delete_registered_model_alias(self.model_name, CHALLENGER)
            client.set_registered_model_alias(self.model_name, CHAMPION, serving.version)

    def require_existing(self) -> None:
        """
        Check that there is a database.

        Raises:
            RegistryError: there is none.
        """
        if not self._database.exists():
            message = f"There is no registry {self._database}: run leadscore train."
            raise RegistryError(message)

    def _existing(self) -> mlflow.MlflowClient:
        """Open the database, and make none where there is none."""
        self.require_existing()
        return self.client()

    def next_version(self) -> str:
        """Return the number that the next registered version will have, unless another is registered meanwhile."""
        found = mlflow.MlflowClient().search_model_versions(f"name = '{self.model_name}'", max_results=_ALL)
        return str(1 + max((int(version.version) for version in found), default=0))

    def require_company(self, company: CompanyIdentity) -> None:
        """
        Check that the registered versions are of a company; those of a release that named none are taken for its own.

        Raises:
            RegistryError: they are of another one, or the database is damaged.
        """
        if not self._database.exists():
            return
        client = self.client()
        with self.errors_as_sentences():
            found = client.search_registered_models(f"name = '{self.model_name}'")
        recorded = None
        with contextlib.suppress(ValueError):  # a tag that somebody wrote by hand
            recorded = (
                company_from_json(json.loads(found[0].tags[_COMPANY])) if found and _COMPANY in found[0].tags else None
            )
        if recorded is not None and not company.is_same_as(recorded):
            raise RegistryError(
                company.refusal(recorded, f"The model {self.model_name} in the registry {self._database}")
            )

    def require_free(self, name: str) -> None:
        """
        Check that no other playbook's versions are registered under a name.

        Raises:
            RegistryError: some are, or the database is damaged.
        """
        other = Registry(self.home, name).model_name
        if not self._database.exists():
            return
        client = self.client()
        with self.errors_as_sentences():
            own, taken = (client.search_registered_models(f"name = '{each}'") for each in (self.model_name, other))
        if own and taken:
            message = f"The registry {self._database} holds a model {other} already: choose another name."
            raise RegistryError(message)

    def rename(self, name: str) -> None:
        """
        Rename the registered model and its experiment, where there are any.

        Raises:
            RegistryError: the registry cannot be written.
        """
        if not self._database.exists():
            return
        client, after = self.client(), Registry(self.home, name).model_name
        with self.errors_as_sentences():
            if client.search_registered_models(f"name = '{self.model_name}'"):
                client.rename_registered_model(self.model_name, after)
            experiment = client.get_experiment_by_name(self.model_name)
            if experiment is not None:
                client.rename_experiment(experiment.experiment_id, after)

    def register(self, entry: RegistryEntry, *, company: CompanyIdentity) -> str:
        """Register a logged model as the challenger, or not at all; return its version."""
        client = mlflow.MlflowClient()
        if not client.search_registered_models(f"name = '{self.model_name}'"):
            client.create_registered_model(self.model_name)
        client.set_registered_model_tag(self.model_name, _COMPANY, json.dumps(company.as_json()))
        made = client.create_model_version(
            self.model_name,
            client.get_logged_model(entry.model_id).artifact_location,
            entry.run_id,
            tags={"bundle_fingerprint": entry.fingerprint, **entry.tags},
            description=entry.description,
            model_id=entry.model_id,
        )
        try:
            client.set_registered_model_alias(self.model_name, CHALLENGER, made.version)
        except BaseException:
            client.delete_model_version(self.model_name, made.version)
            raise
        return str(made.version)


def _touch(path: Path) -> None:
    """Open the database for writing, making an empty one where there is none: SQLite says at once if it cannot be."""
    sqlite3.connect(path).close()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _registered(found: ModelVersion) -> RegisteredVersion:
    return RegisteredVersion(str(found.version), str(found.run_id), str(found.tags.get("bundle_fingerprint", "")))


def silence_mlflow() -> None:
    """Keep MLflow's and Alembic's messages off the console, except errors."""
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
