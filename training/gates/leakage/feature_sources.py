"""Feature sources: the attribute or activity that a feature is read from, as the playbook's ``never_use`` names it."""

from collections.abc import Iterable

from features.feature import Feature
from features.reducers import AttributeReducer, LeadReducer, ShareOfAll
from training.gates.gate import named


def sources(feature: Feature) -> tuple[str, ...]:
    """
    Return the attribute or the kinds of activity that a feature is read from; none for the lead's age and any kind.

    >>> from features.reducers import Count, LeadAge, SequenceCount
    >>> (
    ...     sources(Feature("lunch_7d", Count("lunch", days=7), 0, "had lunch {n}")),
    ...     sources(Feature("lunch_then_call", SequenceCount("call", "lunch", 7), 0, "called {n}")),
    ...     sources(Feature("age", LeadAge(), None, "")),
    ... )
    (('lunch',), ('call', 'lunch'), ())
    """
    if isinstance(feature.reduce, AttributeReducer):
        return (feature.reduce.name,)
    kinds = (getattr(feature.reduce, "kind", None), getattr(feature.reduce, "after", None))
    return tuple(kind for kind in kinds if kind is not None)


def reads_any_kind(feature: Feature) -> bool:
    """
    Return whether a feature looks at activities of every kind, if only to compare with them.

    >>> from features.reducers import LeadAge
    >>> (
    ...     reads_any_kind(Feature("share", ShareOfAll("call"), None, "{share} calls")),
    ...     reads_any_kind(Feature("age", LeadAge(), None, "")),
    ... )
    (True, False)
    """
    if isinstance(feature.reduce, LeadReducer):
        return False
    return isinstance(feature.reduce, ShareOfAll) or not sources(feature)


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
    names = list(dict.fromkeys(name for feature in listed for name in sources(feature)))
    if names:
        return f"put {named(names)} on never_use"
    return f"name {named(feature.name for feature in listed)} under features.drop"
