"""
A trained model as files: save it, verify it, load it.

Nothing in a bundle is code and nothing is unpickled. A bundle is never changed: its manifest names the
sha256 of every file, the manifest's own sha256 is the bundle's fingerprint, and golden rows with the
receipts they gave at training are replayed before the model may answer. A signature may lie beside
them; it must fit then, and `models.signing` says what it is worth.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from data.atomic_files import new_folder
from data.strict_json import canonical_json
from features.age_and_silence import with_age_and_silence
from features.catalog import Catalog
from features.errors import FeatureError
from models.bands import Bands
from models.bundle_limits import LIMITS, check_catalog, check_files, check_golden, check_words, require
from models.calibration import calibration_from_json
from models.champion import MANIFEST
from models.checked_json import check_plain, fields, is_label, loads, numbers, texts
from models.conversion import MOST_CATEGORIES, ConversionModel, Encoding
from models.errors import BundleError, ModelError, StructureError
from models.golden_rows import GoldenRow, golden_json, replay
from models.history_reach import REACH, reach_from_json
from models.receipt import AVERAGE_POINTS, POINTS_PER_LOGIT
from models.signing import SIGNATURE, signer_of
from models.trees import MOST_FEATURES, Trees

FORMAT = "leadscore-bundle-1"
_FILES = ("catalog.json", "trees.json", "model.json", "golden.json", "lightgbm.txt")
_MOST_POINTS = 1e12
_SHOWN_FACTS: Mapping[str, type] = {"data": dict, "test": dict, "gates": list, "accepted_risk": str}
_KINDS: Mapping[type, str] = {dict: "an object", list: "a list of objects", str: "text"}


class StaleBundleError(BundleError):
    """A file of the bundle is not the one its manifest describes."""

    def __init__(self, *, file: str, found: str, expected: str) -> None:
        """Name the file and both hashes."""
        super().__init__(
            f"{file} has sha256 {found[:12]}, the manifest says {expected[:12]}. "
            "The bundle was changed after training: export it again from its MLflow run."
        )


def save_bundle(
    model: ConversionModel, folder: Path, *, lightgbm_text: str, golden: Sequence[GoldenRow], facts: Mapping[str, Any]
) -> ConversionModel:
    """
    Write a model as a bundle, whole or not at all.

    Args:
        model: what to write.
        folder: must not exist yet.
        lightgbm_text: LightGBM's own text of the trees, for other tools; never read here.
        golden: rows whose receipts are kept and replayed on loading.
        facts: what else the manifest shall say, such as the data's hash and the goal; JSON.

    Returns:
        The model with its fingerprint.

    Raises:
        BundleError: the folder exists already.
        LimitError: there is more of something than a service would accept.
    """
    if folder.exists():
        message = f"{folder} exists already: a bundle is never changed, write this one into a new folder."
        raise BundleError(message)
    content = {
        "catalog.json": model.catalog.to_json(),
        "trees.json": model.trees.to_json(),
        "model.json": canonical_json(_numbers_of(model)),
        "golden.json": canonical_json([golden_json(model, row) for row in golden]),
        "lightgbm.txt": lightgbm_text,
    }
    hashes = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in content.items()}
    manifest = canonical_json({"format": FORMAT, "name": model.name, "facts": dict(facts), "files": hashes})
    check_files({name: text.encode() for name, text in {**content, MANIFEST: manifest}.items()})
    _check_content(content, str(folder))
    with new_folder(folder) as draft:
        for name, text in {**content, MANIFEST: manifest}.items():
            (draft / name).write_bytes(text.encode())
    return model.labelled(version=model.version, fingerprint=hashlib.sha256(manifest.encode()).hexdigest())


def load_bundle(folder: Path, *, version: str | None = None, fingerprint: str | None = None) -> ConversionModel:
    """
    Load a bundle after verifying its hashes, its structure and the replay of its golden rows.

    Args:
        folder: as written by `save_bundle`.
        version: the registry's label; by default the start of the fingerprint.
        fingerprint: the bundle that is expected here, if that is known.

    Raises:
        ModelError: anything at all is not as it was saved.
    """
    files = read_bundle_files(folder)
    return load_files(files, version=version, fingerprint=fingerprint, where=str(folder))


def read_bundle_files(folder: Path, *, where: str | None = None) -> dict[str, bytes]:
    """
    Read the files of a bundle without looking into them.

    Args:
        folder: as written by `save_bundle`.
        where: how a message shall name the folder; by default by its path.

    Returns:
        Name of the file → its bytes.

    Raises:
        BundleError: one cannot be read.
    """
    files = {name: _read(folder / name, f"{where or folder}/{name}") for name in (MANIFEST, *_FILES)}
    if (folder / SIGNATURE).exists():
        files[SIGNATURE] = _read(folder / SIGNATURE, f"{where or folder}/{SIGNATURE}")
    return files


def load_files(
    files: Mapping[str, bytes], *, version: str | None = None, fingerprint: str | None = None, where: str = "the bundle"
) -> ConversionModel:
    """
    Load a bundle from its files' bytes, with the same checks as `load_bundle`.

    Args:
        files: as given by `read_bundle_files`.
        version: the registry's label; by default the start of the fingerprint.
        fingerprint: the bundle that is expected, if that is known.
        where: how a message shall name the place they came from.

    Raises:
        ModelError: anything at all is not as it was saved.
    """
    _check_names(files, where)
    check_files(files)
    own_fingerprint = hashlib.sha256(files[MANIFEST]).hexdigest()
    if fingerprint is not None and own_fingerprint != fingerprint:
        raise StaleBundleError(file=f"{where}/{MANIFEST}", found=own_fingerprint, expected=fingerprint)
    signer = signer_of(files)
    manifest = _manifest(files[MANIFEST], f"{where}/{MANIFEST}")
    content = {name: _verified(files[name], manifest["files"][name], f"{where}/{name}") for name in _FILES}
    _check_content(content, where)
    try:
        model = _model(manifest["name"], content)
    except FeatureError as error:
        message = f"{where}/catalog.json: {error}"
        raise BundleError(message) from None
    model = replace(
        model.labelled(version=version or own_fingerprint[:8], fingerprint=own_fingerprint),
        facts=manifest["facts"],
        signer=signer,
    )
    _check_reach(model)
    replay(model, loads(content["golden.json"]), f"{where}/golden.json")
    return model


def read_facts(folder: Path) -> dict[str, Any]:
    """
    Return the manifest's facts: the goal, the data, the metrics.

    Raises:
        BundleError: the manifest is not one.
    """
    where = str(folder / MANIFEST)
    facts: dict[str, Any] = _manifest(_read(folder / MANIFEST, where), where)["facts"]
    return facts


def _numbers_of(model: ConversionModel) -> dict[str, Any]:
    return {
        "categories": {name: list(levels) for name, levels in model.encoding.categories.items()},
        "calibration": model.calibration.as_json(),
        "base_odds": model.base_odds,
        "bands": model.bands.as_json(),
    }


def _model(name: str, content: Mapping[str, str]) -> ConversionModel:
    catalog = Catalog.from_json(content["catalog.json"])
    with_age_and_silence(catalog)  # refuses a feature that has the name of what every score computes beside them
    given = fields(loads(content["model.json"]), "model.json", ("categories", "calibration", "base_odds", "bands"))
    (base_odds,) = numbers([given["base_odds"]], "base_odds")
    if not (math.isfinite(base_odds) and base_odds > 0):
        raise StructureError(where="base_odds", found=base_odds, expected="a finite number above 0")
    trees = Trees.from_json(content["trees.json"])
    if trees.n_features != len(catalog.features):
        raise StructureError(where="trees", found=trees.n_features, expected=f"{len(catalog.features)} features")
    encoding = Encoding(catalog, _categories(given["categories"], catalog))
    calibration, bands = calibration_from_json(given["calibration"]), Bands.from_json(given["bands"])
    return ConversionModel(name, encoding, trees, calibration, base_odds, bands)


def _categories(given: object, catalog: Catalog) -> dict[str, tuple[str, ...]]:
    expected = [feature.name for feature in catalog.features if feature.is_category]
    named = fields(given, "categories", expected)
    return {name: _levels(named[name], index) for index, name in enumerate(expected)}


def _levels(given: object, index: int) -> tuple[str, ...]:
    """Return the categories of one feature, each once; any other value shares the code after the last."""
    where = f"categories of text feature {index}"
    levels = texts(given, where) or ()
    require(where, len(levels), MOST_CATEGORIES)
    check_words(levels, where)
    if len(set(levels)) != len(levels):
        raise StructureError(where=where, found=levels, expected="each once")
    return levels


def _read(path: Path, where: str) -> bytes:
    try:
        require(f"bytes of {where}", path.stat().st_size, LIMITS[path.name].size)
        return path.read_bytes()
    except OSError as error:
        message = f"{where} cannot be read ({error.strerror}): export the bundle again from its MLflow run."
        raise BundleError(message) from None


def _check_names(files: Mapping[str, bytes], where: str) -> None:
    """Reject bundles with a missing or an extra file."""
    for name in (MANIFEST, *_FILES):
        if name not in files:
            message = f"{where} has no {name}: export the bundle again from its MLflow run."
            raise BundleError(message)
    if len(files.keys() - {SIGNATURE}) > 1 + len(_FILES):
        message = f"{where} has files that do not belong to a bundle: export it again from its MLflow run."
        raise BundleError(message)


def _check_content(content: Mapping[str, str], where: str) -> None:
    """Reject what no file can hold, and more of it than any model needs, before a model is made of it."""
    for name in ("catalog.json", "model.json", "golden.json"):
        parsed = loads(content[name])
        check_plain(parsed, f"{where}/{name}")
        if name == "catalog.json":
            check_catalog(parsed, MOST_FEATURES)
        elif name == "golden.json":
            check_golden(parsed)  # what is in model.json is counted where it is read


def _verified(content: bytes, expected: str, where: str) -> str:
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise StaleBundleError(file=where, found=found, expected=expected)
    return _text(content, where)


def _text(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        message = f"{where} is not UTF-8 text: export the bundle again from its MLflow run."
        raise BundleError(message) from None


def _manifest(content: bytes, where: str) -> dict[str, Any]:
    manifest = fields(loads(_text(content, where)), where, ("format", "name", "facts", "files"))
    files = fields(manifest["files"], f"{where}, files", _FILES)
    right = manifest["format"] == FORMAT and isinstance(manifest["facts"], dict) and is_label(manifest["name"])
    if not right or not all(isinstance(expected, str) for expected in files.values()):
        raise StructureError(where=where, found=manifest["format"], expected=f"a manifest of format {FORMAT}")
    check_plain(manifest["facts"], f"{where}, facts")
    _check_facts(manifest["facts"], where)
    return manifest


def _check_facts(facts: Mapping[str, Any], where: str) -> None:
    """Reject facts of another kind than the service shows; each may be left out, or null."""
    for name, kind in _SHOWN_FACTS.items():
        found = facts.get(name)
        if found is not None and not isinstance(found, kind):
            raise StructureError(where=f"{where}, {name}", found=found, expected=_KINDS[kind])
    if not all(isinstance(gate, dict) for gate in facts.get("gates") or ()):
        raise StructureError(where=f"{where}, gates", found="something else", expected="a list of objects")
    reach_from_json(facts.get(REACH))


def _check_reach(model: ConversionModel) -> None:
    """Reject a model that could give some lead points that are not finite."""
    reach = [bound(tree.leaf_value) for bound in (min, max) for tree in model.trees.trees]
    low, high = math.fsum(reach[: len(model.trees.trees)]), math.fsum(reach[len(model.trees.trees) :])
    for margin in (low, high, 0.0):
        points = AVERAGE_POINTS + POINTS_PER_LOGIT * (model.calibration.logit(margin) - math.log(model.base_odds))
        if not abs(points) <= _MOST_POINTS:
            raise StructureError(where="points", found=points, expected=f"at most {_MOST_POINTS:g} for any lead")


__all__ = [
    "GoldenRow",
    "ModelError",
    "StaleBundleError",
    "load_bundle",
    "load_files",
    "read_bundle_files",
    "read_facts",
    "save_bundle",
]
