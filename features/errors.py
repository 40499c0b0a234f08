"""
What can go wrong with features.

FeatureError
├── CatalogError    a catalog is not one, or names what the data lacks
└── LiveQueryError  a catalog cannot be compiled for an operational database
"""

from data.errors import LeadscoreError


class FeatureError(LeadscoreError):
    """A feature cannot be computed as it was declared."""


class CatalogError(FeatureError):
    """A catalog is damaged, or names what the data does not have."""


class LiveQueryError(FeatureError):
    """A catalog cannot be compiled for this operational database."""
