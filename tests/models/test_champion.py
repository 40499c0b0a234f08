"""The pointer to the champion: whole or not there, and serving passes over who put it there."""

import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bundle import save_bundle
from models.champion import Champion, point_to, pointer_of, read_pointer
from models.errors import BundleError, ModelError
from models.saved_scorers import load_champion
from tests.models.small import fitted, golden

ONE = {"version": "1", "fingerprint": "f", "bundle": "bundles/one"}
PLAIN = st.none() | st.booleans() | st.integers() | st.text()
JSON = PLAIN | st.lists(PLAIN) | st.dictionaries(st.text(), PLAIN)


@given(move=st.none() | st.dictionaries(st.text(), JSON))
def test_a_pointer_is_read_as_it_was_written_with_the_move_that_put_it_there(tmp_path_factory, move):
    place = tmp_path_factory.mktemp("models")
    champion = Champion("3", "f" * 64, "bundles/three", move)
    point_to(place, champion)
    assert read_pointer(place) == champion


def test_a_pointer_without_a_move_is_as_good(tmp_path):
    assert pointer_of(json.dumps(ONE), tmp_path) == Champion("1", "f", "bundles/one")


@pytest.mark.parametrize("move", [{}, {"who": None}, {"version": 7, "more": [1, 2]}])
def test_serving_loads_the_champion_whatever_the_move_says(tmp_path, move):
    model, booster = fitted()
    folder = tmp_path / "bundles" / "one"
    saved = save_bundle(model, folder, lightgbm_text=booster.model_to_string(), golden=golden(), facts={})
    point_to(tmp_path, Champion("4", saved.id.fingerprint, "bundles/one", move))
    assert load_champion(tmp_path).id.version == "4"


@pytest.mark.parametrize(
    "damage",
    [
        {"move": []},
        {"move": "promote"},
        {"version": 1},
        {"fingerprint": ""},
        {"bundle": "/etc"},
        {"bundle": "bundles/../../x"},
        {"bundle": "\0"},
        {"bundle": "\ud800"},
        {"more": 1},
    ],
)
def test_a_damaged_pointer_says_what_is_wrong_and_how_to_mend_it(tmp_path, damage):
    (tmp_path / "champion.json").write_text(json.dumps(ONE | damage))
    with pytest.raises(BundleError, match=r"champion\.json does not say which model serves .*: run leadscore rollback"):
        read_pointer(tmp_path)


@pytest.mark.parametrize("bundle", ["loop/one", "x/" * 5_000, "x" * 5_000])
def test_a_path_that_leads_nowhere_is_a_clear_mistake(tmp_path, bundle):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "champion.json").write_text(json.dumps(ONE | {"bundle": bundle}))
    with pytest.raises(ModelError):
        load_champion(tmp_path)


def test_a_reader_sees_the_old_champion_or_the_new_and_never_half_of_one(tmp_path):
    point_to(tmp_path, Champion("0", "f", "bundles/0"))
    stop, seen, wrong = threading.Event(), set(), []

    def read():
        while not stop.is_set():
            try:
                pointer = read_pointer(tmp_path)
                seen.add(pointer.version)
                wrong.extend([pointer] if pointer.bundle != f"bundles/{pointer.version}" else [])
            except ModelError as error:
                wrong.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(200):
        point_to(tmp_path, Champion(str(number), "f", f"bundles/{number}", {"says": "x" * number * 20}))
    stop.set()
    reader.join()
    assert wrong == []
    assert len(seen) > 1
