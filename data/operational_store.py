# ruff: noqa: S608 - this is SQL of our own; ids go in as parameters, and numbers are numbers
"""
Reading the service's store: the facts of one moment, always in the same order.

The store is SQLite or PostgreSQL; both are read through their own driver, and never written to. A lead that was merged
into another shares the outcomes that the other reached afterwards: otherwise it would look lost.
"""

import json
import os
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from data.company_identity import CompanyIdentity, company_from_json
from data.errors import IntakeError
from data.words.playbook import expand
from data.words.sources import StoreSource
from data.workspace import Workspace

CHUNK = 50_000
NEWEST_STEP = 7
"""The newest step of the store's tables that is understood here."""

_COPIED = (
    " UNION ALL SELECT o.outcome_id || '~' || m.lead_id, m.lead_id, o.stage, o.reached_at, o.known_at, o.amount,"
    " o.reason FROM merges AS m JOIN outcomes AS o ON o.lead_id = m.into_lead_id AND o.known_at > m.merged_at"
)
FACTS = {
    "leads": "SELECT lead_id, account_id, created_at, known_at, attributes FROM lead_versions",
    "activities": "SELECT activity_id, lead_id, kind, occurred_at, known_at, subject, value FROM activities",
    "outcomes": "SELECT outcome_id, lead_id, stage, reached_at, known_at, amount, reason FROM outcomes",
}
"""Each contract table as SQL of the store, with the outcomes of merged leads still to be added."""

_ORDER = {
    "leads": ("lead_id", "known_at"),
    "activities": ("lead_id", "known_at", "activity_id"),
    "outcomes": ("lead_id", "known_at", "outcome_id"),
}
_NUMBERS = {"known_at"}


class Moment(ABC):
    """
    One moment of a store; later writes are not seen.

    Attributes:
        tables: the names of its tables.
        binary: the suffix that makes text sort by its bytes on every engine.
    """

    binary: ClassVar[str]

    def __init__(self, tables: frozenset[str]) -> None:
        self.tables = tables

    @abstractmethod
    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> Iterator[list[tuple[Any, ...]]]:
        """
        Run a query and give its rows in chunks.

        Args:
            statement: SQL that both engines understand, with ``{place}`` for each parameter.
            parameters: the values.
        """

    @abstractmethod
    def of_leads(self, column: str) -> str:
        """Return the condition that a column is among the lead ids of one parameter, JSON text ``["L-1", …]``."""

    def relation(self, table: str) -> str:
        """Return a contract table as SQL; outcomes include those that merged leads share."""
        return FACTS[table] + (_COPIED if table == "outcomes" and "merges" in self.tables else "")

    def facts(self, table: str, *, where: str = "", parameters: Sequence[Any] = ()) -> Iterator[list[tuple[Any, ...]]]:
        """
        Return the rows of a contract table in chunks, sorted by lead and time; attributes of leads are JSON text.

        Args:
            table: ``leads``, ``activities`` or ``outcomes``.
            where: condition on the table's columns; default: all rows.
            parameters: the condition's values.
        """
        order = ", ".join(name if name in _NUMBERS else f"{name}{self.binary}" for name in _ORDER[table])
        condition = f" WHERE {where}" if where else ""
        return self.rows(f"SELECT * FROM ({self.relation(table)}) AS f{condition} ORDER BY {order}", parameters)


class _SqliteMoment(Moment):
    binary = ""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        super().__init__(frozenset(name for (name,) in tables))

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> Iterator[list[tuple[Any, ...]]]:
        cursor = self._connection.execute(statement.replace("{place}", "?"), tuple(parameters))
        while chunk := cursor.fetchmany(CHUNK):
            yield chunk

    def of_leads(self, column: str) -> str:
        return f"{column} IN (SELECT value FROM json_each({{place}}))"


class _PostgresMoment(Moment):
    binary = ' COLLATE "C"'

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._numbers = count(1)
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = ANY (current_schemas(false))")
        super().__init__(frozenset(name for (name,) in tables))

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> Iterator[list[tuple[Any, ...]]]:
        sql = statement.replace("%", "%%").replace("{place}", "%s")
        with self._connection.cursor(name=f"facts_{next(self._numbers)}") as cursor:
            cursor.execute(sql, tuple(parameters))
            while chunk := cursor.fetchmany(CHUNK):
                yield chunk

    def of_leads(self, column: str) -> str:
        return f"{column} IN (SELECT jsonb_array_elements_text({{place}}::text::jsonb))"


@dataclass(frozen=True, slots=True)
class OperationalStore:
    """
    The store of the service.

    Attributes:
        url: a file, ``sqlite:///file`` or ``postgresql+psycopg://…``.
    """

    url: str

    @property
    def path(self) -> Path | None:
        """The file of a store on SQLite; None on PostgreSQL."""
        return None if self._on_postgres else Path(self.url.removeprefix("sqlite:///"))

    @property
    def shown(self) -> str:
        """The place of the store, without user and password."""
        if not self._on_postgres:
            return str(self.path)
        parts = urlsplit(self.url)
        return f"postgresql://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"

    @property
    def _on_postgres(self) -> bool:
        return self.url.startswith("postgresql")

    @contextmanager
    def moment(self) -> Iterator[Moment]:
        """
        Open the store as it is now, for as long as the block takes.

        Raises:
            IntakeError: there is no store, it cannot be read, or a newer release made it.
        """
        path = self.path
        with _postgres_moment(self.url, self.shown) if path is None else _sqlite_moment(path) as moment:
            self._check(moment)
            yield moment

    def require_company(self, moment: Moment, company: CompanyIdentity) -> None:
        """
        Check that the store holds the leads of a company; one that says nothing of it is taken for its own.

        Raises:
            IntakeError: it holds those of another one.
        """
        if "store_state" not in moment.tables:
            return
        rows = [row for part in moment.rows("SELECT content FROM store_state WHERE name = 'company'") for row in part]
        recorded = company_from_json(json.loads(rows[0][0])) if rows else None
        if recorded is not None and not company.is_same_as(recorded):
            raise IntakeError(company.refusal(recorded, f"The store {self.shown}"))

    def _check(self, moment: Moment) -> None:
        if not {"lead_versions", "activities", "outcomes"} <= moment.tables:
            message = f"{self.shown} is not a leadscore store: name the service's database."
            raise IntakeError(message)
        if "alembic_version" in moment.tables:
            ((step,),) = next(moment.rows("SELECT version_num FROM alembic_version"))
            if not str(step).isdecimal() or int(step) > NEWEST_STEP:
                message = f"{self.shown} was written by a newer leadscore (schema {step}): upgrade leadscore."
                raise IntakeError(message)


def store_of(source: StoreSource, workspace: Workspace) -> OperationalStore:
    """
    Find the store that a playbook names; without a name, the service's own.

    Args:
        source: a path in it is relative to the playbook's folder.
        workspace: the playbook, and where tables and models are kept.
    """
    usual = workspace.home.tables(workspace.playbook.business.name) / "leadscore.db"
    named = expand(source.database) if source.database else os.environ.get("LEADSCORE_DATABASE") or str(usual)
    if "://" in named:
        return OperationalStore(named)
    return OperationalStore(str(workspace.playbook.path / named if source.database else Path(named)))


@contextmanager
def _sqlite_moment(path: Path) -> Iterator[Moment]:
    if not path.is_file():
        message = f"There is no store at {path}: start the service or load history once, or name another store."
        raise IntakeError(message)
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)) as connection:
            connection.execute("BEGIN")
            yield _SqliteMoment(connection)
    except sqlite3.DatabaseError as error:
        message = f"{path} cannot be read as a store ({error}): name the service's SQLite file."
        raise IntakeError(message) from None


@contextmanager
def _postgres_moment(url: str, shown: str) -> Iterator[Moment]:
    try:
        import psycopg  # noqa: PLC0415 - needed only for a store on PostgreSQL
    except ModuleNotFoundError:
        message = f"{shown} is on PostgreSQL, and psycopg is not installed: install psycopg[binary]."
        raise IntakeError(message) from None
    try:
        with psycopg.connect(url.replace("+psycopg", "", 1)) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            yield _PostgresMoment(connection)
    except psycopg.Error as error:
        why = str(error).strip().split("\n", maxsplit=1)[0]
        message = f"{shown} cannot be read as a store ({why}): check the URL, and that PostgreSQL is running."
        raise IntakeError(message) from None
