"""
Which versions of a model are registered, read without MLflow: importing MLflow takes seconds, these reads take none.

MLflow's database is a SQLite file. Whatever writes to it goes through MLflow: `training.registry.mlflow_registry`.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from data.home import Home
from models.champion import NoChampionError, read_pointer
from training.errors import RegistryError, UnknownVersionError

CHALLENGER, CHAMPION = "challenger", "champion"
_BY_NUMBER = "v.version = CAST(:wanted AS INTEGER)"
_BY_ALIAS = "v.version = (SELECT version FROM registered_model_aliases WHERE name = :name AND alias = :wanted)"
_VERSION = """
    SELECT v.version, v.run_id, t.value
    FROM model_versions v
    LEFT JOIN model_version_tags t ON t.name = v.name AND t.version = v.version AND t.key = 'bundle_fingerprint'
    WHERE v.name = :name AND coalesce(v.current_stage, '') <> 'Deleted_Internal' AND {condition}
"""
_TABLES = "SELECT count(*) FROM sqlite_master WHERE name IN ('model_versions', 'registered_model_aliases')"
_LARGEST_INTEGER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """A version in the registry: its number, its run, and its bundle's fingerprint."""

    version: str
    run_id: str
    fingerprint: str


def report_folder(models: Path, run_id: str) -> Path:
    """Return the folder of the report, the model card and the evaluation of a training run."""
    return models / "reports" / run_id


def learned_rules_file(models: Path, run_id: str) -> Path:
    """Return the place of the scorecard that was distilled from a run's model."""
    return report_folder(models, run_id) / "scorecard.yaml"


def model_name(playbook_name: str) -> str:
    """Return the name under which the versions of a playbook's model are registered."""
    return f"leadscore-{playbook_name}"


def registry_database(home: Home) -> Path:
    """Return the place of MLflow's database."""
    return home.registry.resolve() / "mlflow.db"


def find_version(home: Home, playbook_name: str, wanted: str) -> RegisteredVersion:
    """
    Find a version by its alias or its number.

    Args:
        home: holds the registry.
        playbook_name: whose model it is.
        wanted: ``challenger``, ``champion`` or a number.

    Raises:
        UnknownVersionError: there is none.
        RegistryError: the database is damaged.
        BundleError: the pointer to the champion is damaged.
    """
    if not wanted.strip():
        message = "No version is named, expected challenger, champion or a number: name one of them."
        raise UnknownVersionError(message)
    name = model_name(playbook_name)
    version = champion_version(home.models(playbook_name)) if wanted == CHAMPION else _registered(home, name, wanted)
    if version is None:
        message = f"{name} has no version {wanted}: run leadscore train first, or name one that exists."
        raise UnknownVersionError(message)
    return version


def champion_version(models: Path) -> RegisteredVersion | None:
    """
    Return the version that serves, if one was promoted.

    Raises:
        BundleError: the pointer to it is damaged.
    """
    try:
        pointer = read_pointer(models)
    except NoChampionError:
        return None
    return RegisteredVersion(pointer.version, Path(pointer.bundle).name, pointer.fingerprint)


def _registered(home: Home, name: str, wanted: str) -> RegisteredVersion | None:
    if wanted.isdecimal() and int(wanted) > _LARGEST_INTEGER:
        return None
    condition = _BY_NUMBER if wanted.isdecimal() else _BY_ALIAS
    with read_registry(home) as connection:
        if connection is None or connection.execute(_TABLES).fetchone() != (2,):
            return None
        row = connection.execute(_VERSION.format(condition=condition), {"name": name, "wanted": wanted}).fetchone()
    return None if row is None else RegisteredVersion(str(row[0]), str(row[1]), str(row[2] or ""))


@contextmanager
def read_registry(home: Home) -> Iterator[sqlite3.Connection | None]:
    """
    Open MLflow's database for reading; there may be none yet.

    It is checked first: MLflow itself would try a file that is no database ten times, for more than a minute.

    Raises:
        RegistryError: it is damaged.
    """
    database = registry_database(home)
    with registry_errors(home):
        if not database.exists():
            yield None
            return
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if state != "ok":
                raise sqlite3.DatabaseError(state)
            yield connection


@contextmanager
def registry_errors(home: Home, *library_errors: type[Exception]) -> Iterator[None]:
    """
    Turn what the database or the disk refuses in the block into one sentence.

    Args:
        home: holds the registry.
        library_errors: of a library that is used in the block.

    Raises:
        RegistryError: says what was refused.
    """
    place = home.registry.resolve()
    unusable: tuple[type[Exception], ...] = (sqlite3.Error, *library_errors)
    try:
        yield
    except unusable as error:
        message = (
            f"The registry {registry_database(home)} cannot be used ({_first_line(error)}): restore it from a backup, "
            f"or move {place} away and train again."
        )
        raise RegistryError(message) from None
    except OSError as error:
        message = (
            f"The registry {place} cannot be written ({error.strerror or error}): make room there and allow writing, "
            "or name another folder in LEADSCORE_HOME."
        )
        raise RegistryError(message) from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
