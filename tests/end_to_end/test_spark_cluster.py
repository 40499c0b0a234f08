"""Features, scores and reasons on a cluster of Spark, against those of DuckDB: to the bit, whatever dies meanwhile."""

import os
import random
import re
import shutil
import subprocess
import sys
import threading
from collections import deque
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.importing.warehouse import import_history
from data.instants import DAY_US
from data.workspace import Workspace
from features.history.history_facts import HistoryTables
from features.history.over_history import features_of
from features.spark.part_features import features_by_part
from features.spark.placement import placed_facts
from features.spark.spark_session import spark_session
from features.spark.spark_tables import SparkTables
from models.commands import score
from tests.features.test_sweep import WIDE
from tests.features.worlds import KINDS, NOON, SUBJECTS, Activity, Version, World, tables_of
from training.commands import promote

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("java"), reason="Spark needs Java 17 or newer; none is on the PATH"),
]
pytest.importorskip("pyspark", reason="PySpark is not installed: pip install '.[spark]'")
pyspark = Path(sys.modules["pyspark"].__file__).parent

# A process of a test runs for seconds: what the compiler of Java would gain later never comes.
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"
DEFAULTS = f"""
spark.driver.extraJavaOptions {QUICK}
spark.executor.extraJavaOptions {QUICK}
spark.executor.memory 512m
spark.driver.bindAddress 127.0.0.1
spark.driver.host 127.0.0.1
spark.ui.enabled false
"""


@dataclass(frozen=True)
class Cluster:
    """A standalone master with two workers."""

    master: str
    folder: Path
    processes: list[subprocess.Popen]

    @property
    def executors_ever(self) -> int:
        """How many executors the workers have started."""
        return len(list(self.folder.glob("worker-*/app-*/*")))

    def executors(self) -> set[psutil.Process]:
        """Return the executors that run now."""
        return {child for worker in self.processes[1:] for child in psutil.Process(worker.pid).children()}


def _computes(executor):
    """Return whether an executor has a Python process of its own: the others compute no features yet."""
    with suppress(psutil.NoSuchProcess):
        return any("pyspark.daemon" in child.cmdline() for child in executor.children())
    return False


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spark")
    (folder / "spark-defaults.conf").write_text(DEFAULTS)
    here = {
        "SPARK_HOME": str(pyspark),
        "SPARK_CONF_DIR": str(folder),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DAEMON_JAVA_OPTS": QUICK,
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        for name, value in here.items():
            patch.setenv(name, value)
        started = stack.enter_context(_daemon("master.Master", "--host", "127.0.0.1", "--port", "0"))
        master = _told(started, r"Starting Spark master at (spark://\S+)")
        processes = [started]
        for number in (1, 2):
            place = folder / f"worker-{number}"
            options = ("--host", "127.0.0.1", "--cores", "1", "--memory", "1g", "--work-dir", str(place), master)
            processes.append(stack.enter_context(_daemon("worker.Worker", *options)))
        for worker in processes[1:]:
            _told(worker, "Successfully (registered) with master")
        patch.setenv("LEADSCORE_ENGINE", master)
        yield Cluster(master, folder, processes)


@contextmanager
def _daemon(name, *options):
    """Run a program of Spark for as long as the block takes."""
    command = [str(pyspark / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}", "--webui-port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _told(process, pattern):
    """Read the log of a program of Spark up to a line, and leave the rest of it to nobody."""
    for line in process.stderr:
        if found := re.search(pattern, line):
            break
    else:
        pytest.fail(f"{process.args} ended before it said {pattern}")
    threading.Thread(target=deque, args=(process.stderr, 0), daemon=True).start()
    return found[1]


def test_features_equal_those_of_duckdb_while_leads_change_accounts_and_accounts_are_crowded(cluster, tmp_path):
    world, crowded = _restless_world(), replace(WIDE, most_colleagues=4)
    for name, table in (tables_of(world, []) | {"outcomes": _NO_OUTCOMES}).items():
        pq.write_table(table, tmp_path / f"{name}.parquet")
    with spark_session(cluster.master) as session:
        found = _by_spark(SparkTables.of(session, tmp_path.as_uri()), NOON, crowded)
    expected = _by_duckdb(world, NOON, crowded)
    assert 0 < expected["mates_last"].isna().sum() < len(expected)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_scores_and_reasons_equal_those_of_duckdb_though_an_executor_is_killed(cluster, world, trained, tmp_path):
    workspace = Workspace(world.playbook, world.home)
    promote(workspace, force=True, reason="the test asks whether two engines agree, not how good it is")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEADSCORE_ENGINE", "duckdb")
        expected = score(workspace, out=tmp_path / "duckdb.parquet", reasons=True)
    before = cluster.executors_ever
    with _one_is_killed(cluster) as killed:
        found = score(workspace, out=tmp_path / "spark.parquet", reasons=True)
    assert len(killed) == 1
    assert cluster.executors_ever - before > 2, "another executor had to take over"
    assert replace(found, out=expected.out) == expected
    assert pq.read_table(found.out).equals(pq.read_table(expected.out))


def test_workers_write_a_folder_from_tables_that_lie_anywhere(cluster, world, trained, tmp_path):
    warehouse = import_history(Workspace(world.playbook, world.home))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEADSCORE_TABLES", str(warehouse.folder))
        answers = {}
        for engine, out in (("local[2]", tmp_path / "folder"), ("duckdb", tmp_path / "scores.parquet")):
            patch.setenv("LEADSCORE_ENGINE", engine)
            answers[engine] = score(Workspace(world.playbook, world.home), out=out, as_of=warehouse.cutoff_us - DAY_US)
    by_spark, by_duckdb = answers["local[2]"], answers["duckdb"]
    assert replace(by_spark, out=by_duckdb.out) == by_duckdb
    assert pq.read_table(by_spark.out).equals(pq.read_table(by_duckdb.out))


@contextmanager
def _one_is_killed(cluster):
    """Kill an executor that starts from now on, as soon as it computes features; yield the list of those killed."""
    killed, over, earlier = [], threading.Event(), cluster.executors()

    def kill_one():
        while not killed and not over.wait(0.05):
            for executor in filter(_computes, cluster.executors() - earlier):
                executor.kill()
                killed.append(executor)
                return

    killer = threading.Thread(target=kill_one)
    killer.start()
    try:
        yield killed
    finally:
        over.set()
        killer.join()


_NO_OUTCOMES = pa.table({"lead_id": pa.array([], pa.string()), "stage": pa.array([], pa.string())}).append_column(
    "known_at", pa.array([], pa.int64())
)


def _restless_world():
    """Make 300 leads that move between accounts, most of them between a few, with 3,000 activities."""
    rng = random.Random(5)  # noqa: S311 - leads, no secrets
    accounts = [None, *(f"account {number}" for number in range(80))]
    weights = [20 / (1 + number) for number in range(len(accounts))]
    leads = [f"lead {number}" for number in range(300)]
    times = [NOON - rng.randrange(60 * DAY_US) for _ in range(4_000)]
    versions = {
        (lead, at): Version(lead, at, account, at - DAY_US, rng.choice([None, "software"]), rng.random(), True)
        for lead in leads
        for at in rng.sample(times, 3)
        for account in rng.choices(accounts, weights)
    }
    kinds = [*KINDS, "forbidden"]
    activities = [
        Activity(rng.choice(leads), rng.choice(kinds), at, at + rng.randrange(2 * DAY_US), subject, value)
        for at in times[:3_000]
        for subject in rng.sample(SUBJECTS, 1)
        for value in (None if rng.random() < 0.3 else rng.randrange(10_000) / 100,)
    ]
    return World(list(versions.values()), activities)


def _by_duckdb(world, as_of, catalog):
    asked = sorted({version.lead_id for version in world.versions if version.known_at < as_of})
    with duckdb.connect() as connection:
        for name, table in tables_of(world, []).items():
            connection.register(name, table)
        return features_of(HistoryTables(connection), pd.DataFrame({"lead_id": asked, "as_of": as_of}), catalog)


def _by_spark(tables, as_of, catalog):
    known = tables.known_before(as_of)
    asked = known.leads.selectExpr("lead_id", "CAST(NULL AS STRING) AS stage").distinct()
    facts = placed_facts(known, asked, catalog)
    return features_by_part(facts, catalog, as_of=as_of).toArrow().to_pandas().sort_values("lead_id", ignore_index=True)
