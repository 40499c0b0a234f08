"""The gate on the small company: all scorers score the leads that the challenger was tested on."""

import io
import json
import shutil
from dataclasses import replace

import pytest
from rich.console import Console

from data.workspace import Workspace
from models.bundle import GoldenRow, load_bundle, read_facts, save_bundle
from models.calibration import Platt
from models.saved_scorers import load_champion
from tests.training import versions
from training.commands import promote, rollback
from training.errors import HistoryError, PromotionRefusedError
from training.registry import promote as promoting
from training.registry.mlflow_registry import Registry


def shown(answer):
    console = Console(width=200, file=io.StringIO())
    answer.show(console)
    return console.file.getvalue()


@pytest.fixture(scope="module")
def company(world, trained, tmp_path_factory):
    """A copy of the small company's home with the trained version."""
    return versions.copied(world.home, tmp_path_factory.mktemp("company") / "home")


@pytest.fixture
def shop(company):
    """The same with nothing promoted yet."""
    return versions.afresh(company)


@pytest.fixture
def other_shop(company, tmp_path):
    """A copy, where a test damages what the others need."""
    return versions.afresh(versions.copied(company, tmp_path / "shop"))


def remade(home, trained, *, facts=None, **changes):
    """Register the trained model once more, with other numbers or facts; give its version."""
    models = home.models("demo")

    def saved(kept, folder, facts):
        rows = json.loads((kept / "golden.json").read_text())
        return save_bundle(
            replace(load_bundle(kept), **changes),
            folder,
            lightgbm_text=(kept / "lightgbm.txt").read_text(),
            golden=[GoldenRow("", 0, tuple(row["values"])) for row in rows],
            facts=read_facts(kept) | facts,
        )

    def save(folder):
        judged = saved(models / "judged" / trained.run_id, models / "judged" / folder.name, {})
        own = {"judged": judged.id.fingerprint} | (facts or {})
        return saved(models / "bundles" / trained.run_id, folder, own)

    return versions.register(home, save)


def test_the_first_model_is_judged_beside_every_point_rules_and_serves(world, trained, shop):
    found = promote(Workspace(world.playbook, shop), version=trained.version)
    said = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert (said["version"], said["before"]) == (trained.version, None)
    names = [f"the point rules ({rules.name})" for rules in (world.playbook.scorecard, *world.playbook.rivals)]
    gates = [f"gate {gate['name']}" for gate in read_facts(trained.bundle).get("gates", ())]
    assert [rule["name"] for rule in said["rules"]] == names + gates
    ours, rules = (one.log_loss.value for one in (trained.test, trained.rules))
    assert said["rules"][0]["numbers"]["value"] == pytest.approx(ours / rules - 1)
    assert "the first to serve" in shown(found)
    assert load_champion(shop.models("demo")).id.fingerprint == trained.fingerprint
    assert Registry(shop, "demo").champion_alias == trained.version


def test_the_very_same_model_may_replace_itself_and_is_not_called_better(world, trained, shop):
    promote(Workspace(world.playbook, shop), version=trained.version)
    again = remade(shop, trained)
    found = promote(Workspace(world.playbook, shop), version=again)
    assert (found.before, found.decision.better) == (trained.version, False)
    assert found.says == f"It is the very model of version {trained.version}."


def test_a_worse_model_is_refused_and_may_serve_by_force_and_what_served_comes_back(world, trained, shop):
    """Its odds are twice too high: the order of the leads, and so the calls, are the same."""
    promote(Workspace(world.playbook, shop), version=trained.version)
    worse = remade(shop, trained, calibration=Platt(1.0, 0.7))
    with pytest.raises(PromotionRefusedError) as refusal:
        promote(Workspace(world.playbook, shop))
    said = str(refusal.value)
    assert said.startswith(f"Version {worse} may not serve: log loss +")
    assert "called leads" not in said
    assert load_champion(shop.models("demo")).id.version == trained.version
    assert promote(Workspace(world.playbook, shop), force=True, reason="to learn").decision is None
    assert rollback(Workspace(world.playbook, shop)).change.to.version == trained.version


def test_a_small_model_worse_than_the_rules_is_refused_also_as_the_first(world, trained, shop):
    remade(shop, trained, calibration=Platt(0.0, 0.0))
    with pytest.raises(PromotionRefusedError, match=r"against the point rules .*, which win beyond chance"):
        promote(Workspace(world.playbook, shop))
    assert not (shop.models("demo") / "champion.json").exists()


FAILED = {"name": "permuted labels", "passed": False, "says": "AUC 0.61.", "numbers": {"auc": 0.61}, "accepted": None}


def test_a_failed_gate_of_the_training_is_named_unless_it_was_accepted(world, trained, shop):
    remade(shop, trained, facts={"gates": [FAILED]})
    with pytest.raises(PromotionRefusedError, match="the gate permuted labels failed in training: AUC"):
        promote(Workspace(world.playbook, shop))
    remade(shop, trained, facts={"gates": [{**FAILED, "accepted": "known"}]})
    assert "accepted: known" in shown(promote(Workspace(world.playbook, shop)))


@pytest.mark.parametrize(("succeeded", "small"), [(499, True), (500, False)])
def test_from_500_successes_on_a_model_is_a_full_one(shop, trained, succeeded, small):
    registry = Registry(shop, "demo")
    found = registry.find(trained.version)
    assert promoting._is_small({"standing": {"succeeded": succeeded}}, registry, found) is small


def test_a_bundle_that_does_not_say_how_much_it_learnt_from_asks_its_run(shop, trained):
    registry = Registry(shop, "demo")
    found = registry.find(trained.version)
    assert registry.metrics(found.run_id)["leads_reached_goal"] < 500
    assert promoting._is_small({}, registry, found)
    silent = registry.client().create_run(registry.client().get_run(found.run_id).info.experiment_id).info.run_id
    assert promoting._is_small({}, registry, replace(found, run_id=silent))


def test_a_champion_that_cannot_be_loaded_cannot_be_compared_with(world, trained, other_shop):
    promote(Workspace(world.playbook, other_shop), version=trained.version)
    remade(other_shop, trained)
    (other_shop.models("demo") / "bundles" / trained.run_id / "trees.json").write_text("{}")
    with pytest.raises(
        PromotionRefusedError, match=f"Version {trained.version}, the champion, cannot be compared with"
    ):
        promote(Workspace(world.playbook, other_shop))


def test_leads_it_was_not_tested_on_judge_nobody(world, trained, shop):
    facts = read_facts(trained.bundle)
    remade(shop, trained, facts={"data": {**facts["data"], "rows_sha256": "0" * 64}})
    with pytest.raises(HistoryError, match="its training set is gone"):
        promote(Workspace(world.playbook, shop))


def test_the_training_set_is_built_again_where_it_is_gone(world, trained, other_shop):
    shutil.rmtree(other_shop.tables("demo") / "training")
    assert promote(Workspace(world.playbook, other_shop), version=trained.version).version == trained.version


def test_rules_that_changed_after_the_training_are_judged_as_they_are_now(world, trained, shop):
    """Their features are computed from the history; last year's rules need no training of their own."""
    last_year = world.playbook.rivals[0]
    found = promote(Workspace(replace(world.playbook, scorecard=last_year, rivals=()), shop), version=trained.version)
    beside = promote(Workspace(world.playbook, versions.afresh(shop)), version=trained.version)
    assert found.decision.rules[0].name == f"the point rules ({last_year.name})"
    assert found.decision.rules[0] == beside.decision.rules[1]
