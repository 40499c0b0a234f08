"""Wording: why a learned rule gives points, in the playbook's own words."""

from collections.abc import Sequence

from data.playbook import Business
from features.derivation import attribute_feature


def activity_words(
    business: Business, kind: str, subject: str | None, *, within_days: float | None, half_life_days: float | None
) -> str:
    """Say what the lead did, and when: "asked for a demo in the last 30 days", "opened the pricing page lately"."""
    words = business.activities[kind]
    known = words.subjects.get(subject) if subject is not None else None
    did = words.did if subject is None else known.did if known is not None else f"{words.did} ({subject})"
    if half_life_days is not None:
        return f"{did} lately"
    if within_days is None:
        return did
    return f"{did} in the last day" if within_days == 1 else f"{did} in the last {number(within_days)} days"


def values_words(business: Business, attribute: str, values: Sequence[str]) -> str:
    """Say that an attribute is one of these values: "company in finance, retail or the public sector"."""
    words = business.attributes[attribute]
    *most, last = [words.words.get(value, value) for value in values]
    return words.says.replace("{value}", f"{', '.join(most)} or {last}" if most else last)


def truth_words(business: Business, attribute: str, *, true: bool) -> str:
    """Say that a boolean attribute holds, or that it does not."""
    return attribute_feature(attribute, business.attributes[attribute]).worded(float(true))


def range_words(
    business: Business, attribute: str, *, at_least: float | None = None, below: float | None = None
) -> str:
    """Say in which range a number lies: "company of 200 or more employees"."""
    if at_least is None:
        said = f"less than {number(below or 0)}"
    elif below is None:
        said = f"{number(at_least)} or more"
    else:
        said = f"{number(at_least)} to {number(below)}"
    return business.attributes[attribute].says.replace("{value}", said)


def silence_words(days: float) -> str:
    """Say for how long nothing has been heard of the lead."""
    return f"has been quiet for {number(days)} days"


def number(value: float) -> str:
    """
    Write a number as people do.

    >>> number(40000.0), number(2.5)
    ('40,000', '2.5')
    """
    return f"{value:,.10g}"
