"""build, train, compare: on a small company, from its exports to a registered model."""

import errno
import io
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pytest
from rich.console import Console

from data.home import Home
from data.instants import DAY_US
from data.progress import silent
from data.simulation import simulate
from data.words.playbook import load_playbook
from data.workspace import Workspace
from models.bundle import load_bundle, read_facts
from models.cold_start import load_standing
from models.saved_scorers import load_scorecard_fit
from models.scorecard import compile_scorecard
from tests.conftest import UNTIL, World
from training import (
    HistoryError,
    RegistryError,
    TrainingError,
    build,
    compare,
    promote,
    report,
    scorecard,
    train,
)
from training.errors import LeakError
from training.evaluation.evaluation_document import read_evaluation
from training.fitting import fit as fitting
from training.registry.mlflow_registry import Registry
from training.registry.registered_comparison import compare_registered
from training.registry.training_run import open_training_run
from training.reporting.card import ModelCard

METRICS = ("auc", "log_loss", "precision_at_capacity", "lift_at_10", "recall_at_capacity", "brier_skill", "pr_auc")


def shown(result) -> str:
    console = Console(width=80, file=io.StringIO())
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


def test_what_serves_knows_the_weeks_that_tested_it_and_what_is_judged_does_not(world, trained):
    models = world.home.models("demo")
    serving, judged = (load_bundle(models / folder / trained.run_id) for folder in ("bundles", "judged"))
    blocks = trained.data.blocks
    assert serving.facts["fitted_on"]["rows"] == blocks.train + blocks.test + blocks.purged
    assert serving.facts["judged"] == judged.fingerprint
    assert serving.catalog == judged.catalog
    assert serving.trees != judged.trees
    assert serving.bands != judged.bands


def test_what_serves_knows_how_old_and_how_silent_the_leads_were_that_it_learnt_from(
    world, trained, dataset, warehouse
):
    """By the contract's tables alone: the fiftieth oldest lead, and the fiftieth most silent one."""
    rows = dataset.block("train", "purged", "test", columns=("lead_id", "as_of"))
    created = warehouse.frame("leads").groupby("lead_id")["created_at"].max()
    did = warehouse.frame("activities").sort_values("known_at")
    did = dict(list(did[~did["kind"].isin(world.playbook.business.never_use)].groupby("lead_id")))
    oldest, most_silent = [], []
    for lead_id, as_of in rows.groupby("lead_id")["as_of"]:
        last = np.full(len(as_of), created[lead_id])
        if lead_id in did:
            known_at, occurred_at = (did[lead_id][name].to_numpy() for name in ("known_at", "occurred_at"))
            before = np.searchsorted(known_at, as_of.to_numpy())
            last = np.maximum(last, np.r_[last[0], np.maximum.accumulate(occurred_at)][before])
        oldest.append((as_of.max() - created[lead_id]) // DAY_US)
        most_silent.append((as_of.to_numpy() - last).max() // DAY_US)
    reach = load_bundle(trained.bundle).reach
    assert (reach.leads, reach.age_days) == (50, sorted(oldest)[-50])
    assert reach.silence_days == sorted(most_silent)[-50]
    assert 0 < reach.silence_days < reach.age_days


def test_the_model_is_calibrated_forward_in_time(trained):
    """Within the noise that a perfect model would show, plus the half point that METHOD allows."""
    ece = trained.test.ece
    assert ece.value <= ece.noise_95 + 0.005


def test_build_prints_what_the_training_set_holds(world, trained):
    found = build(Workspace(world.playbook, world.home))
    assert found.as_json()["rows_sha256"] == trained.data.rows_sha256
    assert "purged between train and test" in shown(found)


def test_the_bundle_loads_and_says_what_it_was_made_of(trained):
    model = load_bundle(trained.bundle)
    assert model.id.fingerprint == trained.fingerprint
    assert read_facts(trained.bundle)["data"]["rows_sha256"] == trained.data.rows_sha256


def test_the_run_holds_parameters_dataset_metrics_plots_and_bundle(world, trained):
    client = Registry(world.home, "demo").client()
    run = client.get_run(trained.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["rows_sha256"] == trained.data.rows_sha256
    assert run.data.metrics["test_auc"] == trained.test.auc.value
    (model,) = run.outputs.model_outputs
    assert {one.key: one.value for one in client.get_logged_model(model.model_id).metrics} == run.data.metrics
    assert run.inputs.dataset_inputs[0].dataset.digest == trained.data.rows_sha256[:32]
    plots = {Path(file.path).name for file in client.list_artifacts(trained.run_id, "plots")}
    assert plots == {"shap_beeswarm.png", "shap_bar.png"}
    assert client.list_artifacts(trained.run_id, "bundle")
    report = {Path(file.path).name for file in client.list_artifacts(trained.run_id, "report")}
    assert report == {"report.html", "card.html", "card.json", "evaluation.json", "scorecard.yaml"}
    last = trained.evaluation.origins[-1]
    for scorer in last.scorers:
        label = scorer.name if scorer.kind == "baseline" else scorer.kind
        logged = run.data.metrics[f"origin_{last.number}_{label}_log_loss".replace(" ", "_")]
        assert logged == scorer.log_loss.value
    for gate in trained.evaluation.gates:
        tag = run.data.tags[f"gate.{gate.name.replace(' ', '_')}"]
        assert tag.startswith("pass" if gate.passed else "fail")
        assert tag.endswith(gate.says)


def test_the_registered_model_answers_as_the_bundle_does(world, trained):
    Registry(world.home, "demo").client()
    served = mlflow.pyfunc.load_model("models:/leadscore-demo@challenger")
    model = load_bundle(trained.bundle)
    names = model.catalog.names
    from training.dataset.storage import load_dataset

    place = Path(build(Workspace(world.playbook, world.home)).folder)
    rows = load_dataset(place)[0].head(50)
    answer = served.predict(rows[names], params={"predict_method": "scores"})
    np.testing.assert_allclose(answer["probability"], model.score_many(rows).probabilities, rtol=0, atol=1e-12)
    assert answer.columns.tolist() == ["probability", "points", "score", "grade"]


def test_nothing_of_the_registered_model_is_pickled(world, trained):
    names = [path.suffix for path in (world.home.registry / "artifacts").rglob("*") if path.is_file()]
    assert {".pkl", ".pickle", ".joblib", ".cloudpickle"}.isdisjoint(names)


def test_compare_puts_both_on_the_same_rows(world, trained):
    heard = []
    found = compare(Workspace(world.playbook, world.home), progress=lambda *told: heard.append(told))
    said = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert [scorer["kind"] for scorer in said["scorers"]] == ["model", "rules", "rules", "learned rules"]
    assert len({scorer["rows"] for scorer in said["scorers"]}) == 1
    assert said["scorers"][0]["auc"] == trained.test.auc.model_dump()
    assert said["winner"] in {scorer["name"] for scorer in said["scorers"]}
    assert "lowest log loss" in " ".join(shown(found).split())
    in_report = trained.evaluation.replay.participants
    assert [one.conversions for one in found.comparison.replay.participants] == [one.conversions for one in in_report]
    judging = [done for what, done, _ in heard if what == "judging on later leads"]
    assert judging == sorted(set(judging))
    assert len(judging) > 10


def test_every_gate_is_named_and_kept_with_the_model(trained):
    names = [gate.name for gate in trained.evaluation.gates]
    before = ["never use", "future shift", "dominance", "changes at the goal", "values of today", "later totals"]
    assert names[:9] == [*before, "hindsight", "permuted labels", "suspicious lift"]
    assert names[-1] == "replay against the point rules"
    facts = read_facts(trained.bundle)
    assert [gate["name"] for gate in facts["gates"]] == names
    assert facts["standing"]["succeeded"] == trained.evaluation.cold_start.succeeded
    assert facts["accepted_risk"] is None


def test_the_report_and_the_card_hold_the_numbers_of_the_answer(world, trained):
    found = report(Workspace(world.playbook, world.home))
    evaluation = read_evaluation(found.folder)
    assert evaluation == trained.evaluation
    assert evaluation.version == trained.version
    page, auc = (found.folder / "report.html").read_text(), trained.test.auc
    assert all(f"{number:.3f}" in page for number in (auc.value, auc.low, auc.high))
    card = ModelCard.model_validate_json((found.folder / "card.json").read_bytes())
    assert card.gates == evaluation.gates
    assert evaluation.verdict.split(":")[0][:40] in " ".join(shown(found).split())


def test_a_report_goes_where_it_is_wanted(world, trained, tmp_path):
    found = report(Workspace(world.playbook, world.home), out=tmp_path / "new" / "report.html")
    assert (tmp_path / "new" / "report.html").read_bytes() == (found.folder / "report.html").read_bytes()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["report.html"]


def test_the_learned_scorecard_can_take_the_place_of_the_rules(world, trained, tmp_path):
    for file in world.playbook.path.glob("*.yaml"):
        shutil.copy(file, tmp_path)
    found = scorecard(Workspace(world.playbook, world.home), out=tmp_path / "scorecard.yaml", overwrite=True)
    loaded = load_playbook(tmp_path, exports=world.playbook.exports_folder)
    assert loaded.scorecard == found.rules
    assert all(float(rule.points).is_integer() for rule in loaded.scorecard.rules)
    assert f"{len(found.rules.rules)} rules" in shown(found)


def test_a_report_that_is_gone_says_so(world, trained, tmp_path):
    home = Home(tmp_path)
    shutil.copytree(world.home.registry, home.registry)
    shutil.rmtree(home.models("demo") / "reports")
    with pytest.raises(TrainingError, match="has no report of version"):
        report(Workspace(world.playbook, home), version=trained.version)
    with pytest.raises(TrainingError, match="has no report of version"):
        scorecard(Workspace(world.playbook, home), out=tmp_path / "card.yaml", version=trained.version)
    assert not (tmp_path / "card.yaml").exists()


@pytest.fixture(scope="module")
def beginner(tmp_path_factory):
    """A company of so few leads that nothing can be learnt from them yet."""
    root = tmp_path_factory.mktemp("beginner")
    simulate(root / "company", leads=200, seed=3, until=UNTIL)
    return World(load_playbook(root / "company"), Home(root / "home"))


def test_with_too_few_leads_the_rules_score_alone_and_what_is_missing_is_said(beginner):
    found = train(Workspace(beginner.playbook, beginner.home))
    said = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert (said["version"], said["cold_start"]["stage"]) == (None, "rules only")
    assert re.search(r"\d+ more leads that reach sql make a small model", said["cold_start"]["missing"])
    assert "point rules score alone" in " ".join(shown(found).split())
    assert load_standing(beginner.home.models("demo")) == found.cold_start
    assert "rules only" in (found.report / "report.html").read_text()
    assert not beginner.home.models("demo").joinpath("bundles").exists()
    with pytest.raises(RegistryError, match="run leadscore train first"):
        promote(Workspace(beginner.playbook, beginner.home))


@pytest.fixture(scope="module")
def careless(world, tmp_path_factory):
    """The small company, whose playbook forgot to forbid the status that sales writes."""
    playbook = world.playbook.business.model_copy(update={"never_use": ()})
    return World(replace(world.playbook, business=playbook), Home(tmp_path_factory.mktemp("careless")))


def test_a_failed_gate_stops_the_training_and_names_the_feature(careless):
    with pytest.raises(LeakError, match=r"lead_status.*never_use.*--accept-risk"):
        train(Workspace(careless.playbook, careless.home))
    assert not careless.home.models("demo").joinpath("bundles").exists()


def test_an_accepted_risk_stays_with_the_model(careless, monkeypatch):
    monkeypatch.setattr(fitting, "MOST_ROUNDS", 20)  # how good the model is does not matter here
    found = train(Workspace(careless.playbook, careless.home), accept_risk="the status is written before the call")
    assert found.evaluation.accepted_risk == "the status is written before the call"
    failed = [gate for gate in read_facts(found.bundle)["gates"] if not gate["passed"]]
    assert "never use" in {gate["name"] for gate in failed}
    assert "the status is written before the call" in (found.report / "card.html").read_text()
    run = Registry(careless.home, "demo").client().get_run(found.run_id)
    assert run.data.tags["accepted_risk"] == "the status is written before the call"


def test_the_rules_have_a_probability_and_a_threshold_of_their_own(world, trained):
    plain = compile_scorecard(world.playbook.scorecard, world.playbook.business)
    fitted = load_scorecard_fit(world.home.models("demo"), plain)
    assert fitted.calibration.slope > 0
    assert fitted.id.fingerprint != plain.id.fingerprint


def test_before_any_training_there_is_nothing_to_compare_or_promote(world, tmp_path):
    for verb in (compare, promote):
        with pytest.raises(RegistryError, match="run leadscore train first"):
            verb(Workspace(world.playbook, Home(tmp_path)))


@pytest.mark.parametrize("verb", [compare, promote, train])
def test_a_damaged_registry_is_a_sentence(world, tmp_path, verb):
    home = Home(tmp_path)
    home.registry.mkdir(parents=True)
    (home.registry / "mlflow.db").write_text("these are no tables, " * 1_000)
    with pytest.raises(RegistryError, match=r"mlflow\.db cannot be used \(file is not a database\)"):
        verb(Workspace(world.playbook, home))
    assert [path.name for path in home.root.rglob("*") if path.is_file()] == ["mlflow.db"]


def test_a_registry_of_which_half_is_missing_is_a_sentence(world, trained, tmp_path):
    home = Home(tmp_path)
    home.registry.mkdir(parents=True)
    whole = (world.home.registry / "mlflow.db").read_bytes()
    (home.registry / "mlflow.db").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RegistryError, match="cannot be used"):
        compare(Workspace(world.playbook, home))


def test_a_registry_that_cannot_be_written_is_a_sentence(world, tmp_path):
    (tmp_path / "models").write_text("a file where a folder should be")
    with pytest.raises(RegistryError, match="cannot be written"):
        compare(Workspace(world.playbook, Home(tmp_path)))
    folder_for_file = Home(tmp_path / "second").registry / "mlflow.db"
    folder_for_file.mkdir(parents=True)
    with pytest.raises(RegistryError, match=r"mlflow\.db cannot be used \("):
        compare(Workspace(world.playbook, Home(tmp_path / "second")))


def test_a_disk_that_fills_while_registering_is_a_sentence_and_the_run_has_failed(tmp_path):
    registry = Registry(Home(tmp_path), "demo")

    def fill(ids):
        with open_training_run(registry) as run_id:
            ids.append(run_id)
            raise OSError(errno.ENOSPC, "No space left on device")

    ids = []
    with pytest.raises(RegistryError, match=r"cannot be written \(No space left on device\)"):
        fill(ids)
    assert registry.client().get_run(ids[0]).info.status == "FAILED"


@pytest.mark.slow
def test_the_same_data_give_the_same_bundle(world, trained):
    """Byte-equal: the fingerprint is the hash of hashes of everything in it. The second stands beside the first."""
    again = train(Workspace(world.playbook, world.home))
    assert again.fingerprint == trained.fingerprint
    assert again.version != trained.version


def test_a_model_of_another_history_is_not_judged_on_leads_it_may_know(world, trained):
    with pytest.raises(HistoryError, match="another history"):
        compare_registered(Workspace(world.playbook, world.home), version=trained.version, progress=silent, seed=5)


def test_reading_a_report_or_the_history_loads_no_mlflow_and_no_lightgbm(world, trained):
    """Verbs that only read answer at once; MLflow alone takes seconds to import."""
    code = (
        "import sys; from pathlib import Path; from data.home import Home; "
        "from data.words.playbook import load_playbook; "
        "from data.workspace import Workspace; from training.commands import history, report; "
        "workspace = Workspace(load_playbook(Path(sys.argv[1])), Home(Path(sys.argv[2]))); "
        "history(workspace), report(workspace); "
        "print(sorted({'mlflow', 'lightgbm', 'altair', 'numba', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(world.playbook.path), str(world.home.root)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_what_train_prints_fits_on_80_columns(trained):
    text = shown(trained)
    paths = (str(trained.bundle), str(trained.report))
    assert max(len(line) for line in text.splitlines() if not any(path in line for path in paths)) <= 80
    assert "…" not in text


def test_what_a_gate_asks_is_printed(trained):
    asking = trained.evaluation.gates[0].model_copy(update={"question": True, "says": "rating looks odd: is it?"})
    evaluation = trained.evaluation.model_copy(update={"gates": (asking,)})
    text = shown(replace(trained, evaluation=evaluation))
    assert f"{asking.name} asks: rating looks odd: is it?" in " ".join(text.split())
