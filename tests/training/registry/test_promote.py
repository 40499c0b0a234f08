"""promote, rollback, history: one version serves, everyone can see why, and no accident leaves it in between."""

import io
import json
import multiprocessing
import shutil

import pytest
from rich.console import Console

from data.home import Home
from data.words.playbook import load_playbook
from data.workspace import Workspace
from models.bundle import load_bundle
from models.errors import SigningKeyError
from models.saved_scorers import load_champion
from models.signing import new_key, own_public_key
from tests.end_to_end.command_line import leadscore
from tests.training import versions
from training.commands import history, promote, rollback
from training.errors import (
    ChampionChangedError,
    PromotionRefusedError,
    RegistryError,
    RollbackRefusedError,
)
from training.registry import promote as promoting
from training.registry.mlflow_registry import Registry
from training.registry.promotion_history import JOURNAL, read_champion_history

FOLDER = load_playbook(versions.DEMO)
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.training.versions", "mlflow.store.tracking.sqlalchemy_store"])


@pytest.fixture(scope="module")
def stocked(tmp_path_factory):
    """A home with five registered versions."""
    home = Home(tmp_path_factory.mktemp("stocked"))
    versions.stock(home, 5)
    return home


@pytest.fixture
def home(stocked):
    """The same home with nothing promoted yet; opening a registry anew for each test would take most of its time."""
    return versions.afresh(stocked)


@pytest.fixture
def spare(stocked, tmp_path):
    """A copy, where a test damages what the others need."""
    return versions.afresh(versions.copied(stocked, tmp_path / "spare"))


def force(home, number, reason="to see"):
    return promote(Workspace(FOLDER, home), version=str(number), force=True, reason=reason)


def serves(home):
    """The version that the pointer names, whose bundle loads, and that MLflow's alias names too."""
    registry = Registry(home, "demo")
    found = load_champion(registry.models).id.version
    assert registry.champion().version == registry.find("champion").version == found
    return found if registry.champion_alias == found else f"{found}, but MLflow says {registry.champion_alias}"


def tags(home, number):
    return Registry(home, "demo").client().get_model_version("leadscore-demo", str(number)).tags


def shown(answer):
    console = Console(width=200, file=io.StringIO())
    answer.show(console)
    return console.file.getvalue()


# ---- signatures


def test_whoever_promotes_or_rolls_back_signs_with_the_key_of_the_machine(spare):
    """The first promotion makes the key; a version that was never promoted stays unsigned."""
    first = force(spare, 1)
    key = own_public_key(spare.registry / "signing.key")
    assert (first.signer, first.as_json()["signed_by"]) == (key, key.id)
    assert f"Signed with this machine's key {key.id}." in shown(first)
    assert load_bundle(first.bundle).signer == key
    second = force(spare, 2)
    signed = {path.parent.name for path in spare.models("demo").glob("bundles/*/signature.json")}
    assert signed == {first.bundle.name, second.bundle.name}
    renewed = new_key(spare.registry / "signing.key").public
    rollback(Workspace(FOLDER, spare))
    assert load_bundle(first.bundle).signer == renewed != key
    assert load_bundle(second.bundle).signer == key


def test_a_champion_of_an_earlier_release_is_signed_by_being_promoted_again(spare):
    bundle = force(spare, 1).bundle
    (bundle / "signature.json").unlink()
    again = force(spare, 1)
    assert again.change is None
    assert load_bundle(bundle).signer == again.signer is not None


def test_a_key_that_cannot_be_made_is_a_sentence_and_nothing_is_promoted(spare, monkeypatch):
    monkeypatch.setenv("LEADSCORE_SIGNING_KEY_FILE", str(spare.root / "models" / "store" / "mlflow.db" / "my.key"))
    with pytest.raises(SigningKeyError, match="which signing needs"):
        force(spare, 1)
    assert history(Workspace(FOLDER, spare)).changes == ()


# ---- force


@pytest.mark.parametrize("reason", [None, "", "  \n "])
def test_the_gate_is_not_skipped_without_a_reason(home, reason):
    with pytest.raises(PromotionRefusedError, match="--force needs a reason: add --reason"):
        promote(Workspace(FOLDER, home), version="1", force=True, reason=reason)
    assert history(Workspace(FOLDER, home)).changes == ()


def test_the_reason_goes_into_the_journal_and_onto_the_version(home, monkeypatch):
    monkeypatch.setenv("LEADSCORE_USER", "ada")
    answer = force(home, 2, "the old one\nis [red]broken[/]")
    assert answer.as_json()["move"]["reason"] == "the old one is [red]broken[/]"
    assert {name: tags(home, 2)[f"champion.{name}"] for name in ("by", "action", "reason")} == {
        "by": "ada",
        "action": "force",
        "reason": "the old one is [red]broken[/]",
    }
    assert serves(home) == "2"
    for words in ("ada", "force", "the old one is [red]broken[/]", "Version 2 serves."):
        assert words in shown(history(Workspace(FOLDER, home)))


def test_a_version_that_serves_already_is_not_promoted_again(home):
    force(home, 1)
    again = force(home, 1)
    assert (again.change, again.before) == (None, "1")
    assert "goes on serving. It served already." in shown(again)
    assert len(history(Workspace(FOLDER, home)).changes) == 1


@pytest.mark.parametrize("wanted", ["", " "])
def test_a_version_without_a_name_is_a_sentence(home, wanted):
    with pytest.raises(RegistryError, match="No version is named, expected challenger"):
        promote(Workspace(FOLDER, home), version=wanted)


@pytest.mark.parametrize("wanted", ["99", "champion", "best"])
def test_a_version_that_does_not_exist_is_a_sentence(home, wanted):
    with pytest.raises(RegistryError, match=f"has no version {wanted}"):
        promote(Workspace(FOLDER, home), version=wanted)


def test_a_version_whose_bundle_was_changed_does_not_serve_even_by_force(spare):
    found = Registry(spare, "demo").find("1")
    file = spare.models("demo") / "bundles" / found.run_id / "model.json"
    file.write_text(file.read_text().replace("platt", "plott"))
    with pytest.raises(PromotionRefusedError, match="Version 1 cannot serve"):
        force(spare, 1)


def test_a_damaged_pointer_is_mended_by_a_promotion(home):
    force(home, 1)
    (home.models("demo") / "champion.json").write_text("{")
    found = history(Workspace(FOLDER, home))
    assert found.champion is None
    assert "does not say which model serves" in found.problems[0]
    assert force(home, 1).change.before.version == "1"
    assert serves(home) == "1"


# ---- rollback


def test_rolling_back_twice_goes_two_back_and_a_promotion_comes_again(home):
    for number in (1, 2, 3):
        force(home, number)
    assert rollback(Workspace(FOLDER, home), reason="calls were wasted").as_json()["version"] == "2"
    assert serves(home) == "2"
    assert tags(home, 2)["champion.reason"] == "calls were wasted"
    answer = rollback(Workspace(FOLDER, home))
    assert shown(answer) == "Version 1 serves again. It is back in place of version 2.\n"
    assert serves(home) == "1"
    with pytest.raises(RollbackRefusedError, match="No other version served before version 1"):
        rollback(Workspace(FOLDER, home))
    force(home, 3)
    assert rollback(Workspace(FOLDER, home)).change.to.version == "1"
    said = history(Workspace(FOLDER, home)).as_json()
    assert [(move["action"], move["version"]) for move in said["moves"]] == [
        ("rollback", "1"),
        ("force", "3"),
        ("rollback", "1"),
        ("rollback", "2"),
        ("force", "3"),
        ("force", "2"),
        ("force", "1"),
    ]
    assert said["serves"]["version"] == "1"


def test_before_any_promotion_there_is_nothing_to_go_back_to_and_nothing_is_made(tmp_path):
    with pytest.raises(RollbackRefusedError, match="No version was promoted yet"):
        rollback(Workspace(FOLDER, Home(tmp_path)))
    answer = history(Workspace(FOLDER, Home(tmp_path)))
    assert json.loads(json.dumps(answer.as_json())) == {"serves": None, "moves": [], "problems": []}
    assert shown(answer) == "No version serves.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_previous_champion_that_cannot_serve_is_not_put_back(spare, damage):
    force(spare, 1)
    force(spare, 2)
    bundle = spare.models("demo") / "bundles" / Registry(spare, "demo").find("1").run_id
    if damage == "gone":
        shutil.rmtree(bundle)
    else:
        (bundle / "trees.json").write_text("{}")
    with pytest.raises(RollbackRefusedError, match="Version 1, the previous champion, cannot serve"):
        rollback(Workspace(FOLDER, spare))
    assert serves(spare) == "2"


def test_a_rollback_needs_no_registry_that_works_and_a_later_move_tells_mlflow(spare):
    force(spare, 1)
    force(spare, 2)
    database = spare.registry / "mlflow.db"
    whole = database.read_bytes()
    database.write_text("these are no tables, " * 1_000)
    answer = rollback(Workspace(FOLDER, spare))
    assert "MLflow's alias champion could not be set" in answer.notes[0]
    assert answer.notes[0] in " ".join(shown(answer).split())
    assert load_champion(spare.models("demo")).id.version == "1"
    database.write_bytes(whole)
    assert Registry(spare, "demo").champion_alias == "2"
    with pytest.raises(PromotionRefusedError, match="add --reason"):
        promote(Workspace(FOLDER, spare), force=True)
    force(spare, 1)  # moves nothing, and mends what was left undone
    assert serves(spare) == "1"


def test_a_rollback_makes_no_registry_where_there_is_none(spare):
    force(spare, 1)
    force(spare, 2)
    (spare.registry / "mlflow.db").unlink()
    assert "There is no registry" in rollback(Workspace(FOLDER, spare)).notes[0]
    assert not (spare.registry / "mlflow.db").exists()


def test_another_model_under_the_same_number_is_not_called_champion(spare):
    """A registry that was moved away and begun again counts from 1 again."""
    for number in (1, 2):
        force(spare, number)
    client = Registry(spare, "demo").client()
    client.set_model_version_tag("leadscore-demo", "1", "bundle_fingerprint", "f" * 64)
    assert "holds another model as version 1" in rollback(Workspace(FOLDER, spare)).notes[0]
    assert Registry(spare, "demo").champion_alias == "2"


# ---- accidents


def killed_at(step, home):
    """Roll back in a process of its own and kill it at a step, as the system does when it needs the memory."""
    reached = PROCESSES.Event()
    process = PROCESSES.Process(target=versions.stop_at, args=(step, home.root, reached))
    process.start()
    try:
        assert reached.wait(60)
    finally:
        process.kill()
        process.join(30)
    assert process.exitcode == -9


@pytest.mark.slow
@pytest.mark.parametrize("step", list(versions.STEPS))
def test_a_process_that_is_killed_leaves_a_whole_pointer_and_a_history_without_gaps(home, step):
    for number in (1, 2, 3):
        force(home, number)
    killed_at(step, home)
    models = home.models("demo")
    moved = step != "before the pointer"
    assert load_champion(models).id.version == ("2" if moved else "3")
    before = [move.to.version for move in history(Workspace(FOLDER, home)).changes]
    assert before == ["2", "3", "2", "1"][0 if moved else 1 :]
    assert rollback(Workspace(FOLDER, home)).change.to.version == ("1" if moved else "2")
    assert serves(home) == ("1" if moved else "2")
    found = read_champion_history(models)
    assert [move.to.version for move in found.changes] == [*before[::-1], serves(home)]
    assert [move.number for move in found.changes] == list(range(1, len(found.changes) + 1))
    assert found.damaged == ((4,) if step == "in the journal's line" else ())
    assert all(one.before == other.to for one, other in zip(found.changes[1:], found.changes, strict=False))


def test_of_several_promotions_at_once_one_wins_and_the_others_are_told_who(home):
    for turn in range(3):
        now = history(Workspace(FOLDER, home)).champion
        rivals = [str(number) for number in range(1, 6) if now is None or str(number) != now.version][:3]
        start, answers = PROCESSES.Barrier(len(rivals)), PROCESSES.Queue()
        processes = [
            PROCESSES.Process(target=versions.compete, args=(rival, home.root, start, answers)) for rival in rivals
        ]
        for process in processes:
            process.start()
        ended = dict(answers.get(timeout=60) for _ in processes)
        for process in processes:
            process.join(30)
        (winner,) = [version for version, refused in ended.items() if refused is None]
        for version in set(ended) - {winner}:
            assert f"Version {winner} was promoted by seller {winner} at 20" in ended[version]
            assert "meanwhile, so nothing was changed: run this again." in ended[version]
        assert serves(home) == winner
        assert tags(home, winner)["champion.reason"] == f"wants {winner}"
        found = read_champion_history(home.models("demo"))
        assert len(found.changes) == len((home.models("demo") / JOURNAL).read_text().splitlines()) == turn + 1


def test_a_rollback_is_refused_where_somebody_moved_the_champion_meanwhile(home, monkeypatch):
    for number in (1, 2):
        force(home, number)
    really = promoting._previous

    def slowly(registry, serving):
        found = really(registry, serving)
        force(home, 3)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(promoting, "_previous", slowly)
        with pytest.raises(ChampionChangedError, match="Version 3 was promoted by"):
            rollback(Workspace(FOLDER, home))
    assert serves(home) == "3"


# ---- the command line


def test_the_command_line_promotes_rolls_back_and_lists(home):
    def said(*arguments):
        done = leadscore(*arguments, "--json", home=home.root, LEADSCORE_USER="ada")
        assert done.code == 0, done.stderr
        return done.json

    assert said("history") == {"serves": None, "moves": [], "problems": []}
    for number in ("1", "2"):
        answer = said("promote", "--version", number, "--force", "--reason", f"try {number}")
    assert (answer["version"], answer["before"], answer["move"]["who"]) == ("2", "1", "ada")
    assert said("rollback", "--reason", "back")["version"] == "1"
    found = said("history")
    assert found["serves"]["version"] == "1"
    assert [(move["action"], move["reason"]) for move in found["moves"]] == [
        ("rollback", "back"),
        ("force", "try 2"),
        ("force", "try 1"),
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["promote", "--force"], "--force needs a reason: add --reason"),
        (["promote", "--version", "9"], "has no version 9"),
        (["rollback"], "No version was promoted yet, so there is nothing to go back to"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_exit_code_2(home, arguments, sentence):
    done = leadscore(*arguments, "--json", home=home.root)
    assert done.code == 2
    assert sentence in done.stderr
    assert sentence in done.json["error"]


def test_an_alias_that_somebody_moved_in_mlflow_serves_nobody(home):
    """The pointer says who serves; the next promotion or rollback tells MLflow so."""
    force(home, 1)
    force(home, 2)
    Registry(home, "demo").client().set_registered_model_alias("leadscore-demo", "champion", "4")
    assert Registry(home, "demo").champion().version == "2"
    rollback(Workspace(FOLDER, home))
    assert serves(home) == "1"
