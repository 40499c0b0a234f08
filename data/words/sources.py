"""How a company's exports map to the contract: the ``sources`` of a playbook."""

from collections import Counter
from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator

from data.words.money_words import Currency
from data.words.row_words import RowWords, Scalar, inside_the_folder
from data.words.writing import PlaybookPart, Word

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


def _require_words(given: object) -> object:
    if isinstance(given, str) and given != "others":
        message = f"expected a list of words, or others for all that are not mapped: write [{given}]"
        raise ValueError(message)
    return given


Ignored = Annotated[
    Annotated[tuple[Word, ...], Tag("words")] | Annotated[Literal["others"], Tag("others")],
    Discriminator(lambda given: "others" if isinstance(given, str) else "words"),
    BeforeValidator(_require_words),
]
"""The export's words that are not wanted: a list, or ``others`` for all that are not mapped."""


def listed_words(ignore: Ignored) -> tuple[str, ...]:
    """
    Return the words that are ignored by name.

    >>> listed_words(("SENT",)), listed_words("others")
    (('SENT',), ())
    """
    return () if isinstance(ignore, str) else ignore


class _Source(RowWords):
    file: str = Field(description="path inside the playbook's folder of exports; * and ? match several files")
    format: Literal["csv", "parquet", "jsonl", "json", "xlsx", "xes"] | None = None

    _stays_inside = field_validator("file")(inside_the_folder)


class _MoneySource(_Source):
    currency: Currency | None = Field(
        default=None, description="of amounts whose row names none; ISO 4217, such as EUR"
    )


class LeadColumns(PlaybookPart):
    """Which columns of the export say who a lead is; ``known_at`` defaults to ``created_at``."""

    lead_id: str = "lead_id"
    account_id: str | None = None
    created_at: str = "created_at"
    known_at: str | None = None


class OutcomeInLeads(PlaybookPart):
    """An outcome in the lead table itself, as a flag or stage and a date."""

    column: str = Field(description="the column with the lead's outcome")
    stages: dict[Scalar, Name] = Field(description="value of that column → stage; other values mean no outcome yet")
    reached_at: str
    known_at: str | None = None
    amount: str | None = None
    currency: str | None = None
    reason: str | None = None


class LeadSource(_MoneySource):
    """A table of leads, one row per lead or per version of a lead."""

    holds: Literal["leads"]
    columns: LeadColumns = LeadColumns()
    attributes: dict[Name, str] | None = Field(default=None, description="attribute → column; default: the same names")
    money: dict[Name, str] = Field(
        default_factory=dict, description="attribute that is an amount of money → the column with its currency"
    )
    outcome: OutcomeInLeads | None = None
    snapshot_date: str | None = Field(
        default=None, description="the column with the day of the full dump that a row is of; it is known at its end"
    )


class LeadChangeColumns(PlaybookPart):
    """Which columns of the export say whose attribute changed, from what to what, and since when that is known."""

    lead_id: str = "lead_id"
    attribute: str = "attribute"
    value: str = "value"
    previous: str | None = Field(default=None, description="the value before; default: it is not known")
    known_at: str = "known_at"

    @model_validator(mode="after")
    def _values_differ(self) -> "LeadChangeColumns":
        if self.value == self.previous:
            message = f"value and previous are both {self.value}: name the column of each, or leave previous out"
            raise ValueError(message)
        return self


class LeadChangeSource(_Source):
    """A history of attributes: each row is a change of one attribute of one lead."""

    holds: Literal["lead_changes"]
    columns: LeadChangeColumns = LeadChangeColumns()
    attributes: dict[Word, Name] | None = Field(
        default=None, description="the export's word → the playbook's attribute; default: the same names"
    )
    ignore: Ignored = Field(default=(), description="the export's attributes that are not wanted, or others")


class ActivityColumns(PlaybookPart):
    """Which columns of the export say what happened; without ``activity_id`` one is made of the row."""

    activity_id: str | None = None
    lead_id: str = "lead_id"
    kind: str | list[str] | None = None
    occurred_at: str = "occurred_at"
    known_at: str | None = None
    subject: str | None = None
    value: str | None = None
    currency: str | None = None


class ActivitySource(_MoneySource):
    """A file of activities, of one kind or with a column that says the kind."""

    holds: Literal["activities"]
    kind: Name | None = None
    columns: ActivityColumns = ActivityColumns()
    kinds: dict[Word, Name] | None = Field(default=None, description="the export's word → the playbook's kind")
    ignore: Ignored = Field(default=(), description="the export's kinds that are not wanted, or others")
    machines: Literal["marked"] | None = Field(
        default=None, description="marked: the service stored them, and told machines apart when it did"
    )

    @model_validator(mode="after")
    def _one_way_to_know_the_kind(self) -> "ActivitySource":
        if (self.kind is None) == (self.columns.kind is None):
            message = "give the kind once: either kind (all rows are of this kind) or columns.kind"
            raise ValueError(message)
        return self


class OutcomeColumns(PlaybookPart):
    """Which columns of the export say what a lead reached."""

    outcome_id: str | None = None
    lead_id: str = "lead_id"
    stage: str | None = Field(default=None, description="default: stage, unless the source itself says the stage")
    reached_at: str = "reached_at"
    known_at: str | None = None
    amount: str | None = None
    currency: str | None = None
    reason: str | None = None


class OutcomeSource(_MoneySource):
    """A file of stages that leads reached."""

    holds: Literal["outcomes"]
    stage: Name | None = Field(default=None, description="the stage that every row means")
    columns: OutcomeColumns = OutcomeColumns()
    stages: dict[Word, Name] | None = Field(default=None, description="the export's word → the playbook's stage")
    ignore: Ignored = Field(default=(), description="the export's stages that are not wanted, or others")

    @model_validator(mode="after")
    def _one_way_to_know_the_stage(self) -> "OutcomeSource":
        if self.stage is not None and (self.columns.stage is not None or self.stages is not None):
            message = "give the stage once: either stage (all rows are of this stage) or columns.stage with stages"
            raise ValueError(message)
        return self

    @property
    def stage_column(self) -> str | None:
        """The column that says the stage, if a column does."""
        return None if self.stage is not None else self.columns.stage or "stage"


class EventLogColumns(PlaybookPart):
    """Which columns of an event log hold its case, its activity and its time; XES columns are named as in pm4py."""

    lead_id: str = "case:concept:name"
    account_id: str | None = None
    kind: str | list[str] = "concept:name"
    occurred_at: str = "time:timestamp"
    subject: str | None = None
    value: str | None = None


class EventLogSource(_Source):
    """An event log: leads come from each case's first event, named kinds become outcomes."""

    holds: Literal["event_log"]
    columns: EventLogColumns = EventLogColumns()
    attributes: dict[Name, str] = Field(default_factory=dict, description="attribute → case attribute")
    kinds: dict[Word, Name] | None = Field(default=None, description="the log's word → the playbook's kind")
    outcomes: dict[Word, Name] = Field(description="the log's word → the stage it stands for")
    ignore: Ignored = Field(default=(), description="the log's words that are neither, or others")

    @model_validator(mode="after")
    def _one_meaning_each(self) -> "EventLogSource":
        counted = Counter([*(self.kinds or {}), *self.outcomes, *listed_words(self.ignore)])
        twice = sorted(word for word, times in counted.items() if times > 1)
        if twice:
            message = (
                f"{', '.join(twice)}: a word is an activity (kinds), an outcome (outcomes) or neither (ignore), not two"
            )
            raise ValueError(message)
        return self


class StoreSource(PlaybookPart):
    """The service's own store: the leads, activities and outcomes sent to it."""

    holds: Literal["store"]
    database: str | None = Field(
        default=None, min_length=1, description="its file, or its URL on PostgreSQL; default: the service's own"
    )


FileSource = LeadSource | LeadChangeSource | ActivitySource | OutcomeSource | EventLogSource
Source = Annotated[FileSource | StoreSource, Field(discriminator="holds")]
