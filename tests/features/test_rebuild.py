"""Features rebuilt from copies without the future equal those of the engine; nothing else gets into the copies."""

from types import SimpleNamespace

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings

from data.instants import DAY_US
from features.catalog import Catalog
from features.feature import Feature
from features.history.rebuild import differs, rebuild_features
from features.reducers import Count, Mean
from tests.features.by_hand import by_hand
from tests.features.worlds import CATALOG, NOON, SCHEMAS, Activity, Version, World, tables_of, worlds

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
SNAPSHOTS = [("ann", NOON), ("bob", NOON), ("ann", NOON - 9 * DAY_US), ("nobody", NOON)]
MATES = Catalog((Feature("mates_calls", Count("call"), 0.0, "calls of colleagues", over="account"),))


def warehouse_of(world):
    """Put a world into a DuckDB as a warehouse would."""
    connection = ibis.duckdb.connect()
    tables = tables_of(world, [])
    for name in ("leads", "activities"):
        connection.create_table(name, obj=tables[name], schema=ibis.Schema.from_pyarrow(SCHEMAS[name]))
    return SimpleNamespace(
        connection=connection,
        leads=connection.table("leads"),
        activities=connection.table("activities"),
        snapshots_table=lambda frame, name: connection.create_table(name, obj=frame, temp=True, overwrite=True),
    )


def frame(snapshots):
    return pd.DataFrame(snapshots, columns=["lead_id", "as_of"])


@settings(max_examples=10, phases=PHASES)
@given(past=worlds(known_before=NOON), later=worlds(known_from=NOON))
def test_what_is_rebuilt_equals_the_obvious_definition_with_the_future_there_or_not(past, later):
    """Nine days before noon, some of the past is future too."""
    rebuilt = rebuild_features(warehouse_of(past + later), frame(SNAPSHOTS), CATALOG).features
    for (lead_id, as_of), row in zip(SNAPSHOTS, rebuilt.to_dict(orient="records"), strict=True):
        for name, value in by_hand(past, lead_id, as_of, CATALOG).items():
            if value is None:
                assert pd.isna(row[name]), name
            elif isinstance(value, str):
                assert row[name] == value
            else:
                assert row[name] == pytest.approx(float(value), abs=2e-9), name


def company(colleagues):
    """Ann in a company of so many colleagues, each of whom called yesterday; and Bob by himself."""
    names = [f"colleague {number}" for number in range(colleagues)]
    versions = [Version(name, 1, "acme") for name in ("ann", *names)] + [Version("bob", 1, "zen")]
    return World(versions, [Activity(name, "call", NOON - DAY_US, NOON - DAY_US) for name in names])


def test_colleagues_are_copied_for_each_snapshot():
    rebuilt = rebuild_features(warehouse_of(company(3)), frame([("ann", NOON), ("bob", NOON)]), MATES)
    assert rebuilt.features["mates_calls"].tolist() == [3, 0]
    assert not rebuilt.alone.any()


def test_those_with_the_fewest_colleagues_come_first_where_there_is_no_room_for_all():
    """Ann's company has 4 versions and 3 calls; Bob's has one version."""
    for room, alone in ((8, [False, False]), (7, [True, False]), (0, [True, True])):
        rebuilt = rebuild_features(
            warehouse_of(company(3)), frame([("ann", NOON), ("bob", NOON)]), MATES, most_copied=room
        )
        assert rebuilt.alone.tolist() == alone
        assert rebuilt.features["mates_calls"].tolist() == [0 if alone[0] else 3, 0]


def test_an_account_of_later_is_none_of_the_past():
    moved = company(1) + World([Version("bob", NOON, "acme"), Version("bob", NOON + 5, "acme")])
    rebuilt = rebuild_features(warehouse_of(moved), frame([("ann", NOON), ("bob", NOON), ("bob", NOON + 1)]), MATES)
    assert rebuilt.features["mates_calls"].tolist() == [1, 0, 1]


def test_names_with_the_sign_between_number_and_name_are_told_apart():
    odd = World([Version("1:ann", 1), Version("ann", 1)], [Activity("1:ann", "call", NOON - 9, NOON - 8)])
    catalog = Catalog((Feature("calls", Count("call"), 0.0, "calls"),))
    rebuilt = rebuild_features(warehouse_of(odd), frame([("ann", NOON), ("1:ann", NOON), ("ann", NOON - 1)]), catalog)
    assert rebuilt.features["calls"].tolist() == [0, 1, 0]


def test_rows_keep_their_index():
    snapshots = frame([("bob", NOON), ("ann", NOON)]).set_axis([7, 3], axis=0)
    assert rebuild_features(warehouse_of(company(2)), snapshots, MATES).features.index.tolist() == [7, 3]


COUNTED, AVERAGED = Feature("calls", Count("call"), 0.0, "calls"), Feature("minutes", Mean("call"), None, "minutes")


def apart(feature, left, right):
    return differs(feature, pd.Series(left), pd.Series(right)).tolist()


def test_a_count_must_be_the_very_same():
    nothing = np.nan
    assert apart(COUNTED, [1.0, 2.0, nothing, nothing, 0.0], [1.0, 3.0, nothing, 0.0, nothing]) == [
        False,
        True,
        False,
        True,
        True,
    ]


def test_a_mean_may_fall_to_either_side_of_one_step_of_its_rounding():
    assert apart(AVERAGED, [66.360938, 66.360938, 1e12], [66.360937, 66.360936, 1e12 + 1]) == [False, True, False]


def test_categories_are_compared_as_text():
    industry = CATALOG.features[CATALOG.names.index("industry")]
    assert apart(industry, ["software", "it's", None, None], ["software", "its", None, "software"]) == [
        False,
        True,
        False,
        True,
    ]
