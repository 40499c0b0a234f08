"""Features and reasons in a few of the playbook's words, for plots and messages."""

from data.words.playbook import Business
from features.feature import Feature
from features.reducer_words import change_words, reducer_words
from features.reducers import AttributeChanges, AttributeValue, DaysSinceChange, LeadAge, Over, PreviousValue
from features.topics import Topic

_LEAD_AGE = "age of the lead"


def feature_label(feature: Feature, business: Business) -> str:
    """
    Return what a feature counts, in a few words.

    Args:
        feature: of a catalog derived from the playbook.
        business: knows the words.
    """
    reduce = feature.reduce
    match reduce:
        case AttributeValue(name=name):
            return business.label_of(name)
        case AttributeChanges(name=name) | DaysSinceChange(name=name) | PreviousValue(name=name):
            return change_words(reduce, business.label_of(name)).caption
        case LeadAge():
            return _LEAD_AGE
        case _:
            return reducer_words(reduce, Topic.of_reducer(reduce, business, over=feature.over)).caption


def reason_label(code: str, business: Business) -> str:
    """
    Return what a reason is about, in a few words.

    Args:
        code: such as ``activity:page_view/pricing``, ``account:any``, ``attribute:industry`` or ``timing``.
        business: knows the words.
    """
    about, _, name = code.partition(":")
    match about:
        case "attribute":
            return business.label_of(name)
        case "activity" | "account":
            kind, _, subject = name.partition("/")
            over: Over = "account" if about == "account" else "lead"
            return Topic.of(None if kind == "any" else kind, subject or None, business, over=over).about
        case _:
            return {"lead_age": _LEAD_AGE, "timing": "time of the last activity"}.get(code, code.replace("_", " "))
