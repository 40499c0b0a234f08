"""Over a whole simulated history: batch equals live, and the future changes nothing."""

import numpy as np
import pandas as pd
import pytest

from data.importing.warehouse import import_history
from data.workspace import Workspace
from features.derivation import derive_catalog
from features.history.history_facts import HistoryTables
from features.history.over_history import compute_features, features_of, profile_data
from features.live.live_features import compile_live
from models.scorecard import compile_scorecard
from serving.intake.loading import load_history
from serving.scorers.active_scorer import ActiveScorer
from serving.scorers.live_facts import read_facts
from serving.settings import Settings
from serving.store.database import Database

PAIRS = 2_000


@pytest.fixture(scope="module")
def warehouse(world):
    return import_history(Workspace(world.playbook, world.home))


@pytest.fixture(scope="module")
def catalog(world, warehouse):
    return derive_catalog(world.playbook.business, profile_data(warehouse, world.playbook.business))


@pytest.fixture(scope="module")
def pairs(warehouse):
    """Random leads at random instants; a quarter of them at the very microsecond at which something became known."""
    rng = np.random.default_rng(3)
    leads = warehouse.frame("leads")["lead_id"].unique()
    first, last = int(warehouse.activities.known_at.min().execute()), warehouse.cutoff_us
    drawn = pd.DataFrame({"lead_id": rng.choice(leads, PAIRS), "as_of": rng.integers(first, last + 2, PAIRS)})
    edges = warehouse.frame("activities")[["lead_id", "known_at"]].sample(PAIRS // 4, random_state=3)
    drawn.loc[: len(edges) - 1, ["lead_id", "as_of"]] = edges.to_numpy()
    drawn["as_of"] = drawn["as_of"].astype("int64")
    return drawn.drop_duplicates().reset_index(drop=True)


def test_batch_on_duckdb_equals_live_on_sqlite(world, warehouse, catalog, pairs, tmp_path):
    """2,000 random (lead, instant) pairs, every feature: equal, decayed counts to one step of their rounding."""
    history = compute_features(warehouse, pairs, catalog)
    settings = Settings(playbook=world.playbook.path, database=tmp_path / "store.db", models=tmp_path / "no models")
    database = Database(settings.database)
    try:
        live = ActiveScorer(world.playbook, settings, database=database).current
        load_history(warehouse, database, playbook=world.playbook, live=live)
        questions = list(pairs.itertuples(index=False, name=None))
        with database.live_snapshot() as store:
            together = live_values(store, questions, catalog)
            alone = {}
            for question in questions:
                alone |= live_values(store, [question], catalog)
    finally:
        database.close()
    assert alone == together
    known = pairs.apply(tuple, axis=1).isin(together)
    assert known.mean() > 0.5
    assert_same(history[known], pd.DataFrame(together.values(), columns=catalog.names), catalog)


def live_values(store, questions, catalog):
    """Return the feature values of the leads that are known, as the service computes them."""
    facts = read_facts(store, "sqlite", questions, catalog)
    return dict(zip(facts.versions, compile_live(catalog).values(facts.leads, facts.accounts), strict=True))


def assert_same(history, live, catalog):
    """Text must be equal, numbers to 1e-9, and what is missing must be missing in both."""
    for feature in catalog.features:
        expected, found = history[feature.name], live[feature.name]
        if feature.is_category:
            assert expected.fillna("").tolist() == found.fillna("").tolist(), feature.name
        else:
            told = found.astype("float64").to_numpy()
            np.testing.assert_allclose(told, expected.to_numpy(), rtol=0, atol=1.5e-9, err_msg=feature.name)


def test_history_has_what_the_comparison_needs(catalog, pairs, warehouse):
    """The comparison would be empty if everything were missing or zero."""
    history = compute_features(warehouse, pairs, catalog)
    numbers = [feature.name for feature in catalog.features if not feature.is_category]
    varied = history[numbers].nunique().gt(1).mean()
    assert varied > 0.9
    assert any(feature.over == "account" for feature in catalog.features)
    assert any(feature.is_category for feature in catalog.features)
    assert catalog.needs_versions


def test_the_future_changes_nothing_over_the_whole_history(warehouse, catalog):
    """Delete everything known at or after an instant, recompute: every feature of every lead is bit-identical."""
    last, first = warehouse.cutoff_us, int(warehouse.activities.known_at.min().execute())
    for share in (0.35, 0.7, 0.95):
        instant = int(first + share * (last - first))
        for table in ("leads", "activities"):
            cut = getattr(warehouse, table).filter(getattr(warehouse, table).known_at < instant)
            warehouse.connection.create_table(f"cut_{table}", obj=cut, temp=True, overwrite=True)
        snapshots = warehouse.connection.table("cut_leads").select("lead_id").distinct().order_by("lead_id").execute()
        snapshots = snapshots.assign(as_of=instant)
        past = HistoryTables(warehouse.connection.con, leads="cut_leads", activities="cut_activities")
        without = features_of(past, snapshots, catalog)
        pd.testing.assert_frame_equal(compute_features(warehouse, snapshots, catalog), without, check_exact=True)


def test_the_point_rules_are_features_of_the_same_engine(world, warehouse, pairs):
    """Rules compile to features, so they too are as of an instant and equal in batch and one by one."""
    card = compile_scorecard(world.playbook.scorecard, world.playbook.business)
    history = compute_features(warehouse, pairs.head(200), card.catalog)
    scored = card.score_many(history)
    rows = history[card.catalog.names].astype(object).where(history[card.catalog.names].notna(), None)
    for at, values in enumerate(rows.itertuples(index=False, name=None)):
        assert card.receipt("x", 0, values).points == scored.points[at]
    assert len(np.unique(scored.points)) > 20
