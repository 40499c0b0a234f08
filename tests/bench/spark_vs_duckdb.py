"""
Scores with reasons of all open leads, by Spark on this machine against DuckDB on the same cores: ``make bench-spark``.

The tables are a simulated company again and again, each time under other ids, and so is the model that of its training.
Both engines start from the same Parquet files and end with the same Arrow table. What the shuffle costs is measured by
itself: reading the facts, placing them in parts and carrying them there, with nobody to compute anything.
"""

import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from data.home import Home
from data.importing.warehouse import Warehouse, import_history
from data.lifecycle.closed_leads import open_leads
from data.simulation import simulate
from data.words.playbook import load_playbook
from data.workspace import Workspace
from features.spark.placement import placed_facts
from features.spark.spark_session import spark_session
from features.spark.spark_tables import SparkTables, unbound_tables
from models.commands import serving_scorer
from models.history_scores import ScoringRequest, scored_by_duckdb
from models.spark_scores import scores_by_spark
from training.commands import promote, train

LEADS, COPIES, CORES, RUNS = 4_000, 50, 2, 3
MASTER = f"local[{CORES}]"
_TABLES = ("leads", "activities", "outcomes")
_IDS = {"lead_id", "account_id", "activity_id", "outcome_id"}


def main(copies: int) -> None:
    """Print what each engine does in a second."""
    with tempfile.TemporaryDirectory(prefix="leadscore-bench-") as name:
        warehouse, asked = _company(Path(name) / "company")
        folder = Path(name) / "tables"
        write_copies(warehouse, folder, copies=copies)
        activities = pq.read_metadata(folder / "activities.parquet").num_rows
        seconds: dict[str, list[float]] = {"DuckDB": [], "Spark": [], "of which placing and shuffling": []}
        _scored_by_spark(folder, asked)  # starts Java, and compiles what it will need
        for _ in range(RUNS):
            with _timed(seconds["DuckDB"]):
                expected = scored_by_duckdb(Warehouse.of_tables(folder), asked)
            with _timed(seconds["Spark"]):
                found = _scored_by_spark(folder, asked)
            assert found.equals(expected), "both engines must find the same"
            _shuffle(folder, asked, seconds["of which placing and shuffling"])
    _print({what: statistics.median(took) for what, took in seconds.items()}, activities, len(expected))


def _company(folder: Path) -> tuple[Warehouse, ScoringRequest]:
    """Simulate a company, train and promote, and ask for every open lead with all reasons."""
    simulate(folder / "exports", leads=LEADS)
    workspace = Workspace(load_playbook(folder / "exports"), Home(folder / "home"))
    train(workspace)
    promote(workspace, force=True, reason="a bench asks how fast it is, not how good")
    warehouse, business = import_history(workspace), workspace.playbook.business
    scorer = serving_scorer(workspace).scorer
    return warehouse, ScoringRequest(scorer, warehouse.cutoff_us + 1, business.lifecycle, reasons=True)


def write_copies(warehouse: Warehouse, folder: Path, *, copies: int) -> None:
    """Write the tables of a company so many times into one file each, every time under other ids, sorted by lead."""
    folder.mkdir()
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        for name in _TABLES:
            path = warehouse.folder / f"{name}.parquet"
            ids = [column for column in pq.read_schema(path).names if column in _IDS]
            numbered = ", ".join(f"copy || '-' || {column} AS {column}" for column in ids)
            connection.execute(
                f"COPY (SELECT * REPLACE ({numbered}) FROM (SELECT * FROM '{path}', range({copies}) AS copies(copy))"
                f" ORDER BY lead_id) TO '{folder / name}.parquet'"
            )


def _scored_by_spark(folder: Path, asked: ScoringRequest):
    with scores_by_spark(MASTER, folder.as_uri(), asked) as scores:
        return scores.table()


def _shuffle(folder: Path, asked: ScoringRequest, took: list[float]) -> None:
    """Carry all facts to their parts, and leave them there."""
    with spark_session(MASTER) as session:
        tables = SparkTables.of(session, folder.as_uri())
        leads = tables.selected(open_leads(*unbound_tables(), lifecycle=asked.lifecycle, as_of=asked.as_of))
        with _timed(took):
            facts = placed_facts(tables.known_before(asked.as_of), leads, asked.scorer.catalog)
            for table in (facts.leads, facts.activities):
                table.repartition("_part").write.format("noop").mode("overwrite").save()


@contextmanager
def _timed(took: list[float]):
    started = time.perf_counter()
    yield
    took.append(time.perf_counter() - started)


def _print(seconds: dict[str, float], activities: int, leads: int) -> None:
    table = Table(title=f"{activities:,} activities, {leads:,} open leads with all reasons, {CORES} cores")
    for name in ("engine", "s", "activities/s", "leads/s", "times DuckDB"):
        table.add_column(name, justify="left" if name == "engine" else "right")
    for what, took in seconds.items():
        rates = (f"{took:.1f}", f"{activities / took:,.0f}", f"{leads / took:,.0f}", f"{took / seconds['DuckDB']:.2f}")
        table.add_row(what, *rates)
    Console().print(table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COPIES)
