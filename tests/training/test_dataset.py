"""A training set is the same whoever builds it, and what may not be used changes nothing in it."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data.instants import DAY_US
from data.warehouse import import_history
from models.scorecard import compile_scorecard
from training.dataset import assemble, build
from training.errors import FewLeadsError, HistoryError
from training.fitting import demand_enough


class Leaking:
    """A warehouse into which someone wrote the outcome: an activity that betrays it, and a status that does."""

    def __init__(self, warehouse, kind):
        self._warehouse, self._kind = warehouse, kind

    def __getattr__(self, name):
        return getattr(self._warehouse, name)

    def frame(self, table):
        found = self._warehouse.frame(table)
        return pd.concat([found, self._planted(found)], ignore_index=True) if table == "activities" else found

    @property
    def activities(self):
        return self._warehouse.connection.create_table(
            "leaking", obj=self.frame("activities"), temp=True, overwrite=True
        )

    def _planted(self, activities):
        goals = self._warehouse.frame("outcomes").query("stage == 'sql'")
        at = goals["reached_at"] - 3 * DAY_US
        last = activities["known_at"].max()
        planted = {
            "activity_id": "leak-" + goals["lead_id"],
            "lead_id": goals["lead_id"],
            "kind": self._kind,
            "occurred_at": at.clip(upper=last),
            "known_at": at.clip(upper=last),
        }
        return pd.DataFrame(planted).reindex(columns=activities.columns)


@pytest.fixture(scope="module")
def warehouse(world):
    return import_history(world.folder, world.home)


@pytest.fixture(scope="module")
def dataset(world, warehouse):
    return build(warehouse, world.folder, world.home)[0]


def test_a_planted_leak_on_never_use_changes_nothing(world, warehouse):
    """Not a snapshot, not a label, not a feature, not the catalog: the hash of the rows is the same."""
    playbook = world.folder.playbook
    never = replace(world.folder, playbook=playbook.model_copy(update={"never_use": ("lead_status", "bot_view")}))
    scorecard = compile_scorecard(never.scorecard, never.playbook)
    clean = assemble(warehouse, never.playbook, scorecard=scorecard)
    leaking = assemble(Leaking(warehouse, "bot_view"), never.playbook, scorecard=scorecard)
    assert leaking.catalog.fingerprint == clean.catalog.fingerprint
    pd.testing.assert_frame_equal(leaking.rows, clean.rows, check_exact=True)
    assert leaking.sha256 == clean.sha256
    assert len(Leaking(warehouse, "bot_view").frame("activities")) > len(warehouse.frame("activities")) + 100


def test_an_attribute_on_never_use_is_no_feature(dataset):
    assert "lead_status" not in dataset.catalog.attribute_names


def test_the_same_history_gives_the_same_rows(world, warehouse, dataset):
    scorecard = compile_scorecard(world.folder.scorecard, world.folder.playbook)
    again = assemble(warehouse, world.folder.playbook, scorecard=scorecard)
    assert again.sha256 == dataset.sha256


def test_what_was_built_is_kept_and_read_back_unchanged(world, warehouse, dataset):
    again, place = build(warehouse, world.folder, world.home)
    pd.testing.assert_frame_equal(again.rows, dataset.rows, check_exact=True)
    assert json.loads((place / "manifest.json").read_text())["rows_sha256"] == dataset.sha256


def test_a_damaged_training_set_is_built_anew(world, warehouse, dataset):
    place = build(warehouse, world.folder, world.home)[1]
    whole = (place / "rows.parquet").read_bytes()
    (place / "rows.parquet").write_bytes(whole[:-100])
    assert build(warehouse, world.folder, world.home)[0].sha256 == dataset.sha256
    assert (place / "rows.parquet").stat().st_size == len(whole)


def test_every_snapshot_is_counted_once(dataset):
    said = dataset.manifest
    assert sum(said["blocks"].values()) == said["mature"]
    assert said["mature"] + said["young"] == said["snapshots"]
    for name in ("train", "stop", "calibrate", "test"):
        assert len(dataset.block(name)) == said["blocks"][name]


def test_no_young_row_is_learnt_from_or_judged_on(dataset):
    used = dataset.block("train", "stop", "calibrate", "test")
    assert used["label"].isin([0, 1]).all()
    lag_us = dataset.manifest["outcome_lag_days"] * DAY_US
    assert used["as_of"].max() + dataset.horizon_us + lag_us <= dataset.manifest["cutoff_us"]


def test_a_goal_that_is_hardly_ever_reached_leaves_the_rules_alone(dataset):
    rows = dataset.block("train").copy()
    winners = rows.loc[rows["label"] > 0, "lead_id"].unique()[:39]
    rows["label"] = rows["lead_id"].isin(winners).astype(float)
    with pytest.raises(FewLeadsError, match="39 leads that reached the goal"):
        demand_enough(rows)


def test_a_goal_that_never_occurs_is_a_sentence(world, warehouse):
    goal = world.folder.playbook.goal.model_copy(update={"stage": "lunch"})
    playbook = world.folder.playbook.model_copy(update={"goal": goal})
    with pytest.raises(HistoryError, match="No lead ever reached lunch"):
        assemble(warehouse, playbook, scorecard=compile_scorecard(world.folder.scorecard, playbook))


def test_weights_are_finite_and_at_least_one(dataset):
    assert np.isfinite(dataset.rows["weight"]).all()
    assert (dataset.rows["weight"] >= 1).all()
