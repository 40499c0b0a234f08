"""How features become a score and its reasons."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.bands import Bands
    from models.calibration import Platt
    from models.errors import BundleError, ModelError, StructureError
    from models.receipt import Reason, Receipt, ScorerId, changes
    from models.scorer import ScoreArrays, Scorer

_MODULES = {
    "bands": ("Bands",),
    "calibration": ("Platt",),
    "errors": (
        "BundleError",
        "ModelError",
        "StructureError",
    ),
    "receipt": (
        "Reason",
        "Receipt",
        "ScorerId",
        "changes",
    ),
    "scorer": (
        "ScoreArrays",
        "Scorer",
    ),
}

__all__ = [
    "Bands",
    "BundleError",
    "ModelError",
    "Platt",
    "Reason",
    "Receipt",
    "ScoreArrays",
    "Scorer",
    "ScorerId",
    "StructureError",
    "changes",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: a verb that only reads needs few of them."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"models.{module}"), name)
    message = f"module 'models' has no attribute {name!r}"
    raise AttributeError(message)
