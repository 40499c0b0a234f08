"""Sources: what a feature is read from, in the words of the playbook's ``never_use``."""

from collections.abc import Iterable

from features.feature import Feature
from features.reducers import AttributeValue
from training.gates.gate import named


def source(feature: Feature) -> str | None:
    """
    Give the attribute or the kind of activity that a feature is read from; None for the lead's age and any kind.

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
    Say how to get rid of features.

    >>> from features.reducers import Count, LeadAge
    >>> remedy([Feature("lunch_7d", Count("lunch", days=7), 0, ""), Feature("lunch_1d", Count("lunch", days=1), 0, "")])
    'put lunch on never_use'
    >>> remedy([Feature("lead_age", LeadAge(), None, "")])
    'name lead_age under features.drop'
    """
    told = list(features)
    found = list(dict.fromkeys(name for one in told if (name := source(one)) is not None))
    if found:
        return f"put {named(found)} on never_use"
    return f"name {named(one.name for one in told)} under features.drop"
