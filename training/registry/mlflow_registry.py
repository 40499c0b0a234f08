"""
Tracking: one MLflow run per training, and the registry of what it made.

The database and all artefacts lie under ``Home.registry``. Registering is the last step and cannot be interrupted
half-way; whatever stops a training before it leaves a run that says so, and no version. Which version serves is said by
``champion.json``; MLflow's alias of that name follows it, for those who look there.
"""

import logging
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow.entities import RunData
from mlflow.exceptions import MlflowException

from data.home import Home
from training.errors import RegistryError, UnknownVersionError
from training.registry.registered_versions import (
    CHALLENGER,
    CHAMPION,
    RegisteredVersion,
    champion_version,
    find_version,
    model_name,
    read_registry,
    registry_database,
    registry_errors,
)


@dataclass(frozen=True)
class Registry:
    """The runs and registered versions of one playbook's model."""

    home: Home
    name: str

    @property
    def model_name(self) -> str:
        """Give the name under which versions are registered."""
        return model_name(self.name)

    @property
    def models(self) -> Path:
        """Give the folder of the bundles, of the pointer to the champion and of its journal."""
        return self.home.models(self.name)

    @property
    def _place(self) -> Path:
        return self.home.registry.resolve()

    @property
    def _database(self) -> Path:
        return registry_database(self.home)

    @property
    def tracking_uri(self) -> str:
        """Give the address of MLflow's database."""
        return f"sqlite:///{self._database}"

    def demand_readable(self) -> None:
        """
        Check the database, where there is one yet.

        MLflow would try a file that is no database ten times, for more than a minute.

        Raises:
            RegistryError: it is damaged.
        """
        with read_registry(self.home):
            pass

    def client(self) -> mlflow.MlflowClient:
        """
        Open the database; the first time, MLflow makes it.

        Raises:
            RegistryError: it is damaged, or the folder cannot be written.
        """
        quiet()
        with self.told():
            self._place.mkdir(parents=True, exist_ok=True)
            self.demand_readable()
            _touch(self._database)
            mlflow.set_tracking_uri(self.tracking_uri)
            mlflow.set_registry_uri(self.tracking_uri)
            return mlflow.MlflowClient()

    @contextmanager
    def told(self) -> Iterator[None]:
        """
        Turn whatever the database or the disk refuses in the block into one sentence.

        Raises:
            RegistryError: says what was refused.
        """
        with registry_errors(self.home, MlflowException):
            yield

    def find(self, wanted: str) -> RegisteredVersion:
        """
        Find a version by its alias or its number.

        Args:
            wanted: ``challenger``, ``champion`` or a number.

        Raises:
            UnknownVersionError: there is none.
            RegistryError: the database is damaged.
        """
        return find_version(self.home, self.name, wanted)

    def champion(self) -> RegisteredVersion | None:
        """
        Give the version that serves, if one was promoted.

        Raises:
            BundleError: the pointer to it is damaged.
        """
        return champion_version(self.models)

    def metrics(self, run_id: str) -> Mapping[str, float]:
        """Give the numbers that a training wrote into its run."""
        return dict(self._run_data(run_id).metrics)

    def parameters(self, run_id: str) -> Mapping[str, str]:
        """Give what a training was set to, as its run says."""
        return dict(self._run_data(run_id).params)

    def _run_data(self, run_id: str) -> RunData:
        client = self.client()
        with self.told():
            return client.get_run(run_id).data

    @property
    def alias(self) -> str | None:
        """
        Give the version that MLflow's alias ``champion`` names.

        Raises:
            RegistryError: there is no registry, or it is damaged.
        """
        client = self._existing()
        with self.told():
            found = client.get_registered_model(self.model_name).aliases.get(CHAMPION)
        return None if found is None else str(found)

    def follow(self, serving: RegisteredVersion, tags: Mapping[str, str]) -> None:
        """
        Let MLflow's alias ``champion`` name the version that serves, and its tags say how it came to that.

        Args:
            serving: the version.
            tags: written before the alias moves.

        Raises:
            UnknownVersionError: MLflow does not hold it, or holds another model under its number.
            RegistryError: there is no registry, or it cannot be written.
        """
        client, held = self._existing(), self.find(serving.version)
        if held != serving:
            message = f"{self.model_name} holds another model as version {serving.version}: train again."
            raise UnknownVersionError(message)
        with self.told():
            for name, value in tags.items():
                client.set_model_version_tag(self.model_name, serving.version, name, value)
            client.set_registered_model_alias(self.model_name, CHAMPION, serving.version)

    def _existing(self) -> mlflow.MlflowClient:
        """Open the database, and make none where there is none."""
        if not self._database.exists():
            message = f"There is no registry {self._database}: run leadscore train."
            raise RegistryError(message)
        return self.client()

    @contextmanager
    def run(self) -> Iterator[str]:
        """
        Open a run and give its id; however the block ends, the run says how.

        It is FINISHED, KILLED after Ctrl-C, or FAILED.

        Raises:
            RegistryError: the registry cannot be read, or what the block makes cannot be written.
        """
        client = self.client()
        with self.told():
            experiment = client.get_experiment_by_name(self.model_name)
            if experiment is None:
                client.create_experiment(self.model_name, artifact_location=(self._place / "artifacts").as_uri())
            mlflow.set_experiment(self.model_name)
            with mlflow.start_run(log_system_metrics=False) as active:
                try:
                    yield active.info.run_id
                except KeyboardInterrupt:
                    mlflow.end_run("KILLED")
                    raise

    def next_version(self) -> str:
        """Give the number that the next registered version will have, if nobody registers one meanwhile."""
        found = mlflow.MlflowClient().search_model_versions(f"name = '{self.model_name}'", max_results=1_000)
        return str(1 + max((int(version.version) for version in found), default=0))

    def register(self, run_id: str, *, model_id: str, fingerprint: str) -> str:
        """Register a logged model as the challenger, or not at all; give its version."""
        client = mlflow.MlflowClient()
        if not client.search_registered_models(f"name = '{self.model_name}'"):
            client.create_registered_model(self.model_name)
        source = client.get_logged_model(model_id).artifact_location
        tags = {"bundle_fingerprint": fingerprint}
        made = client.create_model_version(self.model_name, source, run_id, tags=tags, model_id=model_id)
        try:
            client.set_registered_model_alias(self.model_name, CHALLENGER, made.version)
        except BaseException:
            client.delete_model_version(self.model_name, made.version)
            raise
        return str(made.version)


def _touch(path: Path) -> None:
    """Open the database for writing, making an empty one where there is none: SQLite says at once if it cannot be."""
    sqlite3.connect(path).close()


def quiet() -> None:
    """Keep MLflow's and Alembic's chatter off the console; errors are still told."""
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
