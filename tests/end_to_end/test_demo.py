"""`leadscore demo` goes the whole way, and a second time it loses nothing."""

import sqlite3

import pytest

from tests.end_to_end.command_line import leadscore

STEPS = ["simulate", "check", "build", "train", "compare", "promote", "load"]


@pytest.mark.slow
def test_the_demo_ends_with_explained_handovers_and_sets_an_older_store_aside(tmp_path):
    exports = {"LEADSCORE_DATA": str(tmp_path / "exports")}
    first = leadscore("demo", "--leads", "1500", "--no-serve", "--json", home=tmp_path / "home", **exports)
    assert first.code == 0, first.stderr
    told = first.json
    assert [name for name in told if name in STEPS] == STEPS
    assert told["load"]["told"]["activities"] > 0
    assert told["seconds"]["all"] > 0
    store = tmp_path / "home" / "data" / "store" / "demo" / "leadscore.db"
    routes = routes_of(store)
    assert len(routes) == told["load"]["routes"] > 0

    again = leadscore("demo", "--leads", "1500", "--no-serve", "--json", home=tmp_path / "home", **exports)
    assert again.code == 0, again.stderr
    assert routes_of(store.with_name("leadscore.previous.db")) == routes


def routes_of(store):
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT lead_id, routed_at FROM routes ORDER BY id").fetchall()
    finally:
        connection.close()
