"""The settings of the service; every one has an environment variable ``LEADSCORE_…``."""

import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_serializer, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from data.words.playbook import Playbook
from data.workspace import Workspace
from models.errors import SigningKeyError
from models.signing import PublicKey
from serving.errors import SettingsError

_PREFIX = "LEADSCORE_"
_IN_PLAYBOOKS = re.compile(rf"\$\{{({_PREFIX}\w+)")
_FOR_TESTS = "LEADSCORE_RENEW_GOLDEN"
_UNREADABLE = "the user name or password in the store's URL holds one of @ : / ? #: write it as %40 %3A %2F %3F %23"
LEDGER_NAME = "ledger.jsonl"
_SQLITE, _POSTGRES, _PSYCOPG = "sqlite:///", "postgresql://", "postgresql+psycopg://"


class Settings(BaseSettings):
    """
    The settings of one process of the service.

    Arguments go before environment variables, and those before the defaults.

    >>> Settings(playbook=Path("demo"), database="leadscore.db", models=Path("models")).database
    'sqlite:///leadscore.db'
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    playbook: Path = Field(description="Folder of the playbook.")
    database: str = Field(description="The store: a SQLite file, or `postgresql+psycopg://user:password@host/name`.")
    models: Path = Field(description="Folder of the playbook's bundles and of the pointer to the champion.")
    ledger: Path | None = Field(
        default=None,
        description="File outside the store that keeps erasures, revocations and deployments for the day of a restore.",
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    clock_skew_s: float = Field(
        default=300, ge=0, le=86_400, description="Seconds that an instant may be ahead of the service's clock."
    )
    model_check_s: float = Field(
        default=0.5, gt=0, le=3600, description="Seconds between two looks whether another model was put in force."
    )
    follow_promotions: bool = Field(
        default=True, description="Whether a model promoted in the folder of models is put in force by itself."
    )
    signing_keys: Annotated[tuple[PublicKey, ...], NoDecode] = Field(
        default=(),
        description="Public keys, with commas, whose signatures of bundles count besides those in the store.",
    )
    unsigned_bundles: Literal["accept", "refuse"] = Field(
        default="refuse", description="Whether to take bundles that no trusted key signed; they are marked."
    )
    busy_timeout_s: float = Field(
        default=30, gt=0, le=600, description="Seconds that a write waits for another process's write."
    )
    workers: int = Field(default=1, ge=1, le=64, description="Processes that answer.")
    keys: Literal["required", "off"] = Field(
        default="required", description="Whether callers need a key; `off` is allowed only on a loopback address."
    )
    requests_per_s: float = Field(
        default=1000, ge=0, le=1e6, description="Requests a second that one key may make; 0 lifts every limit."
    )
    leads_per_s: float = Field(
        default=5000,
        ge=0,
        le=1e7,
        description="Leads a second that one key may ask for or send facts about; each KiB of a body is at least one.",
    )
    connections: int = Field(
        default=1000, ge=10, le=100_000, description="Connections that one process keeps open at a time."
    )
    connections_per_address: int = Field(
        default=500, ge=5, le=100_000, description="Connections of one address that one process keeps open at a time."
    )
    sweep_every_s: float = Field(
        default=3600, gt=0, le=7 * 86_400, description="Seconds between two sweeps that score all open leads again."
    )
    fresh_for_s: float = Field(
        default=7200, gt=0, le=30 * 86_400, description="Seconds after which a stored score is marked stale."
    )
    backlog_s: float = Field(
        default=120,
        gt=0,
        le=86_400,
        description="Seconds that leads may wait for their score; beyond, new facts are refused for a while.",
    )
    keep_receipts_days: int = Field(
        default=400,
        ge=31,
        le=36_500,
        description="Days for which receipts are kept; those behind handovers for ever, and those of stored scores.",
    )
    drain_s: float = Field(
        default=30, gt=0, le=30, description="Seconds that requests may still take once the service is stopped."
    )
    log_format: Literal["json", "text"] = Field(default="json", description="Form of the log on stderr.")
    log_requests: Literal["all", "errors", "none"] = Field(
        default="errors", description="Requests that are logged: all, those answered with 5xx, or none."
    )

    @property
    def ledger_file(self) -> Path:
        """The file of the ledger."""
        return self.ledger or self.models / LEDGER_NAME

    @property
    def database_file(self) -> Path | None:
        """The file of a store on SQLite; None on PostgreSQL."""
        path = self.database.removeprefix(_SQLITE)
        return Path(path) if path != self.database else None

    @field_validator("signing_keys", mode="before")
    @classmethod
    def _as_keys(cls, value: object) -> object:
        try:
            return tuple(map(PublicKey.of, value.replace(",", " ").split())) if isinstance(value, str) else value
        except SigningKeyError as error:
            raise ValueError(str(error)) from None

    @field_serializer("signing_keys")
    def _as_text(self, keys: tuple[PublicKey, ...]) -> str:
        return ",".join(key.text for key in keys)

    @field_validator("database", mode="before")
    @classmethod
    def _as_url(cls, value: object) -> object:
        return database_url(value) if isinstance(value, str | Path) else value


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One environment variable, for the table of settings."""

    variable: str
    default: str
    description: str


_OTHER_VARIABLES = (
    SettingRow(
        f"{_PREFIX}HOME",
        "the checkout; an installed program has none",
        "Folder that holds tables, models and the store.",
    ),
    SettingRow(f"{_PREFIX}DATA", "`data/store/demo/exports`", "Folder of the exports of the demo's playbook."),
    SettingRow(
        f"{_PREFIX}DATASETS",
        "`../shared/datasets` beside the checkout",
        "Folder that holds `bpi2012/financial_log.xes.gz`.",
    ),
    SettingRow(
        f"{_PREFIX}MEMORY",
        "half of the machine's, at most 4",
        "Gigabytes that an import or a build may take; a longer history is done in more parts.",
    ),
    SettingRow(
        f"{_PREFIX}ENGINE",
        "`duckdb`",
        "What computes the features and reasons of `leadscore score`: `duckdb`, or a master of Spark: `local[*]`, "
        "`spark://host:port`, `sc://host:port`.",
    ),
    SettingRow(
        f"{_PREFIX}TABLES",
        "those imported from the exports",
        "Folder, or for Spark a URL, with the contract's tables for `leadscore score`, written by something else.",
    ),
    SettingRow(f"{_PREFIX}USER", "the system's user", "Who acts, in the history of promotions and in the audit log."),
    SettingRow(
        f"{_PREFIX}SIGNING_KEY_FILE",
        "`models/store/signing.key` in the home folder",
        "Private key with which `leadscore promote` and `leadscore deploy` sign bundles.",
    ),
    SettingRow(f"{_PREFIX}KEY", "none", "Key of the service that `leadscore deploy --to URL` hands a model to."),
)
_DEFAULTS_IN_WORDS = {
    "playbook": "the demo's",
    "database": "`data/store/NAME/leadscore.db` in the home folder",
    "models": "`models/store/NAME` in the home folder",
    "signing_keys": "none",
    "ledger": f"`{LEDGER_NAME}` in the folder of models",
}


def settings_rows() -> tuple[SettingRow, ...]:
    """Return every environment variable with its default and what it sets, the service's own ones last."""
    own = (
        SettingRow(_variable(name), _DEFAULTS_IN_WORDS.get(name) or f"`{_text(field.default)}`", str(field.description))
        for name, field in Settings.model_fields.items()
    )
    return (*_OTHER_VARIABLES, *own)


def settings_for(workspace: Workspace, **given: object) -> Settings:
    """
    Return the settings for a workspace: as given if not None, or else from the environment, or else the defaults.

    Raises:
        SettingsError: a setting is invalid, or a variable ``LEADSCORE_…`` is unknown.
        HomeError: neither the home nor the store is named, and the program is an installed one.
    """
    reject_unknown_variables(workspace.playbook)
    chosen = {key: value for key, value in given.items() if value is not None}
    content: dict[str, Any] = {**_usual_places(workspace), **chosen, "playbook": workspace.playbook.path}
    try:
        return Settings(**content)
    except ValidationError as error:
        mistakes = "; ".join(f"{_variable(str(part['loc'][0]))}: {part['msg']}" for part in error.errors())
        message = f"Invalid settings: {mistakes}."
        raise SettingsError(message) from None


def _usual_places(workspace: Workspace) -> dict[str, Path]:
    """
    Return where the store and the models are, as far as the environment does not say so.

    Beside a store that is named elsewhere, an installation has no models: then the store alone knows them.

    Raises:
        HomeError: the store would be made in an installation.
    """
    home, name = workspace.home, workspace.playbook.business.name
    places = {}
    if not os.environ.get(_variable("database")):
        places["database"] = home.tables(name) / "leadscore.db"
    if not os.environ.get(_variable("models")):
        places["models"] = home.root / "models" / "none" if home.is_installation else home.models(name)
    return places


def reject_unknown_variables(playbook: Playbook) -> None:
    """
    Reject unknown variables ``LEADSCORE_…``, so that a typo does not pass silently; playbooks may name their own.

    Raises:
        SettingsError: a variable is unknown; the message suggests the known one that is most like it.
    """
    known = {_FOR_TESTS, *(row.variable for row in settings_rows())}
    for file in sorted(playbook.path.glob("*.yaml")):
        known.update(_IN_PLAYBOOKS.findall(file.read_text(encoding="utf-8", errors="replace")))
    for name in sorted(os.environ):
        if name.startswith(_PREFIX) and name not in known:
            nearest = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0)[0]
            message = f"Unknown variable {name}: did you mean {nearest}? Correct or unset it."
            raise SettingsError(message)


def database_url(place: str | Path) -> str:
    """
    Return the URL of the store that a path or a URL names.

    >>> database_url("store/leadscore.db"), database_url("postgresql://sales@db/leads")
    ('sqlite:///store/leadscore.db', 'postgresql+psycopg://sales@db/leads')
    """
    text = str(place)
    if text.startswith((_POSTGRES, _PSYCOPG)) and not _is_readable(text):
        raise ValueError(_UNREADABLE)
    if text.startswith(_POSTGRES):
        return text.replace(_POSTGRES, _PSYCOPG, 1)
    if text.startswith((_SQLITE, _PSYCOPG)):
        return text
    if "://" in text:
        message = "the store must be a file path, sqlite:///path or postgresql+psycopg://…: no other is supported"
        raise ValueError(message)
    return f"{_SQLITE}{text}"


def _is_readable(url: str) -> bool:
    """
    Return whether the user name and password in a URL are written so that only one reading is possible.

    >>> _is_readable("postgresql://sales:p%40ss@db/leads"), _is_readable("postgresql://sales:p@ss@db/leads")
    (True, False)
    """
    user, _, _ = url.partition("://")[2].rpartition("@")
    return user.count(":") <= 1 and not set(user) & set("@/?#[]")


def _variable(name: str) -> str:
    return f"{_PREFIX}{name.upper()}"


def _text(default: object) -> str:
    """
    Return a default as one would write it in the environment.

    >>> _text(True), _text(0.5), _text("json")
    ('true', '0.5', 'json')
    """
    return str(default).lower() if isinstance(default, bool) else str(default)
