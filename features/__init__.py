"""What we know about a lead at one instant."""

from itertools import chain
from typing import TYPE_CHECKING

from data.lazy_names import lazy_names

if TYPE_CHECKING:
    from features.catalog import Catalog as Catalog
    from features.errors import CatalogError as CatalogError
    from features.errors import EngineError as EngineError
    from features.errors import FeatureError as FeatureError
    from features.feature import Feature as Feature

_HOMES = {
    "catalog": ("Catalog",),
    "errors": ("CatalogError", "EngineError", "FeatureError"),
    "feature": ("Feature",),
}

__all__ = list(chain.from_iterable(_HOMES.values()))
__getattr__ = lazy_names(__name__, _HOMES)
