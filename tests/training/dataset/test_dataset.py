"""A training set is the same whoever builds it, and what may not be used changes nothing in it."""

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from data.instants import DAY_US
from data.workspace import Workspace
from features.history import history_facts
from models.scorecard import compile_scorecard
from training.command_results import BuildResult
from training.dataset.dataset_builder import assemble, build_dataset, keep_dataset
from training.dataset.dataset_draft import draft_dataset
from training.dataset.storage import load_dataset, save_dataset
from training.errors import FewLeadsError, HistoryError, TrainingError
from training.fitting.fit import require_enough_to_fit
from training.fitting.minimum_data import cold_start_stage


class Leaking:
    """A warehouse into which someone wrote the outcome: an activity that betrays it, and a status that does."""

    def __init__(self, warehouse, kind, *, at=None):
        self._warehouse, self._kind, self._at = warehouse, kind, at

    def __getattr__(self, name):
        return getattr(self._warehouse, name)

    def frame(self, table, columns=None):
        found = self._warehouse.frame(table)
        found = pd.concat([found, self._planted(found)], ignore_index=True) if table == "activities" else found
        return found if columns is None else found[list(columns)]

    @property
    def activities(self):
        return self._warehouse.connection.create_table(
            "leaking", obj=self.frame("activities"), temp=True, overwrite=True
        )

    def _planted(self, activities):
        goals = self._warehouse.frame("outcomes").query("stage == 'sql'")
        at = goals["reached_at"] - 3 * DAY_US if self._at is None else goals["reached_at"] * 0 + self._at
        last = activities["known_at"].max()
        planted = {
            "activity_id": "leak-" + goals["lead_id"],
            "lead_id": goals["lead_id"],
            "kind": self._kind,
            "occurred_at": at.clip(upper=last),
            "known_at": at.clip(upper=last),
        }
        return pd.DataFrame(planted).reindex(columns=activities.columns)


def test_a_planted_leak_on_never_use_changes_nothing(world, warehouse):
    """Not a snapshot, not a label, not a feature, not the catalog: the hash of the rows is the same."""
    playbook = world.playbook.business
    never = replace(world.playbook, business=playbook.model_copy(update={"never_use": ("lead_status", "bot_view")}))
    scorecard = compile_scorecard(never.scorecard, never.business)
    clean = assemble(warehouse, never.business, scorecard=scorecard)
    leaking = assemble(Leaking(warehouse, "bot_view"), never.business, scorecard=scorecard)
    assert leaking.catalog.fingerprint == clean.catalog.fingerprint
    pd.testing.assert_frame_equal(leaking.rows, clean.rows, check_exact=True)
    assert leaking.sha256 == clean.sha256
    assert len(Leaking(warehouse, "bot_view").frame("activities")) > len(warehouse.frame("activities")) + 100


def test_an_attribute_on_never_use_is_no_feature(dataset):
    assert "lead_status" not in dataset.catalog.attribute_names


def test_what_was_built_is_kept_and_read_back_unchanged(world, warehouse, dataset):
    again, place = build_dataset(warehouse, Workspace(world.playbook, world.home))
    pd.testing.assert_frame_equal(again.rows, dataset.rows, check_exact=True)
    assert json.loads((place / "manifest.json").read_text())["rows_sha256"] == dataset.sha256


def test_rows_are_the_same_in_however_many_parts_they_are_made(world, warehouse, dataset, tmp_path):
    """To the bit, in memory and on disk; each part is a row group."""
    scorecard = compile_scorecard(world.playbook.scorecard, world.playbook.business)
    draft = draft_dataset(warehouse, world.playbook.business, scorecard=scorecard)
    for at_once in (len(dataset.rows) // 3, 6_000):
        place = tmp_path / str(at_once)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(history_facts, "FACTS_AT_ONCE", 5_000)
            manifest = save_dataset(
                place, draft.parts(warehouse, at_once=at_once), catalog=draft.catalog, manifest=draft.manifest
            )
        assert manifest["rows_sha256"] == dataset.sha256
        pd.testing.assert_frame_equal(load_dataset(place).rows, dataset.rows, check_exact=True)
        assert pq.read_metadata(place / "rows.parquet").num_row_groups == -(-len(dataset.rows) // at_once)


def test_build_says_of_the_rows_what_they_are(world, warehouse, dataset):
    kept = keep_dataset(warehouse, Workspace(world.playbook, world.home))
    assert kept.manifest == dataset.manifest
    assert (kept.manifest["rows"], kept.manifest["features"]) == (len(dataset.rows), len(dataset.catalog.features))


def test_a_damaged_training_set_is_built_anew_and_the_same_history_gives_the_same_rows(world, warehouse, dataset):
    place = build_dataset(warehouse, Workspace(world.playbook, world.home))[1]
    whole = (place / "rows.parquet").read_bytes()
    (place / "rows.parquet").write_bytes(whole[:-100])
    assert build_dataset(warehouse, Workspace(world.playbook, world.home))[0].sha256 == dataset.sha256
    assert (place / "rows.parquet").stat().st_size == len(whole)


def test_every_snapshot_is_counted_once(dataset):
    manifest = dataset.manifest
    assert sum(manifest["blocks"].values()) == manifest["mature"]
    assert manifest["mature"] + manifest["young"] == manifest["snapshots"]
    for name in ("train", "test", "purged"):
        assert len(dataset.block(name)) == manifest["blocks"][name]


def test_no_young_row_is_learnt_from_or_judged_on(dataset):
    used = dataset.block("train", "test")
    assert used["label"].isin([0, 1]).all()
    lag_us = dataset.manifest["outcome_lag_days"] * DAY_US
    assert used["as_of"].max() + dataset.horizon_us + lag_us <= dataset.manifest["cutoff_us"]


def thinned(dataset, blocks, *, winners):
    """Return the dataset with so many leads that reached the goal in these blocks."""
    rows = dataset.rows.copy()
    inside = rows["block"].isin(blocks)
    kept = rows.loc[inside & (rows["label"] > 0), "lead_id"].unique()[:winners]
    rows.loc[inside, "label"] = rows.loc[inside, "lead_id"].isin(kept).astype(float)
    return replace(dataset, rows=rows)


def test_a_goal_that_is_hardly_ever_reached_leaves_the_rules_alone(dataset):
    require_enough_to_fit(thinned(dataset, ["train"], winners=1_000))
    with pytest.raises(
        FewLeadsError, match=r"training period has 39 leads that reached the goal .* the whole history has 128 and"
    ):
        require_enough_to_fit(thinned(dataset, ["train"], winners=39))


@pytest.mark.parametrize("winners", [0, 4])
def test_test_weeks_without_leads_of_both_kinds_are_named(dataset, winners):
    with pytest.raises(FewLeadsError, match=f"The test period has {winners} leads .* expected 5 of each"):
        require_enough_to_fit(thinned(dataset, ["test"], winners=winners))


def test_a_history_of_which_nobody_is_left_to_grade_says_so(dataset):
    over = replace(dataset, rows=dataset.rows[dataset.rows["block"] != "recent"])
    with pytest.raises(HistoryError, match="No lead was open in the last 28 days"):
        require_enough_to_fit(over)


class OneAccount:
    """A warehouse of a company that writes the same account on every lead."""

    def __init__(self, warehouse):
        self._warehouse = warehouse

    def __getattr__(self, name):
        return getattr(self._warehouse, name)

    def frame(self, table, columns=None):
        found = self._warehouse.frame(table, columns)
        return found.assign(account_id="unknown") if table == "leads" else found


def test_an_account_that_holds_everyone_is_named(world, warehouse):
    """Nobody can be held out then: said when building, and when training refuses."""
    scorecard = compile_scorecard(world.playbook.scorecard, world.playbook.business)
    found = assemble(OneAccount(warehouse), world.playbook.business, scorecard=scorecard)
    with pytest.raises(FewLeadsError, match=r"has 1 different accounts .* Account unknown, .* holds 100% of all"):
        require_enough_to_fit(found)
    console = Console(width=400, file=io.StringIO())
    BuildResult(Path(), found.manifest, found.largest_group.says).show(console)
    assert "Account unknown" in console.file.getvalue()


@pytest.mark.parametrize(("days_after", "used"), [(-60, True), (1, False)])
def test_what_was_not_known_when_training_ended_moves_no_catalog(world, warehouse, dataset, days_after, used):
    end = int(pd.Timestamp(dataset.manifest["plan"]["train"]["end"]).timestamp() * 1e6)
    playbook = world.playbook.business
    fax = playbook.activities["page_view"].model_copy(update={"subjects": {}})
    faxing = playbook.model_copy(update={"activities": {**playbook.activities, "fax": fax}})
    scorecard = compile_scorecard(world.playbook.scorecard, faxing)
    found = assemble(Leaking(warehouse, "fax", at=end + days_after * DAY_US), faxing, scorecard=scorecard)
    assert any(name.startswith("fax_") for name in found.catalog.names) is used


def test_a_training_set_that_cannot_be_written_is_a_sentence(dataset, tmp_path):
    (tmp_path / "training").write_text("a file where a folder should be")
    with pytest.raises(TrainingError, match="cannot be written"):
        save_dataset(tmp_path / "training" / "set", [dataset.rows], catalog=dataset.catalog, manifest=dataset.manifest)


def test_a_goal_that_never_occurs_is_a_sentence(world, warehouse):
    goal = world.playbook.business.goal.model_copy(update={"stage": "lunch"})
    playbook = world.playbook.business.model_copy(update={"goal": goal})
    with pytest.raises(HistoryError, match="No lead ever reached lunch"):
        assemble(warehouse, playbook, scorecard=compile_scorecard(world.playbook.scorecard, playbook))


def test_weights_are_finite_and_at_least_one(dataset):
    assert np.isfinite(dataset.rows["weight"]).all()
    assert (dataset.rows["weight"] >= 1).all()


def test_leads_that_lie_in_other_weeks_are_said_to_lie_there(dataset):
    """Plenty succeed, but hardly any in the training period: more of them would change nothing."""
    few = thinned(dataset, ["train"], winners=30)
    stage = cold_start_stage(few)
    assert stage.rung == "rules only"
    assert re.search(r"30 leads that reached the goal .* the whole history has \d{2,3} and ", stage.missing)
    assert "Bring a longer history" in stage.missing


def test_accounts_that_all_have_a_success_are_no_lack_of_failures(dataset):
    """Leads fail in them too, so that every fold has some of both."""
    train = dataset.rows["block"] == "train"
    lead = pd.factorize(dataset.rows["lead_id"])[0]
    few = replace(dataset, rows=dataset.rows.assign(group=np.where(train, lead % 20, lead).astype(str)))
    assert few.block("train").groupby("group")["label"].max().eq(1).all()
    require_enough_to_fit(few)


def test_where_nobody_has_succeeded_yet_what_is_missing_is_leads(dataset):
    stage = cold_start_stage(thinned(dataset, ["train", "test", "purged"], winners=12))
    assert re.fullmatch(r"\d+ more leads that reach \w+ make a small model", stage.missing)
