"""build, train, compare: on a small company, from its exports to a registered model."""

import errno
import io
import json
from pathlib import Path

import mlflow
import numpy as np
import pytest
from rich.console import Console

from data.home import Home
from models.bundle import load_bundle, read_facts
from models.champion import load_scorecard_fit
from models.scorecard import compile_scorecard
from training import HistoryError, RegistryError, build, compare, promote, train
from training.tracking import Registry

METRICS = ("auc", "log_loss", "precision_at_capacity", "lift_at_10", "recall_at_capacity", "brier_skill", "pr_auc")


def shown(result) -> str:
    console = Console(width=100, file=io.StringIO())
    result.show(console)
    return console.file.getvalue()


def test_train_answers_what_the_command_line_promises(trained):
    said = json.loads(json.dumps(trained.as_json(), allow_nan=False))
    assert {"version", "run_id", "bundle", "rows", "positives", "features", "test"} <= said.keys()
    for name in METRICS:
        assert said["test"][name]["low"] <= said["test"][name]["value"] <= said["test"][name]["high"]
    assert said["test"]["ece"].keys() == {"value", "noise_95"}
    assert said["test"]["log_loss"]["value"] < said["test"]["base_log_loss"]
    assert "challenger" in shown(trained)


def test_the_model_is_calibrated_forward_in_time(trained):
    """Within the noise that a perfect model would show, plus the half point that METHOD allows."""
    ece = trained.test["ece"]
    assert ece["value"] <= ece["noise_95"] + 0.005


def test_build_says_what_the_training_set_holds(world, trained):
    found = build(world.folder, world.home)
    assert found.as_json()["rows_sha256"] == trained.manifest["rows_sha256"]
    assert "set aside" in shown(found)


def test_the_bundle_loads_and_says_what_it_was_made_of(trained):
    model = load_bundle(trained.bundle)
    assert model.id.fingerprint == trained.fingerprint
    assert read_facts(trained.bundle)["data"]["rows_sha256"] == trained.manifest["rows_sha256"]


def test_the_run_holds_parameters_dataset_metrics_plots_and_bundle(world, trained):
    client = Registry(world.home, "demo").client()
    run = client.get_run(trained.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["rows_sha256"] == trained.manifest["rows_sha256"]
    assert run.data.metrics["test_auc"] == trained.test["auc"]["value"]
    assert run.inputs.dataset_inputs[0].dataset.digest == trained.manifest["rows_sha256"][:32]
    plots = {Path(file.path).name for file in client.list_artifacts(trained.run_id, "plots")}
    assert plots == {"calibration.png", "gain.png", "shap_beeswarm.png", "shap_bar.png"}
    assert client.list_artifacts(trained.run_id, "bundle")


def test_the_registered_model_answers_as_the_bundle_does(world, trained):
    Registry(world.home, "demo").client()
    served = mlflow.pyfunc.load_model("models:/leadscore-demo@challenger")
    model = load_bundle(trained.bundle)
    names = model.catalog.names
    from training.storage import load_kept

    place = Path(build(world.folder, world.home).folder)
    rows = load_kept(place)[0].head(50)
    answer = served.predict(rows[names])
    np.testing.assert_allclose(answer["probability"], model.score_many(rows).probabilities, rtol=0, atol=1e-12)
    assert answer.columns.tolist() == ["probability", "points", "score", "grade"]


def test_nothing_of_the_registered_model_is_pickled(world, trained):
    names = [path.suffix for path in (world.home.registry / "artifacts").rglob("*") if path.is_file()]
    assert {".pkl", ".pickle", ".joblib", ".cloudpickle"}.isdisjoint(names)


def test_compare_puts_both_on_the_same_rows(world, trained):
    heard = []
    found = compare(world.folder, world.home, progress=lambda *told: heard.append(told))
    said = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert [scorer["kind"] for scorer in said["scorers"]] == ["model", "rules"]
    assert len({scorer["rows"] for scorer in said["scorers"]}) == 1
    assert said["scorers"][0]["auc"] == trained.test["auc"]
    assert said["winner"] in {scorer["name"] for scorer in said["scorers"]}
    assert "lower log loss" in shown(found)
    judging = [done for what, done, _ in heard if what == "judging on later leads"]
    assert judging == list(range(1, len(judging) + 1))
    assert len(judging) > 100


def test_the_rules_have_a_probability_and_a_threshold_of_their_own(world, trained):
    plain = compile_scorecard(world.folder.scorecard, world.folder.playbook)
    fitted = load_scorecard_fit(world.home.models("demo"), plain)
    assert fitted.calibration.slope > 0
    assert fitted.id.fingerprint != plain.id.fingerprint


def test_before_any_training_there_is_nothing_to_compare_or_promote(world, tmp_path):
    for verb in (compare, promote):
        with pytest.raises(RegistryError, match="run leadscore train first"):
            verb(world.folder, Home(tmp_path))


@pytest.mark.parametrize("verb", [compare, promote, train])
def test_a_damaged_registry_is_a_sentence(world, tmp_path, verb):
    home = Home(tmp_path)
    home.registry.mkdir(parents=True)
    (home.registry / "mlflow.db").write_text("these are no tables, " * 1_000)
    with pytest.raises(RegistryError, match=r"mlflow\.db cannot be used \(file is not a database\)"):
        verb(world.folder, home)
    assert [path.name for path in home.root.rglob("*") if path.is_file()] == ["mlflow.db"]


def test_a_registry_of_which_half_is_missing_is_a_sentence(world, trained, tmp_path):
    home = Home(tmp_path)
    home.registry.mkdir(parents=True)
    whole = (world.home.registry / "mlflow.db").read_bytes()
    (home.registry / "mlflow.db").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RegistryError, match="cannot be used"):
        compare(world.folder, home)


def test_a_registry_that_cannot_be_written_is_a_sentence(world, tmp_path):
    (tmp_path / "models").write_text("a file where a folder should be")
    with pytest.raises(RegistryError, match="cannot be written"):
        compare(world.folder, Home(tmp_path))
    folder_for_file = Home(tmp_path / "second").registry / "mlflow.db"
    folder_for_file.mkdir(parents=True)
    with pytest.raises(RegistryError, match=r"mlflow\.db cannot be used \("):
        compare(world.folder, Home(tmp_path / "second"))


def test_a_disk_that_fills_while_registering_is_a_sentence_and_the_run_has_failed(tmp_path):
    registry = Registry(Home(tmp_path), "demo")

    def fill(ids):
        with registry.run() as run_id:
            ids.append(run_id)
            raise OSError(errno.ENOSPC, "No space left on device")

    ids = []
    with pytest.raises(RegistryError, match=r"cannot be written \(No space left on device\)"):
        fill(ids)
    assert registry.client().get_run(ids[0]).info.status == "FAILED"


def test_the_same_data_give_the_same_bundle(world, trained):
    """Byte-equal: the fingerprint is the hash of hashes of everything in it. The second stands beside the first."""
    again = train(world.folder, world.home)
    assert again.fingerprint == trained.fingerprint
    assert again.version != trained.version


def test_a_model_of_another_history_is_not_judged_on_leads_it_may_know(world, trained):
    with pytest.raises(HistoryError, match="another history"):
        compare(world.folder, world.home, seed=5)
