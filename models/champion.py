"""
Where the trained models of a playbook stand, and which of them serves.

The folder holds ``bundles/<fingerprint>/`` (never changed), ``champion.json`` (which bundle serves) and
``scorecard.json`` (what history taught about the point rules). Training writes, serving reads.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from data.rules import ScorecardRules
from models.bands import Bands
from models.bundle import load_bundle
from models.calibration import Platt
from models.conversion import ConversionModel
from models.errors import BundleError, StructureError
from models.reading import fields, loads
from models.scorecard import Scorecard


class NoChampionError(BundleError):
    """No model has been promoted yet."""


@dataclass(frozen=True, slots=True)
class Champion:
    """Which bundle serves: its label in the registry, its fingerprint, and where it stands in the folder."""

    version: str
    fingerprint: str
    bundle: str


def bundle_folder(models: Path, run_id: str) -> Path:
    """Give the folder of the bundle that a training run made."""
    return models / "bundles" / run_id


def point_to(models: Path, champion: Champion) -> None:
    """Make a bundle the one that serves, in one step."""
    content = {"version": champion.version, "fingerprint": champion.fingerprint, "bundle": champion.bundle}
    _write(models / "champion.json", json.dumps(content, sort_keys=True, indent=1))


def read_pointer(models: Path) -> Champion:
    """
    Read which bundle serves.

    Raises:
        NoChampionError: nothing was promoted yet.
        StructureError: the pointer is damaged.
    """
    path = models / "champion.json"
    if not path.exists():
        message = f"no model serves yet ({path} does not exist): run leadscore train, then leadscore promote."
        raise NoChampionError(message)
    given = fields(loads(_text(path)), str(path), ("version", "fingerprint", "bundle"))
    for name, value in given.items():
        if not isinstance(value, str) or not value:
            raise StructureError(where=f"{path}, {name}", found=value, expected="text")
    inside = (models / given["bundle"]).resolve()
    if not inside.is_relative_to(models.resolve()):
        raise StructureError(where=str(path), found=given["bundle"], expected="a folder beside it")
    return Champion(**given)


def load_champion(models: Path) -> ConversionModel:
    """
    Load the model that serves.

    Raises:
        ModelError: nothing was promoted, or the bundle is not what was promoted.
    """
    pointer = read_pointer(models)
    return load_bundle(models / pointer.bundle, version=pointer.version, fingerprint=pointer.fingerprint)


def save_scorecard_fit(models: Path, scorecard: Scorecard) -> None:
    """Keep what history taught about the point rules: probability, grades and threshold."""
    if scorecard.calibration is None:
        message = "this scorecard has not been calibrated on history: fit it before keeping it."
        raise BundleError(message)
    content = {
        "rules": _fingerprint(scorecard.rules),
        "calibration": scorecard.calibration.as_json(),
        "bands": scorecard.bands.as_json(),
    }
    _write(models / "scorecard.json", json.dumps(content, sort_keys=True, indent=1))


def load_scorecard_fit(models: Path, scorecard: Scorecard) -> Scorecard:
    """
    Give the point rules with what history taught about them; as they are where it taught nothing of these rules.

    Raises:
        StructureError: the file is damaged.
    """
    path = models / "scorecard.json"
    if not path.exists():
        return scorecard
    given = fields(loads(_text(path)), str(path), ("rules", "calibration", "bands"))
    if given["rules"] != _fingerprint(scorecard.rules):
        return scorecard
    return scorecard.calibrated(Platt.from_json(given["calibration"]), Bands.from_json(given["bands"]))


def _fingerprint(rules: ScorecardRules) -> str:
    return hashlib.sha256(json.dumps(rules.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read ({error}): promote a model again."
        raise BundleError(message) from None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    building = path.with_name(f".{path.name}.{os.getpid()}")
    with building.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    building.replace(path)
