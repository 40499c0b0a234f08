"""What each way to reduce activities says: the phrase of a reason, a caption for plots, the value of nothing."""

from dataclasses import dataclass

from features.reducers import (
    ActiveDays,
    ActivePeople,
    AttributeValue,
    Count,
    DaysBetweenFirsts,
    DaysSinceFirst,
    DaysSinceLast,
    DecayedCount,
    Distinct,
    HourOfLast,
    LeadAge,
    LocalHourOfLast,
    LocalWeekdayOfLast,
    Mean,
    MeanGap,
    Reducer,
    RelativeSilence,
    ShareOfAll,
    Sum,
    Trend,
    WeekdayOfLast,
)
from features.topics import Topic, counted_days


@dataclass(frozen=True, slots=True)
class ReducerWords:
    """
    What a feature says.

    Attributes:
        phrase: a reason's words, with a place for the value.
        caption: what the number is, in a few words.
        missing: the value when nothing happened; None keeps it missing.
    """

    phrase: str
    caption: str
    missing: float | None = None


def reducer_words(reduce: Reducer, topic: Topic) -> ReducerWords:
    """Return what a reducer of activities says about a topic."""
    about, many = topic.about, topic.words.many
    match reduce:
        case Count() | DecayedCount() | Distinct() | ActiveDays() | ActivePeople():
            return _words_of_counts(reduce, topic)
        case MeanGap() | RelativeSilence() | DaysBetweenFirsts():
            return _words_of_gaps(reduce, topic)
        case HourOfLast() | WeekdayOfLast() | LocalHourOfLast() | LocalWeekdayOfLast():
            return _words_of_clocks(reduce, topic)
        case DaysSinceLast():
            return ReducerWords(f"{topic.did_at('last')} {{ago}}", f"days since last of {about}")
        case DaysSinceFirst():
            return ReducerWords(f"{topic.did_at('first')} {{ago}}", f"days since first of {about}")
        case Sum():
            return ReducerWords(f"{{x}} in sum of {many}", f"sum of {about}", 0.0)
        case Mean():
            return ReducerWords(f"{{x}} on average of {many}", f"mean of {about}")
        case Trend():
            return ReducerWords(f"{{share}} of the {many} lately", f"trend of {about}")
        case ShareOfAll():
            return ReducerWords(f"{many} are {{share}} of all activities", f"share of {about} in all activities")
        case AttributeValue() | LeadAge():
            message = f"{reduce} is about the lead itself, not about what it did"
            raise ValueError(message)


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


def _words_of_gaps(reduce: MeanGap | RelativeSilence | DaysBetweenFirsts, topic: Topic) -> ReducerWords:
    one, many, about = topic.words.one, topic.words.many, topic.about
    match reduce:
        case MeanGap():
            return ReducerWords(f"{many} {{days}} apart on average", f"mean gap between {about}")
        case RelativeSilence():
            phrase = f"silent for {{x}} times the usual gap between {many}"
            return ReducerWords(phrase, f"silence in mean gaps between {about}")
        case DaysBetweenFirsts():
            phrase = f"first {one} {{x}} days after the first {topic.after.one}"
            return ReducerWords(phrase, f"days from first of {topic.after.many} to first of {about}")


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
