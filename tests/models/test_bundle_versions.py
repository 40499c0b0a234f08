"""A version's bundle is found with the models folder alone."""

import json

import pytest

from models.bundle import save_bundle
from models.bundle_versions import UnknownBundleError, find_bundle
from models.champion import Champion, NoChampionError, point_to
from tests.models.small import fitted, golden


def trained(models, run_id, *, version, trained_at):
    """Leave what a training leaves: a bundle and the evaluation beside its report."""
    model, booster = fitted()
    text = booster.model_to_string()
    saved = save_bundle(model, models / "bundles" / run_id, lightgbm_text=text, golden=golden(2), facts={"run": run_id})
    report = models / "reports" / run_id
    report.mkdir(parents=True)
    report_content = {"version": version, "trained_at": trained_at, "model": {"fingerprint": saved.fingerprint}}
    (report / "evaluation.json").write_text(json.dumps(report_content))
    return Champion(version, saved.fingerprint, f"bundles/{run_id}")


def test_versions_go_by_number_and_the_newest_is_the_challenger(tmp_path):
    first = trained(tmp_path, "b-run", version="1", trained_at="2026-01-01T00:00:00Z")
    second = trained(tmp_path, "a-run", version="2", trained_at="2026-02-01T00:00:00Z")
    point_to(tmp_path, first)
    assert find_bundle(tmp_path, "1") == find_bundle(tmp_path, "champion") == first
    assert find_bundle(tmp_path, "2") == find_bundle(tmp_path, "challenger") == second


def test_a_training_that_was_killed_before_it_was_registered_gives_way_to_the_one_after(tmp_path):
    trained(tmp_path, "killed", version="1", trained_at="2026-01-01T00:00:00Z")
    second = trained(tmp_path, "done", version="1", trained_at="2026-01-02T00:00:00Z")
    assert find_bundle(tmp_path, "1") == second


def test_a_folder_is_a_bundle_too(tmp_path):
    one = trained(tmp_path, "run", version="1", trained_at="2026-01-01T00:00:00Z")
    assert find_bundle(tmp_path / "elsewhere", str(tmp_path / one.bundle)).bundle == str(tmp_path / one.bundle)


@pytest.mark.parametrize("wanted", ["7", "challenger", "no/such/folder", "", "\x00"])
def test_what_goes_by_no_bundle_is_a_clear_mistake(tmp_path, wanted):
    with pytest.raises(UnknownBundleError, match="no bundle is called"):
        find_bundle(tmp_path, wanted)


def test_without_a_promotion_there_is_no_champion(tmp_path):
    with pytest.raises(NoChampionError, match="leadscore promote"):
        find_bundle(tmp_path, "champion")


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1}', '{"version": "1", "trained_at": "x", "model": null}'])
def test_a_report_that_says_nothing_is_passed_over(tmp_path, text):
    second = trained(tmp_path, "done", version="1", trained_at="2026-01-02T00:00:00Z")
    trained(tmp_path, "broken", version="9", trained_at="2026-01-03T00:00:00Z")
    (tmp_path / "reports" / "broken" / "evaluation.json").write_text(text)
    assert find_bundle(tmp_path, "challenger") == second
