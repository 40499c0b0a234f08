"""The consistency of a playbook: every name known, every condition possible, every phrase complete."""

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from data.contract import RESERVED, AttributeType
from data.words.added_features import AddedChange, AddedFeature, AddedKind, AddedSingleValue, AddedValue
from data.words.business import Business, LeadAttribute
from data.words.located_yaml import Mistake, YamlFile, nearest
from data.words.machine_consistency import machine_mistakes
from data.words.money_consistency import money_mistakes
from data.words.point_rules import ActivityRule, AttributeRule, ScorecardRules
from data.words.row_words import Scalar
from data.words.sources import (
    ActivitySource,
    EventLogSource,
    Ignored,
    LeadChangeSource,
    LeadSource,
    OutcomeSource,
    Source,
    StoreSource,
    listed_words,
)

_PLACES = {"n", "lately", "debut", "ago", "days", "x", "share", "hour", "weekday"}
_PLACE = re.compile(r"\{([^}]*)\}")
_KINDS_OF_VALUE: dict[AttributeType, tuple[str, tuple[type, ...]]] = {
    AttributeType.NUMERIC: ("a number", (int, float)),
    AttributeType.CATEGORY: ("text", (str,)),
    AttributeType.BOOLEAN: ("true or false", (bool,)),
}


def _unfit_segments(business: Business, file: YamlFile) -> Iterator[Mistake]:
    named = [(("segments", index), name) for index, name in enumerate(business.segments)]
    yield from _unknown(file, business.attributes, named, "attribute")
    for place, name in named:
        attribute = business.attributes.get(name)
        if attribute is not None and attribute.type is AttributeType.NUMERIC:
            yield file.mistake(place, f"{name} is numeric; segments need a category or a boolean.")
        if name in business.never_use:
            yield file.mistake(
                place, f"{name} is on never_use; choose an attribute that is known when a lead is scored."
            )


def contradictions(business: Business, file: YamlFile) -> Iterator[Mistake]:
    """Yield the contradictions of a playbook."""
    yield from _unknown(file, business.stages, [(("goal", "stage"), business.goal.stage)], "stage")
    if business.goal.amount_from is not None:
        yield from _unknown(file, business.stages, [(("goal", "amount_from"), business.goal.amount_from)], "stage")
    yield from _unfit_segments(business, file)
    yield from _lifecycle_mistakes(business, file)
    usable = {*business.activities, *business.attributes}
    denied = [(("never_use", index), name) for index, name in enumerate(business.never_use)]
    yield from _unknown(file, usable, denied, "activity or attribute")
    for name in sorted(RESERVED & business.attributes.keys()):
        yield file.mistake(("attributes", name), "this name is reserved; choose another name for the attribute.")
    for name, attribute in business.attributes.items():
        yield from _speechless(attribute, file, ("attributes", name))
    for index, feature in enumerate(business.features.add):
        yield from _feature_mistakes(business, feature, file=file, here=("features", "add", index))
    yield from _direction_mistakes(business, file)
    yield from machine_mistakes(business, file)
    yield from money_mistakes(business, file)
    for index, source in enumerate(business.sources):
        yield from _source_mistakes(business, source, index=index, file=file)
    if not any(source.holds in {"leads", "event_log", "store"} for source in business.sources):
        yield file.mistake(("sources",), "no source holds leads, an event_log or the store; add one of them.")
    for index in [index for index, source in enumerate(business.sources) if isinstance(source, StoreSource)][1:]:
        yield file.mistake(("sources", index), "a playbook reads only one store; remove this one.")


def _lifecycle_mistakes(business: Business, file: YamlFile) -> Iterator[Mistake]:
    """Yield stages and kinds that cannot close a lead, close it for good, or open it again."""
    closed = [(("closed_by", index), stage) for index, stage in enumerate(business.closed_by)]
    yield from _unknown(file, business.stages, closed, "stage")
    final = [(("final", index), stage) for index, stage in enumerate(business.final or ())]
    yield from _unknown(file, business.stages, final, "stage")
    for place, stage in final:
        if stage in business.stages and stage not in business.closing_stages:
            yield file.mistake(place, f"{stage} does not close a lead; add it to closed_by, or remove it here.")
    opening = [(("reopened_by", index), kind) for index, kind in enumerate(business.reopened_by or ())]
    yield from _unknown(file, business.activities, opening, "activity")
    by_intent = [(("activities", name, "intent"), name) for name, kind in business.activities.items() if kind.intent]
    for where, name in (*opening, *by_intent):
        if name in business.never_use:
            yield file.mistake(where, f"{name} is on never_use, so it opens no lead again; remove one of the two.")
    if business.reopened_by and business.closing_stages == business.final_stages:
        message = "every stage that closes a lead is final, so nothing opens one again; take a stage off final."
        yield file.mistake(("reopened_by",), message)


def _speechless(attribute: LeadAttribute, file: YamlFile, here: tuple[Hashable, ...]) -> Iterator[Mistake]:
    if attribute.type is not AttributeType.BOOLEAN and "{value}" not in attribute.says:
        yield file.mistake((*here, "says"), "the words lack {value}, which stands for the attribute's value; add it.")
    if attribute.values is not None:
        words = [((*here, "words", value), value) for value in attribute.words]
        yield from _unknown(file, attribute.values, words, "value")


def _feature_mistakes(
    business: Business, feature: AddedFeature, *, file: YamlFile, here: tuple[Hashable, ...]
) -> Iterator[Mistake]:
    for key, about in (("activity", "subject"), ("after", "after_subject")):
        activity, subject = getattr(feature, key, None), getattr(feature, about, None)
        if activity is None:
            continue
        yield from _unknown(file, business.activities, [((*here, key), activity)], "activity")
        yield from _subject_mistakes(business, activity, subject, file=file, where=(*here, about))
        if activity in business.never_use:
            yield file.mistake((*here, key), f"{activity} is on never_use; remove one of the two.")
    if isinstance(feature, AddedChange):
        yield from _unknown(file, business.attributes, [((*here, "attribute"), feature.attribute)], "attribute")
        if feature.attribute in business.never_use:
            yield file.mistake((*here, "attribute"), f"{feature.attribute} is on never_use; remove one of the two.")
    if isinstance(feature, AddedValue | AddedSingleValue):
        kind = business.activities.get(feature.activity)
        if kind is not None and kind.value is None:
            yield file.mistake((*here, "activity"), f"{feature.activity} carries no value to {feature.reduce}.")
    is_value = isinstance(feature, AddedKind) or feature.reduce == "previous_value"
    places = {"value"} if is_value else _PLACES
    for place in _PLACE.findall(feature.says or ""):
        if place not in places:
            yield file.mistake((*here, "says"), f"unknown placeholder {{{place}}}; {nearest(place, places)}")


def _direction_mistakes(business: Business, file: YamlFile) -> Iterator[Mistake]:
    """Yield names that a score cannot be made to rise or to fall with."""
    for key, names in (("rises_with", business.features.rises_with), ("falls_with", business.features.falls_with)):
        for index, name in enumerate(names):
            yield from _undirected(business, name, file=file, here=("features", key, index))
    for index, name in enumerate(business.features.falls_with):
        if name in business.features.rises_with:
            yield file.mistake(("features", "falls_with", index), f"{name} is also in rises_with; keep one of the two.")


def _undirected(business: Business, name: str, *, file: YamlFile, here: tuple[Hashable, ...]) -> Iterator[Mistake]:
    about, slash, subject = name.partition("/")
    attribute = business.attributes.get(about)
    usable = business.activities if slash else {**business.activities, **business.attributes}
    yield from _unknown(file, usable, [(here, about)], "activity" if slash else "activity or attribute")
    if slash and not subject:
        yield file.mistake(here, f"{name} lacks the subject after the slash; add one, or remove the slash.")
    elif slash:
        yield from _subject_mistakes(business, about, subject, file=file, where=here)
    elif attribute is not None and attribute.type is AttributeType.CATEGORY:
        yield file.mistake(
            here, f"{name} is a category, whose values have no order; expected a numeric or boolean attribute."
        )
    if about in business.never_use:
        yield file.mistake(here, f"{about} is on never_use, so no score depends on it; remove it here.")


def _subject_mistakes(
    business: Business, activity: str, subject: str | None, *, file: YamlFile, where: tuple[Hashable, ...]
) -> Iterator[Mistake]:
    kind = business.activities.get(activity)
    if subject is None or kind is None:
        return
    if not kind.carries_subject:
        yield file.mistake(where, f"{activity} carries no subject; remove it, or set subject: true for the activity.")
    elif not kind.subject:
        yield from _unknown(file, kind.subjects, [(where, subject)], "subject")


def _source_mistakes(business: Business, source: Source, *, index: int, file: YamlFile) -> Iterator[Mistake]:
    here = ("sources", index)
    if source.holds in {"leads", "event_log"}:
        mapped = [((*here, "attributes", name), name) for name in source.attributes or {}]
        yield from _unknown(file, business.attributes, mapped, "attribute")
    if source.holds == "activities" and source.kind is not None:
        yield from _unknown(file, business.activities, [((*here, "kind"), source.kind)], "activity")
    if source.holds == "outcomes" and source.stage is not None:
        yield from _unknown(file, business.stages, [((*here, "stage"), source.stage)], "stage")
    if source.holds in {"activities", "event_log"}:
        kinds = [((*here, "kinds", word), kind) for word, kind in (source.kinds or {}).items()]
        yield from _unknown(file, business.activities, kinds, "activity")
    if isinstance(source, ActivitySource):
        yield from _ignored_too("kinds", source.kinds, source.ignore, file=file, here=here)
    if isinstance(source, LeadChangeSource):
        meant = [((*here, "attributes", word), name) for word, name in (source.attributes or {}).items()]
        yield from _unknown(file, business.attributes, meant, "attribute")
        yield from _ignored_too("attributes", source.attributes, source.ignore, file=file, here=here)
    if isinstance(source, LeadSource) and source.snapshot_date is not None and source.columns.known_at is not None:
        message = (
            "a row of a full dump is known at the end of the dump's day, so columns.known_at cannot hold too;"
            " remove one of the two."
        )
        yield file.mistake((*here, "snapshot_date"), message)
    key, stages = _stages_of(source)
    named = [((*here, key, word), stage) for word, stage in stages.items()]
    yield from _unknown(file, business.stages, named, "stage")


def _ignored_too(
    key: str, mapped: Mapping[str, str] | None, ignore: Ignored, *, file: YamlFile, here: tuple[Hashable, ...]
) -> Iterator[Mistake]:
    """Yield the words of an export that a source both maps and ignores."""
    for word in sorted(set(mapped or {}) & set(listed_words(ignore))):
        yield file.mistake((*here, "ignore"), f"{word} is in {key} and in ignore; keep one.")


def _stages_of(source: Source) -> tuple[str, Mapping[Any, str]]:
    """Return the key under which a source lists stages, and the export's words for them."""
    match source:
        case EventLogSource():
            return "outcomes", source.outcomes
        case OutcomeSource():
            return "stages", source.stages or {}
        case LeadSource():
            return "outcome", source.outcome.stages if source.outcome else {}
        case ActivitySource() | LeadChangeSource() | StoreSource():
            return "", {}


def rule_contradictions(business: Business, scorecard: ScorecardRules, file: YamlFile) -> Iterator[Mistake]:
    """Yield rules that can never apply or that look at what must not be used."""
    for index, rule in enumerate(scorecard.rules):
        if isinstance(rule, ActivityRule):
            where = ("rules", index, "subject")
            yield from _subject_mistakes(business, rule.activity, rule.subject, file=file, where=where)
        for key, known in (("activity", business.activities), ("attribute", business.attributes)):
            named = getattr(rule, key, None)
            if named is not None:
                yield from _unknown(file, known, [(("rules", index, key), named)], key)
            if named in business.never_use:
                message = f"{named} is on the playbook's never_use; remove the rule or take {named} off that list."
                yield file.mistake(("rules", index, key), message)
        if isinstance(rule, AttributeRule) and rule.attribute in business.attributes:
            yield from _condition_mistakes(business.attributes[rule.attribute], rule, index=index, file=file)


def _condition_mistakes(
    attribute: LeadAttribute, rule: AttributeRule, *, index: int, file: YamlFile
) -> Iterator[Mistake]:
    ranged = rule.at_least is not None or rule.below is not None
    if ranged and attribute.type is not AttributeType.NUMERIC:
        message = (
            f"at_least / below need a numeric attribute, {rule.attribute} is {attribute.type.value}; use in or is."
        )
        yield file.mistake(("rules", index, "attribute"), message)
    named = [("is", rule.equals)] if rule.equals is not None else [("in", value) for value in rule.among or ()]
    for key, value in named:
        yield from _value_mistakes(attribute, value, file=file, where=("rules", index, key))


def _value_mistakes(
    attribute: LeadAttribute, value: Scalar, *, file: YamlFile, where: tuple[Hashable, ...]
) -> Iterator[Mistake]:
    expected, types = _KINDS_OF_VALUE[attribute.type]
    boolean = isinstance(value, bool)
    if not isinstance(value, types) or boolean != (attribute.type is AttributeType.BOOLEAN):
        yield file.mistake(
            where, f"{value!r} is never the value of a {attribute.type.value} attribute; expected {expected}."
        )
    elif attribute.values is not None and str(value) not in attribute.values:
        yield file.mistake(where, f"unknown value {value}; {nearest(str(value), attribute.values)}")


def _unknown(
    file: YamlFile, known: Iterable[str], named: Sequence[tuple[Sequence[Hashable], str]], what: str
) -> Iterator[Mistake]:
    names = set(known)
    for where, name in named:
        if name not in names:
            yield file.mistake(where, f"unknown {what} {name}; {nearest(name, names)}")
