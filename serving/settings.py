"""What the service is told at its start; every setting has an environment variable ``LEADSCORE_…``."""

import difflib
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from data.playbook import Playbook
from data.workspace import Workspace
from serving.errors import SettingsError

_PREFIX = "LEADSCORE_"
_ELSEWHERE = ("KEY", "PLAYBOOK", "HOME", "DATA", "DATASETS", "USER", "RENEW_GOLDEN")
"""What variables without a setting say: to the command line, to playbooks and to tests."""
_NAMED = re.compile(rf"\$\{{({_PREFIX}\w+)")
_SCHEMES = ("sqlite:///", "postgresql+psycopg://", "postgresql://")


class Settings(BaseModel):
    """
    The settings of one process of the service.

    >>> Settings(playbook=Path("demo"), database="leadscore.db", models=Path("models")).database
    'sqlite:///leadscore.db'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    playbook: Path = Field(description="folder of the playbook")
    database: str = Field(description="the store: a SQLite file, sqlite:///path, or postgresql+psycopg://…")
    models: Path = Field(description="folder of the playbook's bundles and of the pointer to the champion")
    host: str = Field(default="127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(default=8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    clock_skew_s: Annotated[float, Field(ge=0, le=86_400)] = Field(
        default=300, description="how far ahead of our clock an instant may be and still count as now"
    )
    model_check_s: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=0.5, description="how often to look whether another model was put in force"
    )
    follow_promotions: bool = Field(
        default=True, description="whether a model promoted in the models folder is put in force by itself"
    )
    busy_timeout_s: Annotated[float, Field(gt=0, le=600)] = Field(
        default=30, description="how long a write waits for another process's write"
    )
    workers: Annotated[int, Field(ge=1, le=64)] = Field(default=1, description="processes that answer")
    keys: Literal["required", "off"] = Field(
        default="required", description="whether callers need a key; off only where nobody else can listen"
    )
    requests_per_s: Annotated[float, Field(ge=0, le=1e6)] = Field(
        default=1000, description="requests a second that one key may make; 0 is no limit, and none for wrong keys"
    )
    sweep_every_s: Annotated[float, Field(gt=0, le=7 * 86_400)] = Field(
        default=3600, description="how often all open leads are scored anew, since time passes too"
    )
    fresh_for_s: Annotated[float, Field(gt=0, le=30 * 86_400)] = Field(
        default=7200, description="how old a stored score may be before it is marked stale"
    )
    drain_s: Annotated[float, Field(gt=0, le=30)] = Field(
        default=30, description="how long requests under way may still take once the service is told to stop"
    )
    log_format: Literal["json", "text"] = Field(default="json", description="how the service writes its log")
    log_requests: Literal["all", "errors", "none"] = Field(
        default="errors", description="which requests are logged: all, those that failed by our fault, or none"
    )

    @property
    def database_file(self) -> Path | None:
        """Give the file of a store on SQLite."""
        named = self.database.removeprefix(_SCHEMES[0])
        return Path(named) if named != self.database else None

    @field_validator("database", mode="before")
    @classmethod
    def _as_url(cls, named: object) -> object:
        return database_url(named) if isinstance(named, str | Path) else named


def settings_for(workspace: Workspace, **given: object) -> Settings:
    """
    Put the settings for a playbook together: as given, or else from the environment, or else the usual.

    Args:
        workspace: the playbook, and where tables and models are kept.
        given: settings by name; None counts as not given.

    Raises:
        SettingsError: a setting cannot be meant, or a variable ``LEADSCORE_…`` means nothing.
    """
    refuse_unknown(workspace.playbook)
    name = workspace.playbook.business.name
    usual = {"database": workspace.home.tables(name) / "leadscore.db", "models": workspace.home.models(name)}
    chosen = {key: value for key, value in given.items() if value is not None}
    content: dict[str, Any] = {**usual, **_environment(), **chosen, "playbook": workspace.playbook.path}
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        wrong = "; ".join(f"{_PREFIX}{str(part['loc'][0]).upper()}: {part['msg']}" for part in error.errors())
        message = f"the settings cannot be meant: {wrong}."
        raise SettingsError(message) from None


def _environment() -> dict[str, str]:
    names = {name: f"{_PREFIX}{name.upper()}" for name in Settings.model_fields}
    return {name: os.environ[variable] for name, variable in names.items() if os.environ.get(variable)}


def refuse_unknown(playbook: Playbook) -> None:
    """
    Refuse variables ``LEADSCORE_…`` that mean nothing, since a typo would go unnoticed.

    Args:
        playbook: the playbook, which may name variables of its own.

    Raises:
        SettingsError: there is one; says which known one is nearest.
    """
    known = {f"{_PREFIX}{name.upper()}" for name in (*Settings.model_fields, *_ELSEWHERE)}
    for file in sorted(playbook.path.glob("*.yaml")):
        known.update(_NAMED.findall(file.read_text(encoding="utf-8", errors="replace")))
    for name in sorted(os.environ):
        if name.startswith(_PREFIX) and name not in known:
            nearest = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0)[0]
            message = f"the variable {name} means nothing here: the nearest known is {nearest}; mend or unset it."
            raise SettingsError(message)


def database_url(named: str | Path) -> str:
    """
    Give the URL of the store that a path or a URL names.

    >>> database_url("store/leadscore.db"), database_url("postgresql://sales@db/leads")
    ('sqlite:///store/leadscore.db', 'postgresql+psycopg://sales@db/leads')
    """
    given = str(named)
    if given.startswith("postgresql://"):
        return given.replace("postgresql://", "postgresql+psycopg://", 1)
    if given.startswith(_SCHEMES):
        return given
    if "://" in given:
        message = "the store must be a file path, sqlite:///path or postgresql+psycopg://…: no other is supported"
        raise ValueError(message)
    return f"sqlite:///{given}"
