"""
Archived point rules, so that old receipts can be reproduced after ``scorecard.yaml`` was edited.

What is kept is the compiled card: rules, features, calibration and bands. Neither the playbook nor the rules of today
are asked when it is read back.
"""

import hashlib
from typing import Any

from pydantic import ValidationError

from data.strict_json import canonical_json
from data.words.point_rules import ScorecardRules
from features.catalog import Catalog
from features.errors import FeatureError
from models.bands import Bands
from models.calibration import Platt
from models.checked_json import fields, integers, loads
from models.errors import BundleError, StructureError
from models.scorecard import Scorecard

_FIELDS = ("rules", "catalog", "columns", "calibration", "bands")


def keep_rules(card: Scorecard) -> bytes:
    """Return point rules, with everything their receipts depend on, as bytes."""
    content = {
        "rules": card.rules.model_dump(mode="json", by_alias=True),
        "catalog": card.catalog.to_json(),
        "columns": [list(used) for used in card.columns],
        "calibration": None if card.calibration is None else card.calibration.as_json(),
        "bands": card.bands.as_json(),
    }
    text = canonical_json(content)
    return canonical_json({"sha256": _hash(text), "card": text}).encode()


def kept_rules(kept: bytes, *, fingerprint: str) -> Scorecard:
    """
    Load archived point rules.

    Args:
        kept: as written by `keep_rules`.
        fingerprint: of the rules that are expected.

    Raises:
        ModelError: these are not they, to the last bit.
    """
    try:
        text = _checked(kept.decode("utf-8"))
        card = _card(fields(loads(text), "rules", _FIELDS))
    except (UnicodeDecodeError, ValidationError, FeatureError):
        message = "the archived point rules cannot be read: restore the store from a backup."
        raise BundleError(message) from None
    if card.id.fingerprint != fingerprint:
        message = "the archive holds other point rules: restore the store from a backup."
        raise BundleError(message)
    return card


def _checked(kept: str) -> str:
    given = fields(loads(kept), "archived rules", ("sha256", "card"))
    text = given["card"]
    if not isinstance(text, str) or _hash(text) != given["sha256"]:
        raise StructureError(where="archived rules", found="another hash", expected="the one they were archived with")
    return text


def _card(given: dict[str, Any]) -> Scorecard:
    rules, catalog = ScorecardRules.model_validate(given["rules"]), Catalog.from_json(given["catalog"])
    columns = tuple(integers(used, "columns") for used in given["columns"])
    calibration = None if given["calibration"] is None else Platt.from_json(given["calibration"])
    Bands.from_json(given["bands"])  # only checks: its floats would change the fingerprint
    return Scorecard(rules, catalog, columns, Bands(**given["bands"]), calibration)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
