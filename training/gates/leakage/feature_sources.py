"""Feature sources: the attribute or activity that a feature is read from, as the playbook's ``never_use`` names it."""

from collections.abc import Iterable

from features.feature import Feature
from features.reducers import AttributeValue
from training.gates.gate import named


def source(feature: Feature) -> str | None:
    """
    Return the attribute or the kind of activity that a feature is read from; None for the lead's age and any kind.

    >>> from features.reducers import Count, LeadAge
    >>> (
    ...     source(Feature("lunch_7d", Count("lunch", days=7), 0, "had lunch {n}")),
    ...     source(Feature("age", LeadAge(), None, "")),
    ... )
    ('lunch', None)
    """
    if isinstance(feature.reduce, AttributeValue):
        return feature.reduce.name
    return getattr(feature.reduce, "kind", None)


def remedy(features: Iterable[Feature]) -> str:
    """
    Describe how to remove features.

    >>> from features.reducers import Count, LeadAge
    >>> remedy([Feature("lunch_7d", Count("lunch", days=7), 0, ""), Feature("lunch_1d", Count("lunch", days=1), 0, "")])
    'put lunch on never_use'
    >>> remedy([Feature("lead_age", LeadAge(), None, "")])
    'name lead_age under features.drop'
    """
    listed = list(features)
    sources = list(dict.fromkeys(name for feature in listed if (name := source(feature)) is not None))
    if sources:
        return f"put {named(sources)} on never_use"
    return f"name {named(feature.name for feature in listed)} under features.drop"
