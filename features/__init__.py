"""What we know about a lead at one instant."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from features.catalog import Catalog
    from features.errors import CatalogError, FeatureError, LiveQueryError
    from features.feature import Feature

_MODULES = {
    "catalog": ("Catalog",),
    "errors": (
        "CatalogError",
        "FeatureError",
        "LiveQueryError",
    ),
    "feature": ("Feature",),
}

__all__ = ["Catalog", "CatalogError", "Feature", "FeatureError", "LiveQueryError"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: a verb that only reads needs none of them."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"features.{module}"), name)
    message = f"module 'features' has no attribute {name!r}"
    raise AttributeError(message)
