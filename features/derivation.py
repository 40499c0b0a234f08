"""From a playbook and what its data shows to a sensible catalog."""

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace

from data.words.added_features import AddedChange, AddedFeature, AddedKind
from data.words.playbook import Business
from features.attribute_features import added_change, attribute_feature, change_features
from features.catalog import Catalog
from features.errors import CatalogError
from features.feature import Feature
from features.reducer_words import reducer_words
from features.reducers import (
    NAMES,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    DecayedCount,
    Distinct,
    KindOfLast,
    LeadAge,
    LocalHourOfLast,
    LocalWeekdayOfLast,
    Mean,
    Reducer,
    Sum,
    Trend,
)
from features.topics import Topic, slug, span

_AGE = "lead_age"
_RECENT_DAYS = 30


@dataclass(frozen=True, slots=True)
class DataProfile:
    """
    What the data shows.

    Attributes:
        kinds: kind → leads that have such activities.
        subjects: kind and subject → leads that have such activities.
        free_subjects: kinds whose rows carry subjects.
        values: kinds whose rows carry values.
        attributes: attributes that some lead has.
        changes: attribute → leads in which it changed.
        peers: whether any account has several leads.
    """

    kinds: dict[str, int] = field(default_factory=dict)
    subjects: dict[tuple[str, str], int] = field(default_factory=dict)
    free_subjects: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    changes: dict[str, int] = field(default_factory=dict)
    peers: bool = False


def derive_catalog(business: Business, profile: DataProfile, *, fewest_leads: int = 20) -> Catalog:
    """
    Derive the features of a playbook, without those that the data never shows.

    Args:
        business: its kinds and attributes but not what is on ``never_use``; ``features`` adds and drops.
        profile: what the data shows.
        fewest_leads: a kind or subject that fewer leads have makes no features.

    Raises:
        CatalogError: nothing is left.
    """
    derived = {feature.name: feature for feature in _all(business, profile, fewest_leads)}
    wanted = derived | {added.name: _added_feature(added, business) for added in business.features.add}
    dropped = business.features.drop
    kept = [
        feature for feature in wanted.values() if not any(fnmatch.fnmatch(feature.name, pattern) for pattern in dropped)
    ]
    if not kept:
        message = "no feature is left: the data shows too few activities and attributes, or features.drop removes all."
        raise CatalogError(message)
    never_use = tuple(kind for kind in business.never_use if kind in business.activities)
    return Catalog(tuple(kept), never_use, business.features.most_colleagues)


def _all(business: Business, profile: DataProfile, fewest: int) -> Iterator[Feature]:
    for name, attribute in business.attributes.items():
        if name in profile.attributes and name not in business.never_use:
            yield attribute_feature(name, attribute)
            if profile.changes.get(name, 0) >= fewest:
                yield from change_features(name, attribute)
    yield Feature("lead_age", LeadAge(), None, "has been a lead for {days}", "age unknown", _AGE)
    yield from _counts(Topic.of(None, None, business), business)
    yield from _timing(business)
    yield from _last_kinds(business, profile, fewest)
    for topic in _topics(business, profile, fewest):
        yield from _counts(topic, business)
        yield from _of_rows(topic, business, profile)
    if business.features.account and profile.peers:
        yield from _of_account(business, profile, fewest)


def _topics(business: Business, profile: DataProfile, fewest: int) -> Iterator[Topic]:
    for kind, words in business.activities.items():
        if kind in business.never_use or profile.kinds.get(kind, 0) < fewest:
            continue
        yield Topic.of(kind, None, business)
        for subject in words.subjects:
            if profile.subjects.get((kind, subject), 0) >= fewest:
                yield Topic.of(kind, subject, business)


def _counts(topic: Topic, business: Business) -> Iterator[Feature]:
    kind, subject = topic.kind, topic.subject
    windows = sorted(set(business.features.windows_days))
    for days in windows:
        yield _count(topic, days)
    yield _feature(topic, "days_since_last", DaysSinceLast(kind, subject))
    if subject is None:
        first = _feature(topic, "days_since_first", DaysSinceFirst(kind))
        # When it was first active is nearly when it was created: one reason for both, or the two argue with each other.
        yield replace(first, group=_AGE) if kind is None and topic.over == "lead" else first
    for half_life in sorted(set(business.features.half_lives_days)):
        decayed = DecayedCount(kind, half_life, subject)
        yield _feature(topic, f"decayed_{slug(half_life)}d", decayed, adds=f" when halved every {span(half_life)}")
    if len(windows) > 1:
        short, long = (windows[-3], windows[-1]) if len(windows) > 2 else windows  # noqa: PLR2004 - three windows
        says = f"{{share}} of the {topic.words.many} of {span(long)} in the last {span(short)}"
        yield _feature(topic, "trend", Trend(kind, short, long, subject), says=says, none_in=long)


def _count(topic: Topic, days: float) -> Feature:
    return _feature(
        topic, f"{slug(days)}d", Count(topic.kind, topic.subject, days), adds=f" in {span(days)}", none_in=days
    )


def _of_rows(topic: Topic, business: Business, profile: DataProfile) -> Iterator[Feature]:
    """Yield the features of the subject and the value that rows of this kind carry."""
    if topic.kind is None or topic.subject is not None:
        return
    if topic.kind in profile.free_subjects:
        distinct = Distinct(topic.kind, _RECENT_DAYS)
        yield _feature(topic, "subjects_30d", distinct, adds=f" in {span(_RECENT_DAYS)}", none_in=_RECENT_DAYS)
    unit, many = business.activities[topic.kind].value, topic.words.many
    if unit is not None and topic.kind in profile.values:
        says = f"{{x}} {unit} of {many} in {span(_RECENT_DAYS)}"
        yield _feature(topic, "sum_30d", Sum(topic.kind, None, _RECENT_DAYS), says=says, none_in=_RECENT_DAYS)
        yield _feature(topic, "mean", Mean(topic.kind), says=f"{many} of {{x}} {unit} on average")


def _timing(business: Business) -> Iterator[Feature]:
    topic, zone = Topic.of(None, None, business), business.timezone
    for name, reduce in (
        ("hour_of_last", LocalHourOfLast(None, zone)),
        ("weekday_of_last", LocalWeekdayOfLast(None, zone)),
    ):
        yield Feature(name, reduce, None, reducer_words(reduce, topic).phrase, topic.never, "timing")


def _last_kinds(business: Business, profile: DataProfile, fewest: int) -> Iterator[Feature]:
    """Yield which kind of activity came last, and which before it."""
    topics = list(_topics(business, profile, fewest))
    topic, kinds = Topic.of(None, None, business), tuple(each.kind for each in topics if each.kind and not each.subject)
    for nth in (1, 2) if len(kinds) > 1 else ():
        last = KindOfLast(kinds, nth)
        feature = _feature(topic, "", last)
        yield replace(feature, name=f"kind_of_last_{nth}", words=_kind_words(last, business))


def _of_account(business: Business, profile: DataProfile, fewest: int) -> Iterator[Feature]:
    everyone = Topic.of(None, None, business, over="account")
    for days in sorted(set(business.features.windows_days)):
        yield _count(everyone, days)
    yield _feature(everyone, "days_since_last", DaysSinceLast(None))
    for topic in _topics(business, profile, fewest):
        yield _count(Topic.of(topic.kind, topic.subject, business, over="account"), _RECENT_DAYS)


def _feature(
    topic: Topic,
    suffix: str,
    reduce: Reducer,
    *,
    says: str | None = None,
    adds: str = "",
    none_in: float | None = None,
) -> Feature:
    """
    Return a feature of a topic.

    Args:
        topic: what it is about.
        suffix: the end of its name.
        reduce: how the number comes about.
        says: its words; default: the reducer's.
        adds: what follows the words.
        none_in: the window of which it says that nothing happened; default: ever.
    """
    words = reducer_words(reduce, topic)
    return Feature(
        name=f"{topic.name}_{suffix}",
        reduce=reduce,
        missing=words.missing,
        says=(says or words.phrase) + adds,
        says_none=words.nothing or (topic.never if none_in is None else topic.none_in(none_in)),
        group=topic.code,
        over=topic.over,
    )


def _added_feature(added: AddedFeature, business: Business) -> Feature:
    if isinstance(added, AddedChange):
        return added_change(added, business.attributes[added.attribute])
    reduce = _reducer(added, business)
    topic = Topic.of_reducer(reduce, business, over=added.over)
    days = None if isinstance(reduce, Trend) else getattr(reduce, "days", None)
    adds = "" if added.says or days is None else f" in {span(days)}"
    feature = _feature(topic, "", reduce, says=added.says, adds=adds, none_in=days)
    return replace(feature, name=added.name, words=_kind_words(reduce, business))


def _kind_words(reduce: Reducer, business: Business) -> tuple[tuple[str, str], ...]:
    """Return how to say each of the kinds between which a reducer tells."""
    kinds = sorted(reduce.kinds) if isinstance(reduce, KindOfLast) else []
    named = [(name, *name.partition("/")[::2]) for name in kinds]
    return tuple((name, Topic.of(kind, subject or None, business).words.one) for name, kind, subject in named)


def _reducer(added: AddedFeature, business: Business) -> Reducer:
    """Return the reducer that a playbook names: the same fields, but for what the playbook itself says."""
    if isinstance(added, AddedKind):
        return KindOfLast(_usable_kinds(business, subjects=added.subjects), added.nth)
    reducer = NAMES[added.reduce]
    wished = added.model_dump()
    values = {"kind": wished.get("activity"), "zone": business.timezone, **wished}
    return reducer(**{part.name: values[part.name] for part in fields(reducer) if part.name in values})


def _usable_kinds(business: Business, *, subjects: bool) -> tuple[str, ...]:
    """Return the kinds that features may look at, and those of their subjects that have words of their own."""
    usable = {kind: words for kind, words in business.activities.items() if kind not in business.never_use}
    about = [f"{kind}/{subject}" for kind, words in usable.items() for subject in words.subjects] if subjects else []
    return (*usable, *about)
