"""What a playbook says about a business: its words, its goal, its sources."""

from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from data.contract import AttributeType
from data.lifecycle.lead_lifecycle import Lifecycle
from data.words.added_features import AddedFeature
from data.words.id_rules import IdForms
from data.words.machine_rules import MachineRule
from data.words.money_words import Currency, Rates
from data.words.point_rules import Days
from data.words.sources import Name, Source
from data.words.writing import CellWriting, IdRule, PlaybookPart, Word

_REOPENED_AFTER = frozenset({"lost", "disqualified"})
_ALWAYS_FINAL = frozenset({"won"})


class ActivityWords(PlaybookPart):
    """The words for one kind of activity: "opened an e-mail", "e-mail open", "e-mail opens"."""

    did: str = Field(min_length=3, description="what the lead did, in the past tense")
    one: str = Field(min_length=2, description="the noun, singular")
    many: str = Field(min_length=2, description="the noun, plural")


class ActivityKind(ActivityWords):
    """One kind of activity, its words, and what its rows may carry."""

    subject: bool = Field(default=False, description="whether rows may carry any subject")
    subjects: dict[str, ActivityWords] = Field(
        default_factory=dict,
        description="subjects with words of their own; where subject is not set, the only ones that rows may carry",
    )
    value: str | None = Field(default=None, description="unit of the value that rows may carry, such as minutes")
    money: bool = Field(default=False, description="whether the value is an amount of money, which has a currency")
    intent: bool = Field(
        default=False,
        description="whether who does it wants to buy; unless reopened_by says otherwise, it opens a closed lead again",
    )

    @property
    def carries_subject(self) -> bool:
        """Whether rows of this kind may carry a subject."""
        return self.subject or bool(self.subjects)

    def allows_subject(self, subject: str) -> bool:
        """
        Return whether a row of this kind may be about a subject: any where ``subject`` is set, else one that is listed.

        >>> words = {"did": "called us", "one": "call", "many": "calls"}
        >>> (
        ...     ActivityKind(**words, subject=True).allows_subject("pricing"),
        ...     ActivityKind(**words).allows_subject("pricing"),
        ... )
        (True, False)
        """
        return self.subject or subject in self.subjects

    def words_of(self, subject: str | None) -> ActivityWords:
        """Return the words of a subject, or of the kind if the subject has none."""
        return self if subject is None else self.subjects.get(subject, self)


class LeadAttribute(PlaybookPart):
    """One attribute of a lead, its type and its words; ``{value}`` stands for its value."""

    type: AttributeType
    says: str = Field(min_length=2)
    says_not: str | None = Field(default=None, description="for booleans: the words when it is false")
    label: str | None = Field(default=None, description="the noun, for the words when nothing is known")
    values: tuple[Word, ...] | None = Field(default=None, description="for categories: the only values allowed")
    words: dict[Word, str] = Field(default_factory=dict, description="value → how to say it")
    as_of_creation: bool = Field(
        default=False, description="whether its value was known when the lead was created and never changed"
    )

    @model_validator(mode="after")
    def _words_fit_the_type(self) -> Self:
        if self.values is not None and self.type is not AttributeType.CATEGORY:
            message = f"only a category has values, and this attribute is {self.type.value}"
            raise ValueError(message)
        if self.says_not is None and self.type is AttributeType.BOOLEAN:
            message = "a boolean needs says_not, the words when it is false"
            raise ValueError(message)
        return self

    def label_or(self, name: str) -> str:
        """Return the noun for the attribute: its label, or else its name in words."""
        return self.label or name.replace("_", " ")


class Goal(PlaybookPart):
    """The stage that counts as success, and the days within which it must be reached."""

    stage: Name
    horizon_days: Days
    amount_from: Name | None = Field(
        default=None, description="stage whose outcomes carry the amount; default: the goal"
    )

    @property
    def priced_by(self) -> str:
        """The stage whose outcomes carry the amount that reaching the goal was worth."""
        return self.amount_from or self.stage


class FeatureWishes(PlaybookPart):
    """How the catalog is derived."""

    windows_days: tuple[Days, ...] = (1, 7, 30, 90)
    half_lives_days: tuple[Days, ...] = (7, 30)
    account: bool = Field(default=True, description="also look at the other leads of the account")
    most_colleagues: int = Field(
        default=100,
        ge=1,
        le=1000,
        description="an account with more other leads than this is none: a mail provider, or a name for unknown",
    )
    add: tuple[AddedFeature, ...] = ()
    drop: tuple[str, ...] = Field(default=(), description="names of features not wanted; * matches anything")
    rises_with: tuple[str, ...] = Field(
        default=(), description="kinds, kinds with a subject (kind/subject) and attributes that never lower a score"
    )
    falls_with: tuple[str, ...] = Field(default=(), description="the same for those that never raise a score")


class Business(CellWriting):
    """What one business looks like; read from ``playbook.yaml``."""

    name: Name
    title: str
    company: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,79}$", description="id that no other company has"
    )
    formerly: tuple[Name, ...] = Field(default=(), description="names that the company had before")
    timezone: str = "UTC"
    currency: Currency | None = Field(default=None, description="in which amounts are summed; ISO 4217, such as EUR")
    rates: dict[Currency, Rates] = Field(default_factory=dict, description="what one unit of another is worth in it")
    folder: str = "."
    sources: tuple[Source, ...] = Field(min_length=1)
    ids: IdRule = Field(default="exact", description="how the ids of leads compare")
    account_ids: IdRule = Field(default="exact", description="how the ids of accounts compare")
    activities: dict[Name, ActivityKind] = Field(default_factory=dict, description="none where only leads are known")
    machines: tuple[MachineRule, ...] = Field(default=(), description="which activities are a machine's, not a lead's")
    attributes: dict[Name, LeadAttribute] = Field(default_factory=dict)
    stages: dict[Name, str] = Field(min_length=1, description="every stage a lead can reach → its words")
    closed_by: tuple[Name, ...] = Field(default=(), description="stages after which a lead is no longer open")
    final: tuple[Name, ...] | None = Field(
        default=None,
        description="those of them after which it never opens again; default: all but lost and disqualified",
    )
    reopened_by: tuple[Name, ...] | None = Field(
        default=None, description="kinds of activity that open it again after the others; default: those with intent"
    )
    goal: Goal
    outcome_lag_days: float | None = Field(default=None, ge=0, description="how late outcomes arrive; default: seen")
    capacity_per_day: Annotated[float, Field(gt=0)]
    never_use: tuple[str, ...] = Field(default=(), description="kinds and attributes the sales process writes")
    segments: tuple[str, ...] = Field(default=(), description="categories and booleans that break reports down")
    features: FeatureWishes = FeatureWishes()
    most_rejected: float = Field(default=0.05, ge=0, le=1, description="share of a source's rows that may be rejected")

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            message = f"{zone} is not a time zone: use an IANA name such as Europe/Amsterdam"
            raise ValueError(message) from None
        return zone

    def label_of(self, attribute: str) -> str:
        """Return the noun for an attribute, which may be unknown to the playbook."""
        known = self.attributes.get(attribute)
        return known.label_or(attribute) if known is not None else attribute.replace("_", " ")

    @property
    def attribute_types(self) -> dict[str, AttributeType]:
        """The type of each attribute, in the playbook's order."""
        return {name: attribute.type for name, attribute in self.attributes.items()}

    @property
    def id_forms(self) -> IdForms:
        """The rules by which the ids of leads and of accounts compare."""
        return IdForms(self.ids, self.account_ids)

    @property
    def closing_stages(self) -> frozenset[str]:
        """The stages after which a lead is no longer open: the goal and those named in ``closed_by``."""
        return frozenset({self.goal.stage, *self.closed_by})

    @property
    def final_stages(self) -> frozenset[str]:
        """The closing stages after which a lead never opens again; the goal and ``won`` always are."""
        named = self.closing_stages - _REOPENED_AFTER if self.final is None else set(self.final)
        return frozenset({self.goal.stage, *named, *(_ALWAYS_FINAL & self.closing_stages)})

    @property
    def reopening_kinds(self) -> frozenset[str]:
        """The kinds of activity that open a closed lead again, unless its stage is final."""
        intent = [name for name, kind in self.activities.items() if kind.intent]
        return frozenset(intent if self.reopened_by is None else self.reopened_by)

    @property
    def lifecycle(self) -> Lifecycle:
        """The rule that says who is open."""
        return Lifecycle(tuple(self.stages), self.closing_stages, self.final_stages, self.reopening_kinds)
