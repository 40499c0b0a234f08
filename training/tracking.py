"""
Tracking: one MLflow run per training, and the registry of what it made.

The database and all artefacts lie under ``Home.registry``. Registering is the last step and cannot be interrupted
half-way; whatever stops a training before it leaves a run that says so, and no version.
"""

import json
import logging
import shutil
import signal
import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import FrameType
from typing import Any, Self

import mlflow
import pandas as pd
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunData
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec

from data.home import Home
from data.instants import now_us
from features.catalog import Catalog
from training.errors import RegistryError, UnknownVersionError

CHALLENGER, CHAMPION = "challenger", "champion"
_CODE = ("data", "features", "models")
_NEEDED = ("mlflow", "numba", "numpy", "pandas", "pyarrow", "pydantic", "pyyaml")
_ROOT = Path(__file__).resolve().parent.parent
_NOT_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
_NOT_SERVED = ("__pycache__", "store", "playbooks", "simulation")


@dataclass(frozen=True, slots=True)
class Registered:
    """A version in the registry: its number, its run, and its bundle's fingerprint."""

    version: str
    run_id: str
    fingerprint: str


@dataclass(frozen=True)
class Registry:
    """The runs and registered versions of one playbook's model."""

    home: Home
    name: str

    @property
    def model_name(self) -> str:
        """Give the name under which versions are registered."""
        return f"leadscore-{self.name}"

    @property
    def _place(self) -> Path:
        return self.home.registry.resolve()

    @property
    def _database(self) -> Path:
        return self._place / "mlflow.db"

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
        if self._database.exists():
            with self.told(), closing(sqlite3.connect(f"{self._database.as_uri()}?mode=ro", uri=True)) as connection:
                (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                if found != "ok":
                    raise sqlite3.DatabaseError(found)

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

    def find(self, wanted: str) -> Registered:
        """
        Find a version by its alias or its number.

        Args:
            wanted: ``challenger``, ``champion`` or a number.

        Raises:
            UnknownVersionError: there is none.
            RegistryError: the database is damaged.
        """
        if not wanted.strip():
            message = "No version is named, expected challenger, champion or a number: name one of them."
            raise UnknownVersionError(message)
        client = self.client()
        with self.told():
            try:
                if wanted.isdecimal():
                    return _registered(client.get_model_version(self.model_name, wanted))
                return _registered(client.get_model_version_by_alias(self.model_name, wanted))
            except MlflowException as error:
                if error.error_code not in _NOT_THERE:
                    raise
        message = f"{self.model_name} has no version {wanted}: run leadscore train first, or name one that exists."
        raise UnknownVersionError(message)

    def champion(self) -> Registered | None:
        """Give the version that serves, if one was promoted."""
        try:
            return self.find(CHAMPION)
        except UnknownVersionError:
            return None

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

    def crown(self, version: str) -> None:
        """Move the alias champion to a version."""
        self.client().set_registered_model_alias(self.model_name, CHAMPION, version)

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


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _registered(found: ModelVersion) -> Registered:
    return Registered(str(found.version), str(found.run_id), str(found.tags.get("bundle_fingerprint", "")))


def quiet() -> None:
    """Keep MLflow's and Alembic's chatter off the console; errors are still told."""
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)


class Patience:
    """
    Puts off Ctrl-C from `begin` until its block is done; before `begin`, Ctrl-C acts at once.

    Signals reach the main thread only; in any other thread this does nothing.
    """

    def __init__(self) -> None:
        self._interrupted = False
        self._before: Any = None

    def __enter__(self) -> Self:
        """Enter the block; Ctrl-C still acts at once."""
        return self

    def begin(self) -> None:
        """Put off Ctrl-C from here on."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._remember)

    def __exit__(self, *_raised: object) -> None:
        """Leave the block, and raise what was put off."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
        if self._interrupted:
            raise KeyboardInterrupt

    def _remember(self, _number: int, _frame: FrameType | None) -> None:
        self._interrupted = True


def log_facts(run_id: str, *, parameters: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
    """Write parameters and metrics into the run."""
    at = now_us() // 1_000
    mlflow.MlflowClient().log_batch(
        run_id,
        metrics=[Metric(name, value, at, 0) for name, value in metrics.items()],
        params=[Param(name, str(value)) for name, value in parameters.items()],
    )


def log_dataset(run_id: str, place: Path, *, manifest: Mapping[str, Any]) -> None:
    """Name the training set as the run's input: where it lies, its hash and its size."""
    taken = ("rows", "mature", "leads", "features", "cutoff_at", "mature_until")
    used = Dataset(
        name=f"{manifest['playbook']} training set",
        digest=str(manifest["rows_sha256"])[:32],
        source_type="local",
        source=json.dumps({"uri": place.resolve().as_uri()}),
        profile=json.dumps({name: manifest[name] for name in taken}),
    )
    context = [InputTag("mlflow.data.context", "training")]
    mlflow.MlflowClient().log_inputs(run_id, datasets=[DatasetInput(used, context)])


def log_model(bundle: Path, catalog: Catalog, *, example: pd.DataFrame) -> str:
    """
    Write the bundle into the run as a model that MLflow can serve; nothing is registered yet.

    Args:
        bundle: the saved bundle.
        catalog: its features, which become the signature's columns.
        example: a few rows of features.

    Returns:
        The id of the logged model.
    """
    with tempfile.TemporaryDirectory(prefix="leadscore-code-") as code:
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(Path(__file__).with_name("served_model.py")),
            artifacts={"bundle": str(bundle)},
            code_paths=_served_code(Path(code)),
            signature=signature_of(catalog),
            input_example=example,
            pip_requirements=[f"{name}=={metadata.version(name)}" for name in _NEEDED],
        )
    return str(info.model_id)


def signature_of(catalog: Catalog) -> ModelSignature:
    """Give the columns that the served model takes and gives; every feature may be missing."""
    kinds = [DataType.string if feature.is_category else DataType.double for feature in catalog.features]
    inputs: list[ColSpec | TensorSpec] = [
        ColSpec(kind, name, required=False) for kind, name in zip(kinds, catalog.names, strict=True)
    ]
    outputs = {
        "probability": DataType.double,
        "points": DataType.double,
        "score": DataType.long,
        "grade": DataType.string,
    }
    return ModelSignature(Schema(inputs), Schema([ColSpec(kind, name) for name, kind in outputs.items()]))


def _served_code(place: Path) -> list[str]:
    """Copy the code that scoring needs, and nothing that lies beside it on this machine."""
    for package in _CODE:
        shutil.copytree(_ROOT / package, place / package, ignore=_only_code)
    return [str(place / package) for package in _CODE]


def _only_code(folder: str, names: list[str]) -> list[str]:
    """Name what is not copied: everything but Python files and the packages they form."""
    here = Path(folder)
    return [name for name in names if name in _NOT_SERVED or not ((here / name).is_dir() or name.endswith(".py"))]
