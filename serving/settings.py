"""What the service is told at its start; every setting has an environment variable ``LEADSCORE_…``."""

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data.home import Home
from data.playbook import PlaybookFolder
from serving.errors import SettingsError

_PREFIX = "LEADSCORE_"
_SQLITE = "sqlite:///"


class Settings(BaseModel):
    """
    The settings of one process of the service.

    >>> Settings(playbook=Path("demo"), database=Path("leadscore.db"), models=Path("models")).port
    8000
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    playbook: Path = Field(description="folder of the playbook")
    database: Path = Field(description="file of the SQLite store; also as sqlite:///path")
    models: Path = Field(description="folder of the playbook's bundles and of the pointer to the champion")
    host: str = Field(default="127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(default=8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    clock_skew_s: Annotated[float, Field(ge=0, le=86_400)] = Field(
        default=300, description="how far ahead of our clock an instant may be and still count as now"
    )
    model_check_s: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=1, description="how often to look whether another model was promoted"
    )
    busy_timeout_s: Annotated[float, Field(gt=0, le=600)] = Field(
        default=30, description="how long a write waits for another process's write"
    )


def settings_for(folder: PlaybookFolder, home: Home, **given: object) -> Settings:
    """
    Put the settings for a playbook together: as given, or else from the environment, or else the usual.

    Args:
        folder: the playbook.
        home: where local tables and models stand unless said otherwise.
        given: settings by name; None counts as not given.

    Raises:
        SettingsError: a setting cannot be meant.
    """
    name = folder.playbook.name
    usual = {"database": home.tables(name) / "leadscore.db", "models": home.models(name)}
    chosen = {key: value for key, value in given.items() if value is not None}
    content: dict[str, Any] = {**usual, **_environment(), **chosen, "playbook": folder.path}
    content["database"] = _path(str(content["database"]))
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        wrong = "; ".join(f"{_PREFIX}{str(part['loc'][0]).upper()}: {part['msg']}" for part in error.errors())
        message = f"the settings cannot be meant: {wrong}."
        raise SettingsError(message) from None


def _environment() -> dict[str, str]:
    names = {name: f"{_PREFIX}{name.upper()}" for name in Settings.model_fields}
    return {name: os.environ[variable] for name, variable in names.items() if os.environ.get(variable)}


def _path(named: str) -> str:
    """
    Give the file that a database URL or path names.

    >>> _path("sqlite:///store/leadscore.db")
    'store/leadscore.db'
    """
    if named.startswith(_SQLITE):
        return named.removeprefix(_SQLITE)
    if "://" in named:
        message = f"the database must be a file path or {_SQLITE}path: other databases are not supported."
        raise SettingsError(message)
    return named
