"""What each way to reduce activities says: the phrase of a reason, a caption for plots, the value of nothing."""

from dataclasses import dataclass

from features.reducers import (
    ActiveDays,
    ActivePeople,
    AttributeChanges,
    AttributeValue,
    ChangeReducer,
    Count,
    DaysBetweenFirsts,
    DaysSinceChange,
    DaysSinceFirst,
    DaysSinceLast,
    DaysSinceNthLast,
    DecayedCount,
    Distinct,
    FirstValue,
    HourOfLast,
    KindOfLast,
    LastValue,
    LeadAge,
    LocalHourOfLast,
    LocalWeekdayOfLast,
    LongestGap,
    Mean,
    MeanGap,
    PreviousValue,
    Reducer,
    RelativeSilence,
    SequenceCount,
    ShareOfAll,
    Sum,
    Trend,
    WeekdayOfLast,
)
from features.topics import Topic, counted_days, ordinal, span


@dataclass(frozen=True, slots=True)
class ReducerWords:
    """
    What a feature says.

    Attributes:
        phrase: a reason's words, with a place for the value.
        caption: what the number is, in a few words.
        missing: the value when nothing happened; None keeps it missing.
        nothing: the words when it is missing; default: that it never happened.
    """

    phrase: str
    caption: str
    missing: float | None = None
    nothing: str | None = None


def reducer_words(reduce: Reducer, topic: Topic) -> ReducerWords:
    """Return what a reducer of activities says about a topic."""
    match reduce:
        case Count() | DecayedCount() | Distinct() | ActiveDays() | ActivePeople():
            return _words_of_counts(reduce, topic)
        case DaysSinceLast() | DaysSinceFirst() | DaysSinceNthLast() | KindOfLast():
            return _words_of_places(reduce, topic)
        case Sum() | Mean() | FirstValue() | LastValue():
            return _words_of_values(reduce, topic)
        case Trend() | ShareOfAll():
            return _words_of_shares(reduce, topic)
        case MeanGap() | LongestGap() | RelativeSilence():
            return _words_of_gaps(reduce, topic)
        case DaysBetweenFirsts() | SequenceCount():
            return _words_of_pairs(reduce, topic)
        case HourOfLast() | WeekdayOfLast() | LocalHourOfLast() | LocalWeekdayOfLast():
            return _words_of_clocks(reduce, topic)
        case AttributeValue() | LeadAge() | AttributeChanges() | DaysSinceChange() | PreviousValue():
            message = f"{reduce} is about the lead itself, not about what it did"
            raise ValueError(message)


def change_words(reduce: ChangeReducer, label: str) -> ReducerWords:
    """
    Return what a reducer says about how an attribute changed.

    Args:
        reduce: the reducer.
        label: the noun for the attribute.

    >>> from data.contract import AttributeType
    >>> change_words(PreviousValue("size", AttributeType.NUMERIC), "company size").phrase
    'previous company size: {value}'
    """
    match reduce:
        case AttributeChanges():
            return ReducerWords(f"{label} changed {{n}}", f"changes of {label}", 0.0, f"{label} never changed")
        case DaysSinceChange():
            caption = f"days since last change of {label}"
            return ReducerWords(f"{label} last changed {{lately}}", caption, None, f"{label} never changed")
        case PreviousValue():
            return ReducerWords(f"previous {label}: {{value}}", f"previous {label}", None, f"no previous {label}")


def _words_of_counts(reduce: Count | DecayedCount | Distinct | ActiveDays | ActivePeople, topic: Topic) -> ReducerWords:
    about = topic.about
    match reduce:
        case Count(days=days):
            caption = about if days is None else f"{about}, {counted_days(days)}"
            return ReducerWords(f"{topic.did} {{n}}", caption, 0.0)
        case DecayedCount(half_life_days=half_life):
            return ReducerWords(f"{topic.did}, weight {{x}}", f"{about}, halved every {counted_days(half_life)}", 0.0)
        case Distinct():
            return ReducerWords(f"{topic.did}, {{x}} different ones", f"different subjects of {about}", 0.0)
        case ActiveDays():
            return ReducerWords(f"{topic.did} on {{days}}", f"days with {about}", 0.0)
        case ActivePeople():
            return ReducerWords(f"{topic.did}, {{x}} of them", f"colleagues with {topic.words.many}", 0.0)


def _words_of_gaps(reduce: MeanGap | LongestGap | RelativeSilence, topic: Topic) -> ReducerWords:
    about = topic.about
    few = f"fewer than two {about}"
    match reduce:
        case MeanGap():
            return ReducerWords(f"{about} {{days}} apart on average", f"mean gap between {about}", None, few)
        case LongestGap():
            return ReducerWords(f"{about} at most {{days}} apart", f"longest gap between {about}", None, few)
        case RelativeSilence():
            phrase = f"silent for {{x}} times the usual gap between {about}"
            none = f"no usual gap between {about} yet"
            return ReducerWords(phrase, f"silence in mean gaps between {about}", None, none)


def _words_of_pairs(reduce: DaysBetweenFirsts | SequenceCount, topic: Topic) -> ReducerWords:
    words, after = topic.words, topic.after
    match reduce:
        case DaysBetweenFirsts():
            phrase = f"first {words.one} {{x}} days after the first {after.one}"
            caption = f"days from first of {after.many} to first of {topic.about}"
            return ReducerWords(phrase, caption, None, f"not both {words.many} and {after.many}")
        case SequenceCount(within_days=days):
            close = f"within {span(days)} after {after.many}"
            return ReducerWords(f"{topic.did} {{n}} {close}", f"{words.many} {close}", 0.0, f"no {words.one} {close}")


def _words_of_places(
    reduce: DaysSinceLast | DaysSinceFirst | DaysSinceNthLast | KindOfLast, topic: Topic
) -> ReducerWords:
    about = topic.about
    match reduce:
        case DaysSinceLast():
            return ReducerWords(f"{topic.did_at('last')} {{lately}}", f"days since last of {about}")
        case DaysSinceFirst():
            return ReducerWords(f"{topic.did} {{debut}}", f"days since first of {about}")
        case DaysSinceNthLast(nth=nth):
            last = _last(nth)
            phrase, few = f"{last} {topic.words.one} {{lately}}", f"fewer than {nth} {topic.words.many}"
            return ReducerWords(phrase, f"days since {last} of {about}", None, None if nth == 1 else few)
        case KindOfLast(nth=nth):
            last = _last(nth)
            phrase, few = f"{last} activity: {{value}}", f"kind of the {last} activity unknown"
            return ReducerWords(phrase, f"kind of the {last} activity", None, topic.never if nth == 1 else few)


def _last(nth: int) -> str:
    return "last" if nth == 1 else f"{ordinal(nth)} last"


def _words_of_values(reduce: Sum | Mean | FirstValue | LastValue, topic: Topic) -> ReducerWords:
    about, many, none = topic.about, topic.words.many, f"no {topic.words.one} with a value"
    match reduce:
        case Sum():
            return ReducerWords(f"{{x}} in sum of {many}", f"sum of {about}", 0.0)
        case Mean():
            return ReducerWords(f"{{x}} on average of {many}", f"mean of {about}")
        case FirstValue():
            return ReducerWords(f"{{x}} in the first of the {many}", f"value of the first of {about}", None, none)
        case LastValue():
            return ReducerWords(f"{{x}} in the last of the {many}", f"value of the last of {about}", None, none)


def _words_of_shares(reduce: Trend | ShareOfAll, topic: Topic) -> ReducerWords:
    about, many = topic.about, topic.words.many
    match reduce:
        case Trend():
            return ReducerWords(f"{{share}} of the {many} lately", f"trend of {about}")
        case ShareOfAll(days=days):
            none = f"no activity{' by colleagues' if topic.over == 'account' else ''}"
            none = f"{none} at all" if days is None else f"{none} in {span(days)}"
            caption = f"share of {about} in all activities"
            return ReducerWords(f"{about} are {{share}} of all activities", caption, None, none)


def _words_of_clocks(
    reduce: HourOfLast | WeekdayOfLast | LocalHourOfLast | LocalWeekdayOfLast, topic: Topic
) -> ReducerWords:
    match reduce:
        case HourOfLast():
            return ReducerWords(f"{topic.did_at('last')} at {{hour}} UTC", "hour of last activity")
        case LocalHourOfLast():
            return ReducerWords(f"{topic.did_at('last')} at {{hour}}", "local hour of last activity")
        case WeekdayOfLast():
            return ReducerWords(f"{topic.did_at('last')} on a {{weekday}}", "weekday of last activity")
        case LocalWeekdayOfLast():
            return ReducerWords(f"{topic.did_at('last')} on a {{weekday}}", "local weekday of last activity")
