"""What a live store answers is what history says, to the bit, whichever features are asked for."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from tests.features.test_order import ORDER
from tests.features.test_rhythms import RHYTHMS
from tests.features.test_sweep import MANY, WIDE
from tests.features.worlds import on_duckdb, on_sqlite, on_sqlite_at_once, worlds


@pytest.mark.parametrize("catalog", [WIDE, replace(WIDE, most_colleagues=1), RHYTHMS, ORDER])
@settings(max_examples=20)
@given(world=worlds())
def test_live_features_are_those_of_history(catalog, world):
    """A live store answers only about leads that it has heard of."""
    known = {(row.lead_id, row.known_at) for row in world.versions}
    expected = {
        (lead, as_of): values
        for (lead, as_of), values in on_duckdb(world, MANY, catalog).items()
        if any(each == lead and known_at < as_of for each, known_at in known)
    }
    assert on_sqlite(world, MANY, catalog) == expected
    assert on_sqlite_at_once(world, MANY, catalog) == expected
