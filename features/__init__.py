"""What we know about a lead at one instant."""

from features.catalog import Catalog
from features.errors import CatalogError, FeatureError, LiveQueryError
from features.feature import Feature

__all__ = ["Catalog", "CatalogError", "Feature", "FeatureError", "LiveQueryError"]
