"""Feature labels: features and reasons in the playbook's words, for plots and tables."""

from data.playbook import Business
from features.feature import Feature
from features.reducers import (
    AttributeValue,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    DecayedCount,
    Distinct,
    HourOfLast,
    LeadAge,
    Mean,
    Sum,
    Trend,
    WeekdayOfLast,
)


def feature_label(feature: Feature, business: Business) -> str:
    """
    Describe in a few words what a feature counts.

    Args:
        feature: of a catalog derived from the playbook.
        business: the playbook's words.
    """
    subject = _subject(feature, business)
    match feature.reduce:
        case Count(days=days):
            return subject if days is None else f"{subject}, {_days(days)}"
        case DaysSinceLast():
            return f"days since last of {subject}"
        case DaysSinceFirst():
            return f"days since first of {subject}"
        case DecayedCount(half_life_days=half_life):
            return f"{subject}, halved every {_days(half_life)}"
        case Distinct():
            return f"different subjects of {subject}"
        case Sum() | Mean():
            return f"{type(feature.reduce).__name__.lower()} of {subject}"
        case Trend():
            return f"trend of {subject}"
        case HourOfLast():
            return "hour of last activity"
        case WeekdayOfLast():
            return "weekday of last activity"
        case AttributeValue() | LeadAge():
            return subject


def _days(days: float) -> str:
    """
    Write a number of days.

    >>> _days(1), _days(7)
    ('1 day', '7 days')
    """
    return "1 day" if days == 1 else f"{days:g} days"


def reason_label(code: str, business: Business) -> str:
    """
    Describe what a reason is about.

    Args:
        code: such as ``activity:page_view/pricing``, ``account:any``, ``attribute:industry`` or ``timing``.
        business: the playbook's words.
    """
    kind, _, rest = code.partition(":")
    if kind == "attribute":
        return _attribute(rest, business)
    if kind in {"activity", "account"}:
        name, _, subject = rest.partition("/")
        words = _activities(None if name == "any" else name, subject or None, business)
        return f"colleagues' {words}" if kind == "account" else words
    return {"lead_age": "age of the lead", "timing": "time of the last activity"}.get(code, code.replace("_", " "))


def _subject(feature: Feature, business: Business) -> str:
    reduce = feature.reduce
    if isinstance(reduce, AttributeValue):
        return _attribute(reduce.name, business)
    if isinstance(reduce, LeadAge):
        return "age of the lead"
    words = _activities(getattr(reduce, "kind", None), getattr(reduce, "subject", None), business)
    return f"colleagues' {words}" if feature.over == "account" else words


def _attribute(name: str, business: Business) -> str:
    known = business.attributes.get(name)
    return (known.label if known is not None else None) or name.replace("_", " ")


def _activities(kind: str | None, subject: str | None, business: Business) -> str:
    if kind is None or kind not in business.activities:
        return "activities" if kind is None else kind.replace("_", " ")
    words = business.activities[kind]
    return (words.subjects.get(subject, words) if subject else words).many
