"""The point rules and the routing of a playbook: what sales operations may change without asking anyone."""

from typing import Annotated, Any, Self

from pydantic import Discriminator, Field, Tag, model_validator

from data.words.row_words import Scalar
from data.words.sources import Name
from data.words.writing import PlaybookPart

Points = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
Days = Annotated[float, Field(ge=1e-4, le=3650, allow_inf_nan=False)]


class _Rule(PlaybookPart):
    points: Points
    because: str = Field(min_length=3, description="the reason an SDR reads")


class ActivityRule(_Rule):
    """Points for each activity of a kind, up to a cap, fading with a half-life or counted in a window."""

    activity: Name
    subject: str | None = None
    at_most: Annotated[float, Field(gt=0)] | None = Field(default=None, description="how many count at most")
    half_life_days: Days | None = None
    within_days: Days | None = None

    @model_validator(mode="after")
    def _fade_or_window(self) -> Self:
        if self.half_life_days is not None and self.within_days is not None:
            message = "half_life_days and within_days exclude each other: keep one of them"
            raise ValueError(message)
        return self


class AttributeRule(_Rule):
    """Points for a lead whose attribute is among values, is one value, or lies in a half-open range."""

    attribute: Name
    among: tuple[Scalar, ...] | None = Field(default=None, alias="in", min_length=1)
    equals: Scalar | None = Field(default=None, alias="is")
    at_least: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        ranged = self.at_least is not None or self.below is not None
        if sum([self.among is not None, self.equals is not None, ranged]) != 1:
            message = "give exactly one condition: in, is, or at_least / below"
            raise ValueError(message)
        return self


class InactivityRule(_Rule):
    """Points for a lead without any activity for so many days (or ever)."""

    inactive_days: Days


def _kind_of_rule(rule: Any) -> str | None:
    named = rule if isinstance(rule, dict) else getattr(rule, "__dict__", {})
    return next((tag for tag in ("activity", "attribute", "inactive_days") if tag in named), None)


Rule = Annotated[
    Annotated[ActivityRule, Tag("activity")]
    | Annotated[AttributeRule, Tag("attribute")]
    | Annotated[InactivityRule, Tag("inactive_days")],
    Discriminator(
        _kind_of_rule,
        custom_error_type="rule",
        custom_error_message="a rule names an activity, an attribute or inactive_days",
    ),
]


class ScorecardRules(PlaybookPart):
    """A set of point rules; the score is the base plus the points of every rule that applies."""

    name: str = "scorecard"
    base_points: Points = 0
    threshold: Points = Field(default=60, description="points for a handover while no history sets the threshold")
    rules: tuple[Rule, ...] = Field(min_length=1)


class Grades(PlaybookPart):
    """Share of leads in each grade from the top; the rest is D. Shares, so grades cannot drift with the base rate."""

    A: float = Field(default=0.05, gt=0, lt=1)
    B: float = Field(default=0.15, gt=0, lt=1)
    C: float = Field(default=0.30, gt=0, lt=1)

    @model_validator(mode="after")
    def _leaves_room_for_d(self) -> Self:
        if self.A + self.B + self.C >= 1:
            message = "the shares of A, B and C must leave room for D: make their sum less than 1"
            raise ValueError(message)
        return self


class RoutingRules(PlaybookPart):
    """Who gets which lead: the threshold comes from capacity unless points are given."""

    threshold_points: Points | None = Field(default=None, description="fixed threshold; default: solved from capacity")
    hysteresis_points: float = Field(default=5, ge=0, le=100)
    grades: Grades = Grades()
