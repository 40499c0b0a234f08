"""
What can go wrong with features.

FeatureError
└── CatalogError  a catalog is not one, or names what the data lacks
"""

from data.errors import LeadscoreError


class FeatureError(LeadscoreError):
    """A feature cannot be computed as it was declared."""


class CatalogError(FeatureError):
    """A catalog is damaged, or names what the data does not have."""
