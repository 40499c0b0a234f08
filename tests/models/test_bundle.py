"""A damaged bundle never loads and never kills the process."""

import hashlib
import json
import shutil
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.bundle import StaleBundleError, load_bundle, read_facts, save_bundle
from models.champion import MANIFEST, Champion, NoChampionError, point_to, read_pointer
from models.errors import BundleError, ModelError
from models.saved_scorers import load_champion
from tests.models.maps import NAMED
from tests.models.small import fitted, golden, rows, values_of

FILES = ("catalog.json", "trees.json", "model.json", "golden.json", "lightgbm.txt", MANIFEST)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    model, booster = fitted()
    folder = tmp_path_factory.mktemp("models") / "bundles" / "first"
    saved = save_bundle(
        model, folder, lightgbm_text=booster.model_to_string(), golden=golden(), facts={"goal": {"stage": "sql"}}
    )
    return folder, saved


@pytest.fixture(scope="module")
def bent(tmp_path_factory):
    """Return bundles of the same trees under each calibration: name → (folder, model)."""
    model, booster = fitted()
    root, saved = tmp_path_factory.mktemp("bent"), {}
    for at, (name, calibration) in enumerate(NAMED.items()):
        one = replace(model, calibration=calibration)
        folder = root / str(at)
        made = save_bundle(one, folder, lightgbm_text=booster.model_to_string(), golden=golden(3), facts={})
        saved[name] = (folder, made)
    return saved


@pytest.fixture
def copy(bundle, tmp_path):
    shutil.copytree(bundle[0], tmp_path / "bundle")
    return tmp_path / "bundle"


def test_a_bundle_gives_back_the_model_to_the_last_bit(bundle):
    folder, saved = bundle
    loaded, frame = load_bundle(folder), rows(50, seed=9)
    for at in range(len(frame)):
        values = values_of(frame, at)
        again, first = loaded.receipt("ann", 5, values), saved.receipt("ann", 5, values)
        assert (again.points, again.reasons, again.grade) == (first.points, first.reasons, first.grade)
    assert loaded.fingerprint == saved.fingerprint == hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    assert read_facts(folder) == {"goal": {"stage": "sql"}}


@pytest.mark.parametrize("name", NAMED)
def test_any_calibration_comes_back_to_the_last_bit(bent, name):
    folder, saved = bent[name]
    loaded, frame = load_bundle(folder), rows(30, seed=9)
    assert loaded.calibration == saved.calibration == NAMED[name]
    for at in range(len(frame)):
        values = values_of(frame, at)
        assert loaded.receipt("ann", 5, values) == replace(saved.receipt("ann", 5, values), scorer=loaded.id)


def test_platt_is_kept_as_it_always_was(bundle):
    kept = json.loads((bundle[0] / "model.json").read_text())
    assert kept["calibration"] == {"is": "platt", "slope": 0.9, "offset": -0.1}


def test_the_same_model_gives_the_same_bytes(bundle, tmp_path):
    folder, saved = bundle
    model, booster = fitted()
    again = save_bundle(
        model,
        tmp_path / "again",
        lightgbm_text=booster.model_to_string(),
        golden=golden(),
        facts={"goal": {"stage": "sql"}},
    )
    assert again.fingerprint == saved.fingerprint
    assert [(tmp_path / "again" / name).read_bytes() for name in FILES] == [(folder / n).read_bytes() for n in FILES]


def test_a_bundle_is_never_written_over(bundle):
    model, booster = fitted()
    with pytest.raises(BundleError, match="never changed"):
        save_bundle(model, bundle[0], lightgbm_text=booster.model_to_string(), golden=golden(), facts={})


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(ModelError, match=name):
        load_bundle(copy)


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_never_loads(copy, name):
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError):
        load_bundle(copy)


def test_a_changed_file_names_both_hashes(copy):
    (copy / "model.json").write_text((copy / "model.json").read_text().replace("0.9", "0.8"))
    with pytest.raises(StaleBundleError, match=r"model.json has sha256 \w{12}, the manifest says \w{12}"):
        load_bundle(copy)


def test_another_bundle_in_its_place_never_loads(bundle, tmp_path):
    """Swapped as a whole: every hash fits, but it is not the bundle that was promoted."""
    model, booster = fitted(seed=2)
    other = save_bundle(
        model, tmp_path / "bundles" / "other", lightgbm_text=booster.model_to_string(), golden=golden(), facts={}
    )
    point_to(tmp_path, Champion("1", bundle[1].fingerprint, "bundles/other"))
    assert other.fingerprint != bundle[1].fingerprint
    with pytest.raises(StaleBundleError):
        load_champion(tmp_path)


def forged(folder, name, text):
    """Change a file and make the manifest agree, as a careful hand would."""
    (folder / name).write_text(text)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][name] = hashlib.sha256(text.encode()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest))


def test_trees_changed_with_a_fitting_hash_fail_the_replay(copy):
    trees = json.loads((copy / "trees.json").read_text())
    trees["trees"][0]["leaf_value"][0] += 0.25
    forged(copy, "trees.json", json.dumps(trees))
    with pytest.raises(BundleError, match="another receipt than at training"):
        load_bundle(copy)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("model.json", '"base_odds":', '"base_odds":-'),
        ("model.json", '"slope":0.9', '"slope":-0.9'),
        ("model.json", '"slope":0.9', '"slope":1e999'),
        ("model.json", '"a":70', '"a":true'),
        ("catalog.json", '"count"', '"fetch"'),
        ("catalog.json", '"days":7', '"days":-7'),
        ("golden.json", '"values"', '"worth"'),
        ("golden.json", '"works in', '"sleeps in'),
        (MANIFEST, "leadscore-bundle-1", "leadscore-bundle-9"),
    ],
)
def test_nonsense_with_a_fitting_hash_never_loads(copy, name, old, new):
    text = (copy / name).read_text()
    assert old in text
    changed = text.replace(old, new, 1)
    if name == MANIFEST:
        (copy / name).write_text(changed)
    else:
        forged(copy, name, changed)
    with pytest.raises(ModelError):
        load_bundle(copy)


def calibration_forged(folder, text):
    """Put other text in the place of the calibration, with hashes that fit."""
    content = json.loads((folder / "model.json").read_text())
    kept = json.dumps(content["calibration"], sort_keys=True, separators=(",", ":"))
    before = (folder / "model.json").read_text()
    assert kept in before
    forged(folder, "model.json", before.replace(kept, text, 1))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("beta", '"a":0.4', '"a":-0.4'),
        ("beta", '"a":0.4', '"a":0.5'),
        ("beta", '"b":2.5', '"b":1e999'),
        ("beta", '"c":0.3', '"c":null'),
        ("beta", '"is":"beta"', '"is":"platt"'),
        ("beta", '"is":"beta"', '"is":["beta"]'),
        ("isotonic", '"below":0.3', '"below":-0.3'),
        ("isotonic", '"margins":[-3.0,', '"margins":[3.0,'),
        ("isotonic", '"margins":[-3.0,', '"margins":['),
        ("isotonic", '"log_odds":[-4.0,', '"log_odds":[4.0,'),
        ("isotonic", '"log_odds":[-4.0,-3.0,', '"log_odds":[-4.0,-3.5,'),
        ("isotonic", '"is":"isotonic"', '"is":"beta"'),
        ("isotonic", '"is":"isotonic"', '"is":"stairs"'),
    ],
)
def test_a_calibration_changed_with_fitting_hashes_never_loads(bent, tmp_path, name, old, new):
    folder = shutil.copytree(bent[name][0], tmp_path / "bundle")
    kept = json.dumps(bent[name][1].calibration.as_json(), sort_keys=True, separators=(",", ":"))
    assert old in kept
    calibration_forged(folder, kept.replace(old, new, 1))
    with pytest.raises(ModelError):
        load_bundle(folder)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["beta", "isotonic"]), at=st.floats(0, 1, exclude_max=True), sign=st.characters(codec="ascii")
)
def test_one_other_sign_in_a_calibration_is_refused_or_changes_no_golden_score(bent, tmp_path, name, at, sign):
    """Even where every hash fits: what loads still keeps the order of leads and replays its golden rows."""
    folder, saved = bent[name]
    kept = json.dumps(saved.calibration.as_json(), sort_keys=True, separators=(",", ":"))
    place = int(at * len(kept))
    broken = shutil.copytree(folder, tmp_path / "bundle", dirs_exist_ok=True)
    calibration_forged(broken, kept[:place] + sign + kept[place + 1 :])
    try:
        loaded = load_bundle(broken)
    except ModelError:
        return
    for row in golden(3):
        values = list(row.values)
        assert abs(loaded.receipt("", 0, values).points - saved.receipt("", 0, values).points) <= 1e-9


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(FILES), at=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), cut=st.booleans())
def test_one_wrong_byte_anywhere_never_loads(bundle, copy, name, at, byte, cut):
    content = (bundle[0] / name).read_bytes()
    place = int(at * len(content))
    broken = content[:place] if cut else content[:place] + bytes([byte]) + content[place + 1 :]
    (copy / name).write_bytes(broken)
    try:
        if broken == content:
            load_bundle(copy, fingerprint=bundle[1].fingerprint)
        else:
            with pytest.raises(ModelError):
                load_bundle(copy, fingerprint=bundle[1].fingerprint)
    finally:
        (copy / name).write_bytes(content)


def test_without_a_promotion_the_next_step_is_said(tmp_path):
    with pytest.raises(NoChampionError, match="leadscore promote"):
        load_champion(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", '{"version":1,"fingerprint":"x","bundle":"b"}', "[]", "\x00", "NaN"])
def test_a_damaged_pointer_is_a_clear_mistake(tmp_path, text):
    (tmp_path / "champion.json").write_text(text)
    with pytest.raises(ModelError):
        read_pointer(tmp_path)


def test_a_pointer_cannot_lead_out_of_the_folder(tmp_path):
    point_to(tmp_path, Champion("1", "f" * 64, "../../etc"))
    with pytest.raises(ModelError, match="a folder beside it"):
        load_champion(tmp_path)
