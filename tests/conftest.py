"""What several packages' tests share: a small company whose truth is known, and a model trained on it."""

import atexit
import fcntl
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from data.home import Home
from data.words.playbook import Playbook, load_playbook
from data.workspace import Workspace

LEADS, SEED, UNTIL = 1_500, 7, datetime(2026, 3, 1, tzinfo=UTC)
MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of its own there that nobody else may enter
MEMORY_BYTES = 4 * 2**30
"""What must be free there: a run writes less than a third of it."""


def pytest_configure():
    """
    Keep temporary files in memory where there is enough of it and TMPDIR names no other place.

    Each test of a store waits for the disk dozens of times, and a database of PostgreSQL that is made and dropped takes
    three times as long there. What a killed process has written stays in memory as well as on a disk.
    """
    atexit.register(_close_stderr)
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    if shutil.disk_usage(MEMORY).free >= MEMORY_BYTES:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def _close_stderr():
    """
    Let nothing be said once Python itself ends: a hundred lines in which DuckDB lists the types it leaves behind.

    They say nothing about the tests, and stood below the results. What crashes still shows in the exit status.
    """
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a file descriptor is needed
        os.dup2(nowhere.fileno(), 2)


def pytest_collection_finish():
    """
    Keep what the tests are made of out of sight of the collector of garbage, which then runs more seldom.

    It walked through the same millions of objects again and again, for a tenth of the time of all tests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


@dataclass(frozen=True)
class World:
    """A simulated company: its playbook with exports, a home of its own, and the truth beside the exports."""

    playbook: Playbook
    home: Home

    @property
    def truth(self) -> Path:
        return self.playbook.path / "truth"


@pytest.fixture(scope="session", autouse=True)
def duckdb_is_let_go_of():
    """
    Close every DuckDB connection of Ibis after the last test.

    DuckDB lists on stderr what still refers to it when the interpreter ends. A library's thread that outlives the tests
    is enough to keep a warehouse, and with it its connection.
    """
    yield
    ibis_duckdb = sys.modules.get("ibis.backends.duckdb")
    if ibis_duckdb is None:
        return
    for backend in [each for each in gc.get_objects() if type(each) is ibis_duckdb.Backend]:
        if getattr(backend, "con", None) is not None:
            backend.disconnect()
            backend.con = None


@pytest.fixture(scope="session")
def folder_of_run(tmp_path_factory) -> Path:
    """The folder that all processes of one run of the tests have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@contextmanager
def filled_once(folder: Path) -> Iterator[bool]:
    """Let the first process that asks for a folder fill it, and the others wait; yield whether it is the first."""
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        filled = folder / "filled"
        yield not filled.exists()
        filled.touch()


@pytest.fixture(scope="session")
def world(folder_of_run, tmp_path_factory) -> World:
    """A company of 1,500 leads; nobody may change what lies in its folders."""
    from data.simulation import simulate

    with filled_once(folder_of_run / "world") as is_first:
        if is_first:
            simulate(folder_of_run / "world" / "company", leads=LEADS, seed=SEED, until=UNTIL)
    return World(load_playbook(folder_of_run / "world" / "company"), Home(tmp_path_factory.mktemp("world") / "home"))


@pytest.fixture(scope="session")
def trained(folder_of_run, world):
    """The challenger that `train` made of the small company, in a copy of its home; not promoted."""
    from training import train
    from training.command_results import TrainResult

    folder, results = folder_of_run / "trained", TypeAdapter(TrainResult)
    with filled_once(folder) as is_first:
        if is_first:
            made = train(Workspace(world.playbook, Home(folder / "home")))
            (folder / "result.json").write_bytes(results.dump_json(made))
    shutil.copytree(folder / "home", world.home.root, dirs_exist_ok=True, copy_function=copy_new)
    result = results.validate_json((folder / "result.json").read_bytes())
    places = {name: getattr(result, name).relative_to(folder / "home") for name in ("bundle", "report")}
    return replace(result, **{name: world.home.root / place for name, place in places.items()})


def copy_new(origin, target):
    """Copy a file, but for one that is there already, which a test may have open."""
    return target if Path(target).exists() else shutil.copy2(origin, target)


@pytest.fixture(scope="session")
def bpi2012() -> Playbook:
    """The playbook of the BPI Challenge 2012, where its event log is on this machine."""
    root = Path(__file__).resolve().parent.parent
    datasets = Path(os.environ.get("LEADSCORE_DATASETS", root / ".." / "shared" / "datasets")).resolve()
    log = datasets / "bpi2012" / "financial_log.xes.gz"
    if not log.exists():
        pytest.skip(f"{log.name} is not on this machine: name its folder in LEADSCORE_DATASETS")
    return load_playbook(root / "data" / "playbooks" / "bpi2012", exports=log.parent)


@pytest.fixture(scope="session")
def postgres():
    """A real PostgreSQL server, started when the first test asks for it; each test takes a database of its own."""
    from tests.postgres import start_postgres

    server = start_postgres()
    yield server
    server.close()


@pytest.fixture(scope="session")
def template(postgres):
    """A database on PostgreSQL with the store's tables, to be copied: that takes a tenth of making them."""
    from serving.store.database import Database

    database = Database(postgres.create("template_store"))
    forget_identity(database)
    database.close()
    return "template_store"


def forget_identity(database):
    """Make a store one to be copied: each copy gets an id and a secret of its own when it is opened."""
    from sqlalchemy import text

    with database.writing() as connection:
        connection.execute(text("DELETE FROM store_state"))
