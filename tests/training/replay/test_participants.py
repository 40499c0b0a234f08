"""Models and point rules, of today and of old, enter on the same rows, with real receipts."""

from dataclasses import replace

import numpy as np
import pytest

from data.contract import AttributeType
from data.instants import iso
from data.workspace import Workspace
from features.catalog import Catalog
from features.errors import FeatureError
from features.feature import Feature
from features.reducers import AttributeValue
from models.conversion import Encoding
from models.scorecard import compile_scorecard
from training.dataset.dataset_builder import build_dataset
from training.fitting import fit as fitting
from training.fitting.scorecard_fit import calibrated_rules, fit_scorecard
from training.replay.participants import Participants, choose_participants, participant_of
from training.replay.replay import run_replay
from training.replay.replay_evaluation import REASONS
from training.statistics.estimate import Estimate


@pytest.fixture(scope="module")
def model(world, dataset):
    """A model of few trees: how good it is does not matter here."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fitting, "MOST_ROUNDS", 20)
        return fitting.fit(dataset, world.playbook).model.labelled(version="3", fingerprint="aa")


@pytest.fixture(scope="module")
def entrants(world, dataset, warehouse, model):
    return all_participants(world, dataset, warehouse, model).participants


def all_participants(world, dataset, warehouse, model, **champion):
    return choose_participants(
        dataset,
        world.playbook,
        model=model,
        champion=replace(model, **({"version": "2", "fingerprint": "another"} | champion)),
        scorecard=fit_scorecard(dataset, world.playbook),
        learned=calibrated_rules(world.playbook.scorecard, dataset, playbook=world.playbook),
        warehouse=warehouse,
    )


def test_everyone_enters_under_a_name_of_their_own(entrants):
    assert [(one.name.split(", version")[0], one.kind) for one in entrants] == [
        ("model", "model"),
        ("model", "model"),
        ("marketing rules", "rules"),
        ("rules of last year", "rules"),
        ("marketing rules", "learned rules"),
    ]
    assert [one.name for one in entrants[:2]] == ["model, version 3", "model, version 2 (serves)"]
    assert len({one.name for one in entrants}) == len(entrants)


def test_a_model_that_serves_enters_once(world, dataset, warehouse, model):
    found = all_participants(world, dataset, warehouse, model, version="7", fingerprint=model.fingerprint).participants
    assert [one.kind for one in found] == ["model", "rules", "rules", "learned rules"]
    assert found[0].name == "model, version 7 (serves)"


def test_a_champion_that_wants_what_the_history_lacks_is_said_to_be_absent(world, dataset, warehouse, model):
    shoes = Feature("shoe_size", AttributeValue("shoe_size", AttributeType.NUMERIC), None, "wears {value}")
    catalog = Catalog((*model.catalog.features, shoes), model.catalog.never_use)
    found = all_participants(world, dataset, warehouse, model, encoding=Encoding(catalog, model.encoding.categories))
    assert [one.kind for one in found.participants] == ["model", "rules", "rules", "learned rules"]
    (sentence,) = found.absent
    assert sentence.startswith("The model, version 2 (serves) could not take part")
    assert "shoe_size" in sentence
    replay = run_replay(found, dataset, capacity_per_day=1, warehouse=warehouse)
    assert replay.with_absent(found.absent).says == f"{replay.says} {sentence}"
    with pytest.raises(FeatureError, match="shoe_size"):
        participant_of(
            replace(model, encoding=Encoding(catalog, model.encoding.categories)), dataset, warehouse=warehouse
        )


def test_rules_are_calibrated_as_the_playbooks_own_are(world, dataset):
    own = calibrated_rules(world.playbook.scorecard, dataset, playbook=world.playbook)
    assert own.id == fit_scorecard(dataset, world.playbook).id


def test_an_old_scorecard_needs_no_new_training_set(world, dataset, warehouse, entrants):
    folder = replace(world.playbook, rivals=())
    assert build_dataset(warehouse, Workspace(folder, world.home))[0].sha256 == dataset.sha256
    (rules,) = world.playbook.rivals
    card = compile_scorecard(rules, world.playbook.business)
    assert set(card.catalog.features) - set(dataset.columns.values()), "else nothing had to be computed"
    with pytest.raises(LookupError):
        calibrated_rules(rules, dataset, playbook=world.playbook)
    old = next(one for one in entrants if one.name == rules.name)
    assert (len(old.probability), len(old.score)) == (len(dataset.block("test")), len(dataset.listed))
    assert old.scorer.calibration.slope > 0
    assert ((old.probability > 0) & (old.probability < 1)).all()


def test_an_entrants_scores_are_those_of_its_receipts(dataset, model, warehouse):
    entered = participant_of(model, dataset, warehouse=warehouse)
    test = dataset.block("test")
    assert entered.name == "leadscore-demo"
    assert entered.score.tolist() == model.score_many(dataset.listed).points.tolist()
    assert entered.probability.tolist() == model.score_many(test).probabilities.tolist()


def test_the_arena_holds_with_real_receipts(world, dataset, warehouse, entrants):
    playbook = world.playbook.business
    found = run_replay(
        Participants(entrants),
        dataset,
        capacity_per_day=playbook.capacity_per_day / 10,
        zone=playbook.timezone,
        warehouse=warehouse,
    )
    assert {participant.kind for participant in found.participants} == {"model", "rules", "learned rules"}
    assert found.participants[0].conversions.value > 0
    test = dataset.listed
    for pair in found.pairwise[1:]:
        other = next(each for each in entrants if each.name == pair.name)
        examples = [*pair.only_first.examples, *pair.only_other.examples]
        assert examples, "they disagree on some lead"
        for example in examples:
            first, second = example.first_receipt, example.other_receipt
            rows = np.flatnonzero(test["lead_id"] == example.lead_id)
            both = np.stack([entrants[0].score[rows], other.score[rows]], axis=1)
            row = np.isclose(both, [first.points, second.points]).all(axis=1)
            assert row.any(), "both receipts are of one row of the lead"
            assert iso(test["as_of"].iloc[rows[row][0]])[:10] <= example.called_on
            for receipt in (first, second):
                assert len(receipt.reasons) <= REASONS
                total = receipt.base_points + sum(reason.points for reason in receipt.reasons) + receipt.rest_points
                assert total == pytest.approx(receipt.points, abs=1e-9)


def test_one_model_against_itself_finds_the_same(entrants, dataset):
    found = run_replay(Participants(entrants[:2]), dataset, capacity_per_day=1)
    (against,) = found.pairwise
    assert against.conversions_more == Estimate(value=0, low=0, high=0)
    assert against.calls_in_common == 1
    assert against.only_first.leads == against.only_other.leads == 0


def test_where_the_model_says_nothing_the_rules_win(world, dataset, warehouse, entrants):
    """A model that is worth nothing must not look like one: its scores are drawn."""
    chance = np.random.default_rng(5).normal(size=len(entrants[0].score))
    nothing = replace(entrants[0], score=chance, probability=1 / (1 + np.exp(-chance)))
    found = run_replay(Participants((nothing, *entrants[2:4])), dataset, capacity_per_day=1, warehouse=warehouse)
    assert found.winner in {one.name for one in entrants[2:4]}
    assert found.decided
    assert found.says.startswith("The point rules win")
