"""Which engine computes features over history: DuckDB in this process, or Spark at some master."""

import os
import re

from features.errors import EngineError

VARIABLE = "LEADSCORE_ENGINE"
DUCKDB = "duckdb"

_MASTER = re.compile(r"local(\[(\d+|\*)(,\d+)?\])?|spark://[^/,\s]+:\d+(,[^/,\s]+:\d+)*|sc://[^/\s]+(/\S*)?")


def spark_master() -> str | None:
    """
    Return the master of Spark that ``LEADSCORE_ENGINE`` names; None where it is DuckDB.

    Raises:
        EngineError: it names neither.
    """
    named = os.environ.get(VARIABLE, "").strip() or DUCKDB
    if named == DUCKDB:
        return None
    if not _MASTER.fullmatch(named):
        message = (
            f"{VARIABLE} is {named!r}, expected {DUCKDB} or a master of Spark: local[*], spark://host:port or "
            "sc://host:port."
        )
        raise EngineError(message)
    return named
