"""How DuckDB runs inside leadscore: its share of memory, no progress bars, Ctrl-C as in any Python program."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from data.memory_share import memory_bytes


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn DuckDB's errors about an interrupted query back into KeyboardInterrupt."""
    try:
        yield
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except RuntimeError as error:
        if str(error) != "Query interrupted":
            raise
        raise KeyboardInterrupt from None


def without_bars(connection: duckdb.DuckDBPyConnection) -> None:
    """
    Keep DuckDB from drawing progress bars on stdout, which holds results alone.

    In a notebook without ipywidgets it draws none, and refuses every setting about it.
    """
    (draws,) = connection.execute("SELECT current_setting('enable_progress_bar')").fetchall()[0]
    if draws:
        connection.execute("SET enable_progress_bar = false")


def memory_limit() -> str:
    """Return DuckDB's share: half of what an import or a build may take; beyond that it works on disk."""
    return f"{memory_bytes() // 2 // 2**20}MiB"
