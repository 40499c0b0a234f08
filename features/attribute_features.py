"""Features of the attributes of a lead, in the words of a playbook."""

from collections.abc import Iterator

from data.contract import AttributeType
from data.words.added_features import AddedChange
from data.words.playbook import LeadAttribute
from features.feature import Feature
from features.reducer_words import change_words
from features.reducers import AttributeChanges, AttributeValue, ChangeReducer, DaysSinceChange, PreviousValue

_CHANGES: dict[str, type[ChangeReducer]] = {
    "attribute_changes": AttributeChanges,
    "days_since_change": DaysSinceChange,
    "previous_value": PreviousValue,
}

_OTHER = "other"
"""The value by which lists of choices end; "works in other" is no sentence."""


def attribute_feature(name: str, attribute: LeadAttribute) -> Feature:
    """Return the feature of one attribute of the lead."""
    other = {_OTHER: f"another {attribute.label_or(name)}"} if attribute.type is AttributeType.CATEGORY else {}
    return Feature(
        name=name,
        reduce=AttributeValue(name, attribute.type),
        missing=None,
        says=attribute.says,
        says_none=f"{attribute.label_or(name)} unknown",
        group=f"attribute:{name}",
        words=tuple(sorted({**other, **_value_words(attribute)}.items())),
    )


def change_features(name: str, attribute: LeadAttribute) -> Iterator[Feature]:
    """Yield the features of how an attribute changed."""
    yield _change_feature(f"{name}_changes", AttributeChanges(name, attribute.type), attribute)
    yield _change_feature(f"{name}_days_since_change", DaysSinceChange(name, attribute.type), attribute)
    yield _change_feature(f"{name}_before", PreviousValue(name, attribute.type), attribute)


def added_change(added: AddedChange, attribute: LeadAttribute) -> Feature:
    """Return a feature that a playbook adds about how an attribute changed."""
    reduce = _CHANGES[added.reduce](added.attribute, attribute.type)
    return _change_feature(added.name, reduce, attribute, says=added.says)


def _change_feature(name: str, reduce: ChangeReducer, attribute: LeadAttribute, *, says: str | None = None) -> Feature:
    """Return a feature of how an attribute of the lead changed; it is part of the attribute's reason."""
    words = change_words(reduce, attribute.label_or(reduce.name))
    phrase, of_values = says or words.phrase, {}
    if isinstance(reduce, PreviousValue):
        of_values = _value_words(attribute)
        if attribute.type is AttributeType.BOOLEAN:
            of_values = {value: phrase.replace("{value}", told) for value, told in of_values.items()}
    return Feature(
        name=name,
        reduce=reduce,
        missing=words.missing,
        says=phrase,
        says_none=words.nothing or "",
        group=f"attribute:{reduce.name}",
        words=tuple(sorted(of_values.items())),
    )


def _value_words(attribute: LeadAttribute) -> dict[str, str]:
    """Return how to say each value of an attribute that has words of its own."""
    if attribute.type is AttributeType.BOOLEAN:
        return {"true": attribute.says, "false": attribute.says_not or f"not {attribute.says}"}
    return dict(attribute.words)
