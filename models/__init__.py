"""How features become a score and its reasons."""

from models.bands import Bands
from models.calibration import Platt
from models.errors import BundleError, ModelError, StructureError
from models.receipt import Reason, Receipt, ScorerId, changes
from models.scorer import ScoreArrays, Scorer

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
