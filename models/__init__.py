"""How features become a score and its reasons."""

from itertools import chain
from typing import TYPE_CHECKING

from data.lazy_names import lazy_names

if TYPE_CHECKING:
    from models.bands import Bands as Bands
    from models.calibration import Platt as Platt
    from models.errors import BundleError as BundleError
    from models.errors import ModelError as ModelError
    from models.errors import StructureError as StructureError
    from models.receipt import Reason as Reason
    from models.receipt import Receipt as Receipt
    from models.receipt import ScorerId as ScorerId
    from models.receipt import changes as changes
    from models.scorer import ScoreArrays as ScoreArrays
    from models.scorer import Scorer as Scorer

_HOMES = {
    "bands": ("Bands",),
    "calibration": ("Platt",),
    "errors": ("BundleError", "ModelError", "StructureError"),
    "receipt": ("Reason", "Receipt", "ScorerId", "changes"),
    "scorer": ("ScoreArrays", "Scorer"),
}

__all__ = list(chain.from_iterable(_HOMES.values()))
__getattr__ = lazy_names(__name__, _HOMES)
