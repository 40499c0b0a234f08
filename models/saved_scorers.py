"""The scorers saved in a playbook's models folder: the promoted model, and the point rules calibrated on history."""

import hashlib
import json
from pathlib import Path

from data.atomic_files import write_whole
from data.words.point_rules import ScorecardRules
from models.bands import Bands
from models.bundle import load_bundle
from models.calibration import Platt
from models.champion import Champion, read_pointer, read_text
from models.checked_json import fields, loads
from models.conversion import ConversionModel
from models.errors import BundleError
from models.scorecard import Scorecard


def load_champion(models: Path) -> ConversionModel:
    """
    Load the model that serves.

    Raises:
        ModelError: nothing was promoted, or the bundle is not what was promoted.
    """
    return load_pointed(models, read_pointer(models))


def load_pointed(models: Path, champion: Champion) -> ConversionModel:
    """
    Load a bundle that serves, or once did.

    Raises:
        ModelError: it is gone, or not what was promoted.
    """
    return load_bundle(models / champion.bundle, version=champion.version, fingerprint=champion.fingerprint)


def save_scorecard_fit(models: Path, scorecard: Scorecard) -> None:
    """Save what history taught about the point rules: probability, grades and threshold."""
    if scorecard.calibration is None:
        message = "this scorecard has not been calibrated on history: fit it before saving it."
        raise BundleError(message)
    content = {
        "rules": _fingerprint(scorecard.rules),
        "calibration": scorecard.calibration.as_json(),
        "bands": scorecard.bands.as_json(),
    }
    write_whole(models / "scorecard.json", json.dumps(content, sort_keys=True, indent=1))


def load_scorecard_fit(models: Path, scorecard: Scorecard) -> Scorecard:
    """
    Return the point rules with what history taught about them, or unchanged if it taught nothing about these rules.

    Raises:
        StructureError: the file is damaged.
    """
    path = models / "scorecard.json"
    if not path.exists():
        return scorecard
    given = fields(loads(read_text(path)), str(path), ("rules", "calibration", "bands"))
    if given["rules"] != _fingerprint(scorecard.rules):
        return scorecard
    return scorecard.calibrated(Platt.from_json(given["calibration"]), Bands.from_json(given["bands"]))


def _fingerprint(rules: ScorecardRules) -> str:
    return hashlib.sha256(json.dumps(rules.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()
