"""The features that a playbook adds: one model for each group of reducers that takes the same fields."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from data.words.point_rules import Days
from data.words.sources import Name
from data.words.writing import PlaybookPart


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


class AddedRhythm(_AddedFeature):
    """The mean gap between activities, or the silence since the last one in mean gaps."""

    reduce: Literal["mean_gap", "relative_silence"]
    activity: Name | None = None
    subject: str | None = None


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
    | AddedRhythm,
    Field(discriminator="reduce"),
]
"""A feature that the playbook adds to the derived ones, or puts in place of one of the same name."""
