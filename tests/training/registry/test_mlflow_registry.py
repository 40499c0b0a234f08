"""The registry holds whole versions only, and MLflow can serve each of them."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from data.home import Home
from models.bundle import load_bundle
from training.dataset.storage import load_dataset
from training.registry.interrupts import DeferredInterrupt
from training.registry.mlflow_registry import Registry

HERE = Path(__file__).resolve().parents[1]
ROOT = HERE.parents[1]
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def second_home(world, trained, tmp_path_factory):
    """A home with the same history and one registered version, for tests that end processes in it."""
    home = Home(tmp_path_factory.mktemp("second"))
    shutil.copytree(world.home.root, home.root, dirs_exist_ok=True)
    return home


def interrupted_at(step, folder, home):
    """Train in a process of its own, press Ctrl-C when it reaches the step, and give how it ended."""
    command = [sys.executable, str(HERE / "train_until.py"), str(folder.path), str(home.root), step]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        try:
            said = process.communicate(timeout=60)[1]
        finally:
            process.kill()
    assert line == "reached\n", said
    return process.returncode, said


def state(home):
    """Give what a stopped training must not have changed: versions, alias, bundles, the rules' fit."""
    client = Registry(home, "demo").client()
    versions = {version.version for version in client.search_model_versions("name = 'leadscore-demo'")}
    models = home.models("demo")
    bundles = {path.name for path in (models / "bundles").iterdir()}
    return (
        versions,
        Registry(home, "demo").find("challenger").version,
        bundles,
        (models / "scorecard.json").read_bytes(),
    )


def statuses(home):
    client = Registry(home, "demo").client()
    experiment = client.get_experiment_by_name("leadscore-demo")
    return [run.info.status for run in client.search_runs([experiment.experiment_id])]


@pytest.mark.slow
def test_ctrl_c_before_registering_leaves_no_version_and_no_bundle(world, second_home):
    before = state(second_home)
    code, said = interrupted_at("log_model", world.playbook, second_home)
    assert code != 0
    assert "KeyboardInterrupt" in said
    assert state(second_home) == before
    assert set(statuses(second_home)) == {"FINISHED", "KILLED"}


@pytest.mark.slow
def test_ctrl_c_while_registering_waits_until_the_version_is_whole(world, second_home):
    versions, newest, bundles, _ = state(second_home)
    code, _ = interrupted_at("register", world.playbook, second_home)
    assert code != 0
    after = state(second_home)
    assert len(after[0] - versions) == 1
    assert after[1] != newest
    (made,) = after[2] - bundles
    load_bundle(second_home.models("demo") / "bundles" / made)
    assert statuses(second_home)[0] == "FINISHED"


def test_ctrl_c_is_put_off_and_not_forgotten():
    done = []

    def interrupted():
        with DeferredInterrupt() as patience:
            patience.begin()
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == [True]


def test_registering_in_another_thread_does_not_touch_signals():
    found = []

    def work():
        with DeferredInterrupt() as patience:
            patience.begin()
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGINT)]


@pytest.mark.slow
def test_training_says_nothing_that_only_mlflow_understands(world, second_home):
    command = [sys.executable, str(HERE / "train_until.py"), str(world.playbook.path), str(second_home.root), "end"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=120)
    assert done.stdout == ""
    assert done.stderr == ""


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


@pytest.mark.slow
def test_mlflow_models_serve_serves_the_registered_version(world, trained, tmp_path):
    """From another folder and without the checkout on the path: the version carries the code that scores it."""
    port = free_port()
    mlflow = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local", "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"MLFLOW_TRACKING_URI": Registry(world.home, "demo").tracking_uri}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"  # as an active .venv does
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen(
        [*mlflow, "--model-uri", f"models:/leadscore-demo/{trained.version}"],
        cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True,
    )  # fmt: skip
    try:
        _wait_for(f"http://127.0.0.1:{port}/ping", process, tmp_path / "log")
        model = load_bundle(trained.bundle)
        kept = next((world.home.tables("demo") / "training").iterdir())
        rows = load_dataset(kept)[0][model.catalog.names].head(20)
        frame = json.loads(rows.to_json(orient="split", index=False))
        asked = json.dumps({"dataframe_split": frame, "params": {"predict_method": "scores"}})
        answer = httpx.post(f"http://127.0.0.1:{port}/invocations", content=asked, headers=JSON, timeout=30)
        said = answer.json()["predictions"]
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)
        log.close()
    expected = model.score_many(rows).probabilities
    assert [row["probability"] for row in said] == pytest.approx(expected.tolist(), abs=1e-9)
    assert {"probability", "points", "score", "grade"} == said[0].keys()


def _wait_for(address, process, log):
    for _ in range(240):
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(address, timeout=2).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.25)
    raise AssertionError(log.read_text())
