"""Wording: why a learned rule gives points, in the playbook's own words."""

from collections.abc import Sequence

from data.words.playbook import Business
from features.attribute_features import attribute_feature


def activity_words(
    business: Business, kind: str, subject: str | None, *, within_days: float | None, half_life_days: float | None
) -> str:
    """Describe what the lead did and when: "asked for a demo in the last 30 days", "opened the pricing page lately"."""
    words = business.activities[kind]
    known = words.subjects.get(subject) if subject is not None else None
    did = words.did if subject is None else known.did if known is not None else f"{words.did} ({subject})"
    if half_life_days is not None:
        return f"{did} lately"
    if within_days is None:
        return did
    return f"{did} in the last day" if within_days == 1 else f"{did} in the last {number(within_days)} days"


def values_words(business: Business, attribute: str, values: Sequence[str]) -> str:
    """Describe an attribute with one of these values: "company in finance, retail or the public sector"."""
    words = business.attributes[attribute]
    *most, last = [words.words.get(value, value) for value in values]
    return words.says.replace("{value}", f"{', '.join(most)} or {last}" if most else last)


def truth_words(business: Business, attribute: str, *, true: bool) -> str:
    """Describe a boolean attribute that is true, or false."""
    return attribute_feature(attribute, business.attributes[attribute]).worded(float(true))


def range_words(
    business: Business, attribute: str, *, at_least: float | None = None, below: float | None = None
) -> str:
    """Describe a number in a range: "company of 200 or more employees"."""
    if at_least is None:
        limits = f"less than {number(below or 0)}"
    elif below is None:
        limits = f"{number(at_least)} or more"
    else:
        limits = f"{number(at_least)} to {number(below)}"
    return business.attributes[attribute].says.replace("{value}", limits)


def silence_words(days: float) -> str:
    """Describe for how long there has been no activity of the lead."""
    return f"has been quiet for {number(days)} days"


def number(value: float) -> str:
    """
    Write a number with separators and without needless decimals.

    >>> number(40000.0), number(2.5)
    ('40,000', '2.5')
    """
    return f"{value:,.10g}"
