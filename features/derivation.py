"""From a playbook and what its data shows to a sensible catalog."""

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass, field

from data.contract import AttributeType
from data.playbook import ActivityKind, ActivityWords, Business, ExtraFeature
from data.playbook import LeadAttribute as AttributeWords
from features.catalog import Catalog
from features.errors import CatalogError
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
    Over,
    Reducer,
    Sum,
    Trend,
    WeekdayOfLast,
)

_ANY = ActivityWords(did="was active", one="activity", many="activities")
_RECENT_DAYS = 30


@dataclass(frozen=True, slots=True)
class DataProfile:
    """What the data shows: how many leads have each kind, kind and subject, value or attribute."""

    kinds: dict[str, int] = field(default_factory=dict)
    subjects: dict[tuple[str, str], int] = field(default_factory=dict)
    free_subjects: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    peers: bool = False


@dataclass(frozen=True, slots=True)
class _Topic:
    """One thing to count: a kind, or a kind with a subject, among a lead's or its colleagues' activities."""

    kind: str | None
    subject: str | None
    words: ActivityWords
    over: Over = "lead"

    @property
    def name(self) -> str:
        parts = ["account" if self.over == "account" else "", self.kind or "any", self.subject or ""]
        return "_".join(_slug(part) for part in parts if part)

    @property
    def code(self) -> str:
        subject = f"/{self.subject}" if self.subject else ""
        return f"{'account' if self.over == 'account' else 'activity'}:{self.kind or 'any'}{subject}"

    @property
    def did(self) -> str:
        plural = self.words.did.replace("was ", "were ", 1) if self.words.did.startswith("was ") else self.words.did
        return f"colleagues {plural}" if self.over == "account" else self.words.did

    def at(self, order: str) -> str:
        """Say "last met us", "was last active", "colleagues last met us" or "colleagues were last active"."""
        who, did = ("colleagues ", self.did.removeprefix("colleagues ")) if self.over == "account" else ("", self.did)
        verb, _, rest = did.partition(" ")
        return f"{who}{verb} {order} {rest}" if verb in {"was", "were"} else f"{who}{order} {did}"

    @property
    def among(self) -> str:
        return " by colleagues" if self.over == "account" else ""

    @property
    def never(self) -> str:
        if self.over == "lead":
            return self.at("never")
        verb, _, rest = self.words.did.partition(" ")
        return f"no colleague was ever {rest}" if verb == "was" else f"no colleague ever {self.words.did}"


def derive(business: Business, seen: DataProfile, *, fewest_leads: int = 20) -> Catalog:
    """
    Derive the features of a playbook, without those that the data never shows.

    Args:
        business: its kinds and attributes but not what is on ``never_use``; ``features`` adds and drops.
        seen: what the data shows.
        fewest_leads: a kind or subject that fewer leads have makes no features.

    Raises:
        CatalogError: the playbook adds a feature that makes no sense, or nothing is left.
    """
    derived = {feature.name: feature for feature in _all(business, seen, fewest_leads)}
    wanted = derived | {extra.name: _extra(extra, business) for extra in business.features.add}
    dropped = business.features.drop
    kept = [one for one in wanted.values() if not any(fnmatch.fnmatch(one.name, pattern) for pattern in dropped)]
    if not kept:
        message = "no feature is left: the data shows too few activities and attributes, or features.drop takes all."
        raise CatalogError(message)
    return Catalog(tuple(kept), tuple(kind for kind in business.never_use if kind in business.activities))


def _all(business: Business, seen: DataProfile, fewest: int) -> Iterator[Feature]:
    for name, attribute in business.attributes.items():
        if name in seen.attributes and name not in business.never_use:
            yield attribute_feature(name, attribute)
    yield Feature("lead_age", LeadAge(), None, "has been a lead for {days}", "age unknown", "lead_age")
    everything = _Topic(None, None, _ANY)
    yield from _counts(everything, business)
    yield from _timing()
    for topic in _topics(business, seen, fewest):
        yield from _counts(topic, business)
        yield from _carried(topic, business, seen)
    if business.features.account and seen.peers:
        yield from _of_account(business, seen, fewest)


def _topics(business: Business, seen: DataProfile, fewest: int) -> Iterator[_Topic]:
    for kind, words in business.activities.items():
        if kind in business.never_use or seen.kinds.get(kind, 0) < fewest:
            continue
        yield _Topic(kind, None, words)
        for subject, subject_words in words.subjects.items():
            if seen.subjects.get((kind, subject), 0) >= fewest:
                yield _Topic(kind, subject, subject_words)


def _counts(topic: _Topic, business: Business) -> Iterator[Feature]:
    kind, subject = topic.kind, topic.subject
    windows = sorted(set(business.features.windows_days))
    for days in windows:
        yield _count(topic, days)
    reduce = DaysSinceLast(kind, subject)
    yield _feature(topic, "days_since_last", reduce, missing=None, says=f"{topic.at('last')} {{ago}}")
    if subject is None:
        first = DaysSinceFirst(kind)
        yield _feature(topic, "days_since_first", first, missing=None, says=f"{topic.at('first')} {{ago}}")
    for half_life in sorted(set(business.features.half_lives_days)):
        decayed = DecayedCount(kind, half_life, subject)
        says = f"{topic.did}, weight {{x}} when halved every {_days(half_life)}"
        yield _feature(topic, f"decayed_{_slug(half_life)}d", decayed, missing=0, says=says)
    if len(windows) > 1:
        short, long = (windows[-3], windows[-1]) if len(windows) > 2 else windows  # noqa: PLR2004 - three windows
        says = f"{{share}} of the {topic.words.many} of {_days(long)} in the last {_days(short)}"
        none = _none_in(topic, long)
        yield _feature(topic, "trend", Trend(kind, short, long, subject), missing=None, says=says, none=none)


def _count(topic: _Topic, days: float) -> Feature:
    says = f"{topic.did} {{n}} in {_days(days)}"
    reduce = Count(topic.kind, topic.subject, days)
    return _feature(topic, f"{_slug(days)}d", reduce, missing=0, says=says, none=_none_in(topic, days))


def _carried(topic: _Topic, business: Business, seen: DataProfile) -> Iterator[Feature]:
    """Give the features of the subject and the value that rows of this kind carry."""
    if topic.kind is None or topic.subject is not None:
        return
    kind: ActivityKind = business.activities[topic.kind]
    if topic.kind in seen.free_subjects:
        says = f"{topic.did}, {{x}} different ones in {_days(_RECENT_DAYS)}"
        reduce = Distinct(topic.kind, _RECENT_DAYS)
        yield _feature(topic, "subjects_30d", reduce, missing=0, says=says, none=_none_in(topic, _RECENT_DAYS))
    if kind.value is not None and topic.kind in seen.values:
        says = f"{{x}} {kind.value} of {topic.words.many} in {_days(_RECENT_DAYS)}"
        none = _none_in(topic, _RECENT_DAYS)
        yield _feature(topic, "sum_30d", Sum(topic.kind, None, _RECENT_DAYS), missing=0, says=says, none=none)
        says = f"{topic.words.many} of {{x}} {kind.value} on average"
        yield _feature(topic, "mean", Mean(topic.kind), missing=None, says=says)


def _timing() -> Iterator[Feature]:
    hour, weekday = HourOfLast(None), WeekdayOfLast(None)
    none = "was never active"
    yield Feature("hour_of_last", hour, None, "was last active at {hour} UTC", none, "timing")
    yield Feature("weekday_of_last", weekday, None, "was last active on a {weekday}", none, "timing")


def _of_account(business: Business, seen: DataProfile, fewest: int) -> Iterator[Feature]:
    everyone = _Topic(None, None, _ANY, "account")
    for days in sorted(set(business.features.windows_days)):
        yield _count(everyone, days)
    says = f"{everyone.at('last')} {{ago}}"
    yield _feature(everyone, "days_since_last", DaysSinceLast(None), missing=None, says=says)
    for topic in _topics(business, seen, fewest):
        yield _count(_Topic(topic.kind, topic.subject, topic.words, "account"), _RECENT_DAYS)


def _feature(
    topic: _Topic,
    suffix: str,
    reduce: Reducer,
    *,
    missing: float | None,
    says: str,
    none: str | None = None,
) -> Feature:
    return Feature(
        name=f"{topic.name}_{suffix}",
        reduce=reduce,
        missing=missing,
        says=says,
        says_none=topic.never if none is None else none,
        group=topic.code,
        over=topic.over,
    )


def _none_in(topic: _Topic, days: float) -> str:
    return f"no {topic.words.one}{topic.among} in {_days(days)}"


def attribute_feature(name: str, attribute: AttributeWords) -> Feature:
    """Make the feature of one attribute of the lead."""
    label = attribute.label or name.replace("_", " ")
    words = dict(attribute.words)
    if attribute.type is AttributeType.BOOLEAN:
        words = {"true": attribute.says, "false": attribute.says_not or f"not {attribute.says}"}
    reduce = AttributeValue(name, attribute.type)
    said = tuple(sorted(words.items()))
    return Feature(name, reduce, None, attribute.says, f"{label} unknown", f"attribute:{name}", words=said)


def _extra(extra: ExtraFeature, business: Business) -> Feature:
    if extra.activity in business.never_use:
        message = f"features.add: {extra.name} looks at {extra.activity}, which never_use forbids: remove one of them."
        raise CatalogError(message)
    words = _ANY if extra.activity is None else _words(business, extra.activity, extra.subject)
    topic = _Topic(extra.activity, extra.subject, words, extra.over)
    reduce, missing, says = _added(extra, topic)
    span = f" in {_days(extra.days)}" if extra.days is not None and extra.reduce != "trend" else ""
    none = topic.never if not span else _none_in(topic, extra.days or 0)
    return Feature(extra.name, reduce, missing, extra.says or f"{says}{span}", none, topic.code, extra.over)


def _added(extra: ExtraFeature, topic: _Topic) -> tuple[Reducer, float | None, str]:
    """Give the reducer of a feature the playbook adds, its value when nothing happened, and its words."""
    kind, subject, days = extra.activity, extra.subject, extra.days
    match extra.reduce:
        case "count":
            return Count(kind, subject, days), 0.0, f"{topic.did} {{n}}"
        case "days_since_last":
            return DaysSinceLast(kind, subject), None, f"{topic.at('last')} {{ago}}"
        case "days_since_first":
            return DaysSinceFirst(kind, subject), None, f"{topic.at('first')} {{ago}}"
        case "decayed":
            return DecayedCount(kind, _need(extra, "half_life_days"), subject), 0.0, f"{topic.did}, weight {{x}}"
        case "distinct":
            return Distinct(kind, days), 0.0, f"{topic.did}, {{x}} different ones"
        case "sum":
            return Sum(_kind(extra), subject, days), 0.0, f"{{x}} in sum of {topic.words.many}"
        case "mean":
            return Mean(_kind(extra), subject, days), None, f"{{x}} on average of {topic.words.many}"
        case "hour_of_last":
            return HourOfLast(kind), None, f"{topic.at('last')} at {{hour}} UTC"
        case "weekday_of_last":
            return WeekdayOfLast(kind), None, f"{topic.at('last')} on a {{weekday}}"
        case "trend":
            reduce = Trend(kind, _need(extra, "days"), _need(extra, "long_days"), subject)
            return reduce, None, f"{{share}} of the {topic.words.many} lately"


def _words(business: Business, kind: str, subject: str | None) -> ActivityWords:
    words = business.activities[kind]
    return words.subjects.get(subject, words) if subject is not None else words


def _need(extra: ExtraFeature, what: str) -> float:
    value = getattr(extra, what)
    if value is None:
        message = f"features.add: {extra.name} reduces by {extra.reduce} and needs {what}; add it."
        raise CatalogError(message)
    return float(value)


def _kind(extra: ExtraFeature) -> str:
    if extra.activity is None:
        message = f"features.add: {extra.name} reduces by {extra.reduce} and needs an activity; add it."
        raise CatalogError(message)
    return extra.activity


def _days(days: float) -> str:
    return "a day" if days == 1 else f"{days:g} days"


def _slug(part: object) -> str:
    text = f"{part:g}" if isinstance(part, int | float) else str(part)
    return "".join(letter if letter.isalnum() else "_" for letter in text.lower())
