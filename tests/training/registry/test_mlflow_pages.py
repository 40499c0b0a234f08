"""What people who know MLflow expect: a classifier they can evaluate, runs with names, gates, data and pages."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import mlflow
import numpy as np
import pytest
from mlflow.exceptions import MlflowException

from data.home import Home
from data.workspace import Workspace
from models.bundle import load_bundle
from tests.training import versions
from tests.training.registry.test_mlflow_registry import free_port
from training.dataset.storage import load_dataset
from training.registry.mlflow_registry import Registry
from training.registry.mlflow_run import MOST_METRICS
from training.registry.promote import promote_version
from training.registry.training_run import open_training_run


@pytest.fixture(scope="module")
def shop(world, trained, tmp_path_factory):
    """A home with the trained version, whose registry these tests change."""
    return versions.afresh(versions.copied(world.home, tmp_path_factory.mktemp("pages") / "home"))


@pytest.fixture(scope="module")
def test_rows(world, trained):
    """Two hundred rows that the model was tested on, with whether each reached the goal."""
    rows = load_dataset(next((world.home.tables("demo") / "training").iterdir()))[0]
    return rows[rows["block"] == "test"].head(200)


@pytest.fixture
def client(world, trained):
    return Registry(world.home, "demo").client()


def test_mlflow_evaluates_the_registered_version_as_a_classifier(world, trained, test_rows, client):
    model = load_bundle(trained.bundle)
    frame = test_rows[model.catalog.names].assign(label=test_rows["label"].astype(int))
    found = mlflow.models.evaluate(
        f"models:/leadscore-demo/{trained.version}",
        frame,
        targets="label",
        model_type="classifier",
        evaluator_config={"log_model_explainability": False},
    )
    called = model.score_many(test_rows).points >= model.bands.threshold
    label = test_rows["label"].to_numpy(dtype=bool)
    assert found.metrics["true_positives"] == (called & label).sum()
    assert found.metrics["false_positives"] == (called & ~label).sum()
    assert found.metrics["accuracy_score"] == pytest.approx((called == label).mean())
    assert "confusion_matrix" in found.artifacts


def test_the_served_model_answers_as_scikit_learns_methods_do(world, trained, test_rows, client):
    served = mlflow.pyfunc.load_model(f"models:/leadscore-demo/{trained.version}")
    model = load_bundle(trained.bundle)
    rows, scored = test_rows[model.catalog.names], model.score_many(test_rows)
    assert set(served.predict(rows)) == {0, 1}
    chances = served.predict(rows, params={"predict_method": "predict_proba"})
    np.testing.assert_allclose(chances[:, 1], scored.probabilities, rtol=0, atol=1e-12)
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    with pytest.raises(MlflowException, match="expected one of predict, predict_proba, scores"):
        served.predict(rows, params={"predict_method": "predict_log_proba"})


def test_a_run_has_a_name_and_says_what_was_found(trained, client):
    run = client.get_run(trained.run_id)
    assert run.info.run_name.startswith(f"version {trained.version}, 20")
    assert run.data.tags["mlflow.note.content"].startswith(trained.evaluation.verdict)
    version = client.get_model_version("leadscore-demo", trained.version)
    assert version.description == trained.evaluation.verdict


def test_the_experiment_opens_on_models(trained, client):
    experiment = client.get_experiment_by_name("leadscore-demo")
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"


def test_an_experiment_of_an_earlier_release_is_told_its_kind_and_keeps_its_own_words(tmp_path):
    registry = Registry(Home(tmp_path), "demo")
    note = {"mlflow.note.content": "ours"}
    registry.client().create_experiment(registry.model_name, artifact_location=registry.artifacts_uri, tags=note)
    with open_training_run(registry):
        pass
    tags = registry.client().get_experiment_by_name(registry.model_name).tags
    assert tags["mlflow.experimentKind"] == "custom_model_development"
    assert tags["mlflow.note.content"] == "ours"


def test_a_run_has_few_metrics_and_a_file_with_all_numbers(trained, client, tmp_path):
    metrics = client.get_run(trained.run_id).data.metrics
    assert len(metrics) <= MOST_METRICS
    path = Path(client.download_artifacts(trained.run_id, "metrics.json", str(tmp_path)))
    everything = json.loads(path.read_text())
    assert len(everything) > MOST_METRICS
    measured = {name: number for name, number in metrics.items() if "test_" in name or name.startswith("origin_")}
    assert measured.items() <= everything.items()
    assert everything["rules_test_auc_low"] == trained.evaluation.rules_scorer.auc.low


def test_gates_are_tags_of_run_and_version_that_begin_with_the_outcome(trained, client):
    of_version = client.get_model_version("leadscore-demo", trained.version).tags
    of_run = client.get_run(trained.run_id).data.tags
    gates = {name: text for name, text in of_run.items() if name.startswith("gate.")}
    assert len(gates) == len(trained.evaluation.gates)
    assert gates.items() <= of_version.items()
    assert all(text.startswith(("pass: ", "pass, but too few successes to tell: ", "fail")) for text in gates.values())
    assert " ≤ " in gates["gate.calibration_error"]


def test_the_model_is_linked_to_the_rows_it_was_measured_on(trained, client):
    run = client.get_run(trained.run_id)
    inputs = {one.tags[0].value: one.dataset for one in run.inputs.dataset_inputs}
    assert inputs.keys() == {"training", "evaluation"}
    (output,) = run.outputs.model_outputs
    metrics = client.get_logged_model(output.model_id).metrics
    assert {one.dataset_name for one in metrics} == {inputs["evaluation"].name}
    assert {one.dataset_digest for one in metrics} == {trained.data.rows_sha256[:32]}


def test_a_promoted_version_is_no_challenger_and_is_still_the_newest(shop, world):
    registry = Registry(shop, "demo")
    newest = registry.find("challenger")
    promote_version(Workspace(world.playbook, shop), force=True, reason="to see its aliases")
    aliases = registry.client().get_registered_model("leadscore-demo").aliases
    assert {name: str(version) for name, version in aliases.items()} == {"champion": newest.version}
    assert registry.find("challenger") == newest


@pytest.mark.slow
def test_make_mlflow_says_where_and_shows_the_registry(world, trained, tmp_path):
    port, environment = free_port(), {**os.environ, "LEADSCORE_HOME": str(world.home.root)}
    command = [sys.executable, "-m", "training.registry.mlflow_ui", "--port", str(port)]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment, start_new_session=True
        )
    try:
        address = f"http://127.0.0.1:{port}"
        assert process.stdout.readline() == (
            f"MLflow shows the trainings of {world.home.registry} at {address} until Ctrl-C.\n"
        )
        found = _asked(f"{address}/api/2.0/mlflow/experiments/get-by-name?experiment_name=leadscore-demo", process)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=30)
    assert found["experiment"]["name"] == "leadscore-demo"


def test_make_mlflow_without_a_registry_is_a_sentence(tmp_path):
    environment = {**os.environ, "LEADSCORE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "training.registry.mlflow_ui"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=120)
    assert done.returncode == 1
    assert done.stderr == f"There is no registry {tmp_path / 'models/store/mlflow.db'}: run leadscore train.\n"


def _asked(address, process):
    for _ in range(240):
        assert process.poll() is None
        try:
            return httpx.get(address, timeout=5).raise_for_status().json()
        except httpx.TransportError:
            time.sleep(0.25)
    message = f"{address} does not answer"
    raise AssertionError(message)
