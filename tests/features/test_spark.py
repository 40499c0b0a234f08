"""What of Spark needs no Spark: which engine is meant, what is missing, and the features of one part."""

import socket
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings

from data.lifecycle.lead_lifecycle import LAST_STAGE
from features.errors import EngineError
from features.spark import part_features as part_features_module
from features.spark.engine import Engine, engine_of_environment
from features.spark.part_features import part_features
from features.spark.spark_session import driver_memory, spark_session
from tests.features.worlds import CATALOG, NOON, World, on_duckdb, tables_of, worlds

LEADS = ["ann", "bob", "cy"]


@pytest.mark.parametrize("named", ["", "duckdb", " duckdb "])
def test_duckdb_is_the_engine_unless_another_is_named(named, monkeypatch):
    monkeypatch.setenv("LEADSCORE_ENGINE", named)
    assert engine_of_environment() == Engine(None, None)


@pytest.mark.parametrize(
    "master",
    [
        *("local", "local[*]", "local[4]", "local[*,3]", "spark://head:7077", "spark://one:7077,two:7077"),
        *("sc://head", "sc://head:15002/;user_id=ann"),
    ],
)
def test_masters_of_spark_are_engines(master, monkeypatch):
    monkeypatch.setenv("LEADSCORE_ENGINE", master)
    assert engine_of_environment().master == master


@pytest.mark.parametrize("named", ["spark", "local[]", "spark://head", "yarn", "sc://", "DuckDB"])
def test_what_is_no_engine_is_refused_with_those_that_are(named, monkeypatch):
    monkeypatch.setenv("LEADSCORE_ENGINE", named)
    with pytest.raises(EngineError) as refused:
        engine_of_environment()
    assert str(refused.value) == (
        f"LEADSCORE_ENGINE is {named!r}, expected duckdb or a master of Spark: local[*], spark://host:port or "
        "sc://host:port."
    )


def test_tables_may_lie_in_a_folder_or_for_spark_at_a_url(monkeypatch, tmp_path):
    monkeypatch.setenv("LEADSCORE_TABLES", "s3a://lake/leads")
    with pytest.raises(EngineError, match="DuckDB reads folders alone"):
        engine_of_environment()
    monkeypatch.setenv("LEADSCORE_ENGINE", "sc://head")
    assert engine_of_environment().address_of(Path("anywhere")) == "s3a://lake/leads"
    monkeypatch.setenv("LEADSCORE_TABLES", str(tmp_path))
    assert engine_of_environment().address_of(tmp_path) == tmp_path.as_uri()


def _refused(master):
    with pytest.raises(EngineError) as refused, spark_session(master):
        pass
    return str(refused.value)


def test_a_missing_pyspark_is_named_with_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert _refused("local") == (
        "the engine local needs PySpark, which is not installed: pip install 'leadscore[spark]'."
    )


def test_a_missing_java_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: sys)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    assert "needs Java 17 or newer, and none was found" in _refused("local[2]")


def test_a_master_that_does_not_answer_is_named_at_once(monkeypatch, tmp_path):
    """Spark itself would try for a minute."""
    java = tmp_path / "java"
    java.touch(mode=0o700)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: sys)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # nobody listens, and nobody else can take the port meanwhile
        master = f"127.0.0.1:{closed.getsockname()[1]}"
        for scheme in ("spark", "sc"):
            assert f"no master of Spark answers at {scheme}://{master} (" in _refused(f"{scheme}://{master}")


def test_a_worker_of_another_release_refuses_to_compute():
    with pytest.raises(EngineError, match=r"a worker has leadscore .*, expected 0\.0\.1: install the same on all"):
        part_features_module._computed("0.0.1", CATALOG, NOON, pa.Table.from_pandas, pa.table({}), pa.table({}))


def _part(world, catalog, *, alone):
    tables = tables_of(world, [])
    versions = tables["leads"].append_column("_alone", pa.nulls(len(tables["leads"]), pa.bool_()))
    asked = pa.table(
        {"lead_id": LEADS, "_alone": [alone] * len(LEADS), LAST_STAGE: [f"stage of {lead}" for lead in LEADS]}
    )
    of_leads = pa.concat_tables([versions, asked], promote_options="default")
    part = pa.array([7] * len(of_leads), pa.int32())
    frame = part_features(of_leads.append_column("_part", part), tables["activities"], catalog, as_of=NOON)
    frame = frame.astype(object).where(frame.notna(), None)
    assert (frame.pop(LAST_STAGE) == "stage of " + frame["lead_id"]).all()
    return {(row.pop("lead_id"), row.pop("as_of")): row for row in frame.to_dict("records")}


@settings(max_examples=10)
@given(world=worlds())
def test_a_part_is_described_like_a_history(world):
    assert _part(world, CATALOG, alone=False) == on_duckdb(world, [(lead, NOON) for lead in LEADS])


@settings(max_examples=10)
@given(world=worlds())
def test_leads_whose_account_is_none_are_described_without_it(world):
    homeless = World([replace(version, account_id=None) for version in world.versions], world.activities)
    assert _part(world, CATALOG, alone=True) == on_duckdb(homeless, [(lead, NOON) for lead in LEADS])


def test_the_drivers_memory_is_written_as_java_reads_it(monkeypatch):
    monkeypatch.setenv("LEADSCORE_MEMORY", "2.5")
    assert driver_memory() == "2560m"
