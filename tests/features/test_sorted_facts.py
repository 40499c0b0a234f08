"""Activities read from a sorted file are those that a query reads, however it is cut and whatever its order."""

from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from features.history import history_facts
from features.history.history_facts import HistoryTables
from features.history.over_history import features_of
from features.history.sorted_facts import SortedActivities
from tests.features.test_sweep import MANY, WIDE
from tests.features.worlds import NOON, SCHEMAS, Activity, World, on_duckdb, tables_of, worlds


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("sorted")


def from_file(world, folder: Path, *, in_order: bool = True, group: int = 3):
    """Compute the catalog from a file as the warehouse writes it, with instants and few rows a group."""
    rows = sorted(world.activities, key=lambda row: (row.lead_id, row.occurred_at)) if in_order else world.activities
    table = pa.Table.from_pylist([vars(row) for row in rows], SCHEMAS["activities"])
    for name in ("occurred_at", "known_at"):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, table[name].cast(pa.timestamp("us", tz="UTC")))
    path = folder / "activities.parquet"
    pq.write_table(table, path, row_group_size=group)
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE activities AS SELECT * REPLACE (epoch_us(occurred_at) AS occurred_at,"
            f" epoch_us(known_at) AS known_at) FROM read_parquet('{path}')"
        )
        connection.register("leads", tables_of(world, [])["leads"])
        asked = pd.DataFrame(MANY, columns=["lead_id", "as_of"])
        tables = HistoryTables(connection, sorted_activities=SortedActivities(path))
        frame = features_of(tables, asked, WIDE)
    frame = frame.astype(object).where(frame.notna(), None)
    return {(row.pop("lead_id"), row.pop("as_of")): row for row in frame.to_dict("records")}


@settings(max_examples=25)
@given(world=worlds())
def test_a_sorted_file_gives_the_very_bits_of_a_query(folder, world):
    expected = on_duckdb(world, MANY, WIDE)
    assert from_file(world, folder) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history_facts, "FACTS_AT_ONCE", 4)
        assert from_file(world, folder) == expected


def test_a_file_in_another_order_is_read_by_a_query(folder):
    calls = [Activity(lead, "call", NOON - at, NOON - at) for at, lead in enumerate(["cy", "ann", "bob", "ann"], 1)]
    world = World(activities=calls)
    assert from_file(world, folder, in_order=False) == on_duckdb(world, MANY, WIDE)
