"""The features that a playbook adds: one model for each group of reducers that takes the same fields."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from data.words.point_rules import Days
from data.words.sources import Name
from data.words.writing import PlaybookPart

Nth = Annotated[int, Field(ge=1, le=100)]


class _AddedFeature(PlaybookPart):
    name: Name
    over: Literal["lead", "account"] = "lead"
    says: str | None = Field(default=None, description="the words of the reason; default: those of the reducer")


class AddedCount(_AddedFeature):
    """How many activities, ever or within some days."""

    reduce: Literal["count"]
    activity: Name | None = None
    subject: str | None = None
    days: Days | None = None


class AddedRecency(_AddedFeature):
    """Days since the last or the first activity."""

    reduce: Literal["days_since_last", "days_since_first"]
    activity: Name | None = None
    subject: str | None = None


class AddedDecay(_AddedFeature):
    """A count in which older activities weigh less."""

    reduce: Literal["decayed"]
    activity: Name | None = None
    subject: str | None = None
    half_life_days: Days


class AddedDistinct(_AddedFeature):
    """How many different subjects."""

    reduce: Literal["distinct"]
    activity: Name
    days: Days | None = None


class AddedValue(_AddedFeature):
    """Sum or mean of the values that activities carry."""

    reduce: Literal["sum", "mean"]
    activity: Name
    subject: str | None = None
    days: Days | None = None


class AddedTrend(_AddedFeature):
    """The share of a long window's activities that fell into a short one."""

    reduce: Literal["trend"]
    activity: Name | None = None
    subject: str | None = None
    days: Days
    long_days: Days

    @model_validator(mode="after")
    def _short_within_long(self) -> Self:
        if self.days >= self.long_days:
            message = "days, the short window, must be shorter than long_days"
            raise ValueError(message)
        return self


class AddedTime(_AddedFeature):
    """Hour or weekday of the last activity, in UTC or in the playbook's time zone."""

    reduce: Literal["hour_of_last", "weekday_of_last", "local_hour_of_last", "local_weekday_of_last"]
    activity: Name | None = None


class AddedActiveDays(_AddedFeature):
    """On how many days of the playbook's time zone there were activities."""

    reduce: Literal["active_days"]
    over: Literal["lead"] = "lead"
    activity: Name | None = None
    subject: str | None = None
    days: Days | None = None


class AddedPeople(_AddedFeature):
    """How many colleagues were active."""

    reduce: Literal["active_people"]
    over: Literal["account"] = "account"
    activity: Name | None = None
    subject: str | None = None
    days: Days | None = None


class AddedShare(_AddedFeature):
    """The share of a kind in all activities, ever or within some days."""

    reduce: Literal["share"]
    activity: Name
    subject: str | None = None
    days: Days | None = None


class AddedPair(_AddedFeature):
    """Days from the first activity of one kind to the first of another."""

    reduce: Literal["days_between_firsts"]
    activity: Name
    subject: str | None = None
    after: Name
    after_subject: str | None = None


class AddedSequence(_AddedFeature):
    """How many activities have one of another kind before them, within some days."""

    reduce: Literal["sequence"]
    over: Literal["lead"] = "lead"
    activity: Name
    subject: str | None = None
    after: Name
    after_subject: str | None = None
    within_days: Days


class AddedMeanGap(_AddedFeature):
    """The mean gap between activities, ever or within some days."""

    reduce: Literal["mean_gap"]
    activity: Name | None = None
    subject: str | None = None
    days: Days | None = None

    @model_validator(mode="after")
    def _window_of_the_lead(self) -> Self:
        if self.over == "account" and self.days is not None:
            message = "over the account there is a mean gap ever, not within days"
            raise ValueError(message)
        return self


class AddedLongestGap(_AddedFeature):
    """The longest gap between activities, ever or within some days."""

    reduce: Literal["longest_gap"]
    over: Literal["lead"] = "lead"
    activity: Name | None = None
    subject: str | None = None
    days: Days | None = None


class AddedSilence(_AddedFeature):
    """The silence since the last activity, in mean gaps."""

    reduce: Literal["relative_silence"]
    activity: Name | None = None
    subject: str | None = None


class AddedKind(_AddedFeature):
    """The kind of the nth last activity; also its subject, where that has words of its own."""

    reduce: Literal["kind_of_last"]
    over: Literal["lead"] = "lead"
    nth: Nth = 1
    subjects: bool = False


class AddedNthRecency(_AddedFeature):
    """Days since the nth last activity."""

    reduce: Literal["days_since_nth_last"]
    over: Literal["lead"] = "lead"
    activity: Name | None = None
    subject: str | None = None
    nth: Nth


class AddedSingleValue(_AddedFeature):
    """The first or the last value that activities carry."""

    reduce: Literal["first_value", "last_value"]
    over: Literal["lead"] = "lead"
    activity: Name
    subject: str | None = None


class AddedChange(_AddedFeature):
    """How often an attribute of the lead changed, the days since the last change, or its value before that."""

    reduce: Literal["attribute_changes", "days_since_change", "previous_value"]
    over: Literal["lead"] = "lead"
    attribute: Name


AddedFeature = Annotated[
    AddedCount
    | AddedRecency
    | AddedDecay
    | AddedDistinct
    | AddedValue
    | AddedTrend
    | AddedTime
    | AddedActiveDays
    | AddedPeople
    | AddedShare
    | AddedPair
    | AddedSequence
    | AddedMeanGap
    | AddedLongestGap
    | AddedSilence
    | AddedKind
    | AddedNthRecency
    | AddedSingleValue
    | AddedChange,
    Field(discriminator="reduce"),
]
"""A feature that the playbook adds to the derived ones, or puts in place of one of the same name."""
