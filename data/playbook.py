"""The playbook: one folder of YAML that describes one business, checked and frozen."""

import os
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from data.contract import RESERVED, AttributeType
from data.errors import PlaybookError
from data.rules import AttributeRule, Days, Routing, ScorecardRules
from data.sources import ActivitySource, EventLogSource, LeadSource, Name, OutcomeSource, Source, Words
from data.yaml_file import Mistake, YamlFile, nearest, parse_as, playbook_error, read_yaml

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_][A-Z0-9_]*)(?::-(?P<default>[^}]*))?\}")


class ActivityWords(Words):
    """How to speak of one kind of activity: "opened an e-mail", "e-mail open", "e-mail opens"."""

    did: str = Field(min_length=3, description="what the lead did, in the past tense")
    one: str = Field(min_length=2, description="the noun, singular")
    many: str = Field(min_length=2, description="the noun, plural")


class ActivityKind(ActivityWords):
    """One kind of activity, its words, and what its rows may carry."""

    subject: bool = Field(default=False, description="whether rows may carry a subject")
    subjects: dict[str, ActivityWords] = Field(default_factory=dict, description="subjects with words of their own")
    value: str | None = Field(default=None, description="unit of the value that rows may carry, such as minutes")

    @property
    def carries_subject(self) -> bool:
        """Say whether rows of this kind may carry a subject."""
        return self.subject or bool(self.subjects)


class Attribute(Words):
    """One attribute of a lead, its type and its words; ``{value}`` stands for what is known."""

    type: AttributeType
    says: str = Field(min_length=2)
    says_not: str | None = Field(default=None, description="for booleans: the words when it is false")
    label: str | None = Field(default=None, description="the noun, for the words when nothing is known")
    values: tuple[str, ...] | None = Field(default=None, description="for categories: the only values allowed")
    words: dict[str, str] = Field(default_factory=dict, description="value → how to say it")

    @field_validator("values", mode="before")
    @classmethod
    def _as_text(cls, values: object) -> object:
        return [str(value) for value in values] if isinstance(values, list) else values

    @model_validator(mode="after")
    def _words_fit_the_type(self) -> Self:
        if self.values is not None and self.type is not AttributeType.CATEGORY:
            message = f"values belong to a category, this attribute is {self.type.value}"
            raise ValueError(message)
        if self.says_not is None and self.type is AttributeType.BOOLEAN:
            message = "a boolean needs says_not, the words when it is false"
            raise ValueError(message)
        return self


class Goal(Words):
    """The stage that counts as success, and the days within which it must be reached."""

    stage: Name
    horizon_days: Days


class ExtraFeature(Words):
    """A feature that the playbook adds to the derived ones, or puts in place of one of the same name."""

    name: Name
    reduce: Literal["count", "days_since_last", "days_since_first", "decayed", "distinct", "sum", "mean", "trend"]
    activity: Name | None = None
    subject: str | None = None
    days: Days | None = None
    long_days: Days | None = None
    half_life_days: Days | None = None
    over: Literal["lead", "account"] = "lead"
    says: str | None = None


class FeatureWishes(Words):
    """What the catalog is derived with."""

    windows_days: tuple[Days, ...] = (1, 7, 30, 90)
    half_lives_days: tuple[Days, ...] = (7, 30)
    account: bool = Field(default=True, description="also look at the other leads of the account")
    add: tuple[ExtraFeature, ...] = ()
    drop: tuple[str, ...] = Field(default=(), description="names of features not wanted; * matches anything")


class Playbook(Words):
    """What one business looks like; read from ``playbook.yaml``."""

    name: Name
    title: str
    timezone: str = "UTC"
    folder: str = "."
    sources: tuple[Source, ...] = Field(min_length=1)
    activities: dict[Name, ActivityKind] = Field(min_length=1)
    attributes: dict[Name, Attribute] = Field(default_factory=dict)
    stages: dict[Name, str] = Field(min_length=1, description="every stage a lead can reach → its words")
    closed_by: tuple[Name, ...] = Field(default=(), description="stages after which a lead is no longer open")
    goal: Goal
    outcome_lag_days: float | None = Field(default=None, ge=0, description="how late outcomes arrive; default: seen")
    capacity_per_day: Annotated[float, Field(gt=0)]
    never_use: tuple[str, ...] = Field(default=(), description="kinds and attributes the sales process writes")
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

    @property
    def attribute_types(self) -> dict[str, AttributeType]:
        """Give the type of each attribute, in the playbook's order."""
        return {name: attribute.type for name, attribute in self.attributes.items()}

    @property
    def closing_stages(self) -> frozenset[str]:
        """Give the stages after which a lead is no longer open: the goal and those named in ``closed_by``."""
        return frozenset({self.goal.stage, *self.closed_by})


@dataclass(frozen=True)
class PlaybookFolder:
    """A playbook with its point rules and its routing, as loaded from one folder."""

    path: Path
    playbook: Playbook
    scorecard: ScorecardRules
    routing: Routing
    exports: Path | None = None

    @cached_property
    def exports_folder(self) -> Path:
        """Give the folder that holds the exports: as asked for, or as the playbook says."""
        if self.exports is not None:
            return self.exports
        return (self.path / expand(self.playbook.folder)).resolve()


def load_playbook(folder: Path, *, exports: Path | None = None) -> PlaybookFolder:
    """
    Load a playbook and check it, across its three files.

    Args:
        folder: holds ``playbook.yaml``, ``scorecard.yaml`` and ``routing.yaml``.
        exports: folder of the exports, in place of the one the playbook names.

    Raises:
        PlaybookError: every mistake in the three files, each with file, line and what to do.
    """
    if not folder.is_dir():
        message = f"{folder} is not a folder: a playbook is a folder with playbook.yaml, scorecard.yaml, routing.yaml."
        raise PlaybookError(message)
    files = [read_yaml(folder / f"{name}.yaml") for name in ("playbook", "scorecard", "routing")]
    playbook, scorecard = parse_as(Playbook, files[0]), parse_as(ScorecardRules, files[1])
    routing = parse_as(Routing, files[2])
    mistakes = [mistake for parsed in (playbook, scorecard, routing) if isinstance(parsed, list) for mistake in parsed]
    if isinstance(playbook, Playbook):
        mistakes += _contradictions(playbook, files[0])
        if isinstance(scorecard, ScorecardRules):
            mistakes += _rule_mistakes(playbook, scorecard, files[1])
    if mistakes or isinstance(playbook, list) or isinstance(scorecard, list) or isinstance(routing, list):
        raise playbook_error(mistakes)
    return PlaybookFolder(folder, playbook, scorecard, routing, exports)


def expand(text: str) -> str:
    """
    Put environment variables into a path: ``${NAME}`` or ``${NAME:-default}``.

    A variable that begins the path and holds a relative one is meant from the working directory, as in any shell.

    Raises:
        PlaybookError: a variable without a default is not set.

    >>> expand("${SURELY_NOT_SET:-exports}/2026")
    'exports/2026'
    """

    def value(found: re.Match[str]) -> str:
        given = os.environ.get(found["name"]) or found["default"]
        if given is None:
            message = f"{text} needs the environment variable {found['name']}, which is not set: set it to a folder."
            raise PlaybookError(message)
        from_here = found.start() == 0 and os.environ.get(found["name"])
        return str(Path(given).absolute()) if from_here else str(given)

    return _VARIABLE.sub(value, text)


def _contradictions(playbook: Playbook, file: YamlFile) -> Iterator[Mistake]:
    yield from _unknown(file, playbook.stages, [(("goal", "stage"), playbook.goal.stage)], "stage")
    closed = [(("closed_by", at), stage) for at, stage in enumerate(playbook.closed_by)]
    yield from _unknown(file, playbook.stages, closed, "stage")
    usable = {*playbook.activities, *playbook.attributes}
    denied = [(("never_use", at), name) for at, name in enumerate(playbook.never_use)]
    yield from _unknown(file, usable, denied, "activity or attribute")
    for name in sorted(RESERVED & playbook.attributes.keys()):
        yield file.mistake(("attributes", name), "this name belongs to the contract; call the attribute otherwise.")
    for at, feature in enumerate(playbook.features.add):
        if feature.activity is not None:
            place = ("features", "add", at, "activity")
            yield from _unknown(file, playbook.activities, [(place, feature.activity)], "activity")
    for at, source in enumerate(playbook.sources):
        yield from _source_mistakes(playbook, source, at=at, file=file)
    if not any(source.holds in {"leads", "event_log"} for source in playbook.sources):
        yield file.mistake(("sources",), "no source holds leads or an event_log; add one of them.")


def _source_mistakes(playbook: Playbook, source: Source, *, at: int, file: YamlFile) -> Iterator[Mistake]:
    here = ("sources", at)
    if source.holds in {"leads", "event_log"}:
        mapped = [((*here, "attributes", name), name) for name in source.attributes or {}]
        yield from _unknown(file, playbook.attributes, mapped, "attribute")
    if source.holds == "activities" and source.kind is not None:
        yield from _unknown(file, playbook.activities, [((*here, "kind"), source.kind)], "activity")
    if source.holds in {"activities", "event_log"}:
        kinds = [((*here, "kinds", word), kind) for word, kind in (source.kinds or {}).items()]
        yield from _unknown(file, playbook.activities, kinds, "activity")
    key, stages = _stages_of(source)
    named = [((*here, key, word), stage) for word, stage in stages.items()]
    yield from _unknown(file, playbook.stages, named, "stage")


def _stages_of(source: Source) -> tuple[str, Mapping[Any, str]]:
    """Give the export's words for stages and the name under which the source lists them."""
    match source:
        case EventLogSource():
            return "outcomes", source.outcomes
        case OutcomeSource():
            return "stages", source.stages or {}
        case LeadSource():
            return "outcome", source.outcome.stages if source.outcome else {}
        case ActivitySource():
            return "", {}


def _rule_mistakes(playbook: Playbook, scorecard: ScorecardRules, file: YamlFile) -> Iterator[Mistake]:
    for at, rule in enumerate(scorecard.rules):
        for key, known in (("activity", playbook.activities), ("attribute", playbook.attributes)):
            named = getattr(rule, key, None)
            if named is not None:
                yield from _unknown(file, known, [(("rules", at, key), named)], key)
            if named in playbook.never_use:
                said = f"{named} is on the playbook's never_use; remove the rule or take {named} off that list."
                yield file.mistake(("rules", at, key), said)
        if isinstance(rule, AttributeRule) and rule.attribute in playbook.attributes:
            yield from _condition_mistakes(playbook.attributes[rule.attribute], rule, at=at, file=file)


def _condition_mistakes(attribute: Attribute, rule: AttributeRule, *, at: int, file: YamlFile) -> Iterator[Mistake]:
    ranged = rule.at_least is not None or rule.below is not None
    if ranged and attribute.type is not AttributeType.NUMERIC:
        said = f"at_least / below need a numeric attribute, {rule.attribute} is {attribute.type.value}; use in or is."
        yield file.mistake(("rules", at, "attribute"), said)
    if rule.among is not None and attribute.values is not None:
        for value in rule.among:
            if str(value) not in attribute.values:
                yield file.mistake(
                    ("rules", at, "in"), f"unknown value {value}; {nearest(str(value), attribute.values)}"
                )


def _unknown(
    file: YamlFile, known: Iterable[str], named: Sequence[tuple[Sequence[Hashable], str]], what: str
) -> Iterator[Mistake]:
    names = set(known)
    for where, name in named:
        if name not in names:
            yield file.mistake(where, f"unknown {what} {name}; {nearest(name, names)}")
