"""
What can go wrong with features.

FeatureError
├── CatalogError  a catalog is not one, or names what the data lacks
└── EngineError   the engine that should compute them cannot
"""

from data.errors import LeadscoreError


class FeatureError(LeadscoreError):
    """A feature cannot be computed as it was declared."""


class CatalogError(FeatureError):
    """A catalog is damaged, or names what the data does not have."""


class EngineError(FeatureError):
    """The engine that ``LEADSCORE_ENGINE`` names is none, is not installed, does not answer, or fails."""
