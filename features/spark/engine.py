"""Which engine computes features over history: DuckDB in this process, or Spark at some master."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from features.errors import EngineError

DUCKDB = "duckdb"

_ENGINE, _TABLES = "LEADSCORE_ENGINE", "LEADSCORE_TABLES"
_MASTER = re.compile(r"local(\[(\d+|\*)(,\d+)?\])?|spark://[^/,\s]+:\d+(,[^/,\s]+:\d+)*|sc://[^/\s]+(/\S*)?")


@dataclass(frozen=True, slots=True)
class Engine:
    """
    Where features are computed.

    Attributes:
        master: the master of Spark; None for DuckDB in this process.
        tables: the folder or address of tables that something else wrote after the contract; None for those that are
            imported.
    """

    master: str | None
    tables: str | None

    def address_of(self, folder: Path) -> str:
        """Return where Spark finds the tables: a URL, that of a folder unless ``tables`` is one."""
        return self.tables if self.tables and _is_url(self.tables) else folder.resolve().as_uri()


def engine_of_environment() -> Engine:
    """
    Return the engine that ``LEADSCORE_ENGINE`` and ``LEADSCORE_TABLES`` name.

    Raises:
        EngineError: they name none.
    """
    named, tables = (os.environ.get(name, "").strip() for name in (_ENGINE, _TABLES))
    if named not in {"", DUCKDB} and not _MASTER.fullmatch(named):
        message = (
            f"{_ENGINE} is {named!r}, expected {DUCKDB} or a master of Spark: local[*], spark://host:port or "
            "sc://host:port."
        )
        raise EngineError(message)
    engine = Engine(None if named in {"", DUCKDB} else named, tables or None)
    if engine.master is None and _is_url(tables):
        message = f"{_TABLES} is {tables}, and DuckDB reads folders alone: name a master of Spark in {_ENGINE}."
        raise EngineError(message)
    return engine


def _is_url(place: str) -> bool:
    return "://" in place
