"""The words that drafts know: what columns are called, and how activities, stages and attributes are said."""

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from data.drafting.naming import in_words, matches, normal, snake
from data.words.writing import PlaybookPart

SHAPES = Path(__file__).parent / "shapes"
_WORDINGS = tuple[tuple[str, ...], ...]


class ColumnNames(PlaybookPart):
    """Names of columns by what they hold, in the spelling of `data.drafting.naming.normal`."""

    lead_id: tuple[str, ...]
    account_id: tuple[str, ...]
    created_at: tuple[str, ...]
    known_at: tuple[str, ...]
    version_at: tuple[str, ...]
    changed: tuple[str, ...]
    new_value: tuple[str, ...]
    old_value: tuple[str, ...]
    changed_at: tuple[str, ...]
    occurred_at: tuple[str, ...]
    reached_at: tuple[str, ...]
    kind: tuple[str, ...]
    life_cycle: tuple[str, ...]
    stage: tuple[str, ...]
    subject: tuple[str, ...]
    value: tuple[str, ...]
    amount: tuple[str, ...]
    currency: tuple[str, ...]
    reason: tuple[str, ...]
    late: tuple[str, ...]
    counters: tuple[str, ...]
    not_counters: tuple[str, ...]
    private: tuple[str, ...]
    free_text: tuple[str, ...]
    system: tuple[str, ...]
    files: dict[str, tuple[str, ...]]

    def rank(self, role: str, column: str) -> int | None:
        """Return how early a column's name stands among those of a role; None if it is none of them."""
        name = normal(column)
        return next((place for place, each in enumerate(getattr(self, role)) if matches(name, [each])), None)


class ActivityEntry(PlaybookPart):
    """The words for a kind of activity that exports have words for."""

    words: _WORDINGS
    file: tuple[str, ...] = ()
    name: str
    did: str
    one: str
    many: str
    points: float
    at_most: float | None = None
    intent: bool = False


class StageEntry(PlaybookPart):
    """The words for a stage, how good a goal it is, whether it closes a lead, and whether that may open again."""

    words: _WORDINGS
    says: str
    goal: float
    closes: bool
    reopens: bool = False


class AttributeEntry(PlaybookPart):
    """The words for an attribute that many exports have."""

    columns: tuple[str, ...]
    says: str
    says_not: str | None = None
    label: str
    segment: bool = False
    points: float | None = None


class KnownWords(PlaybookPart):
    """The words of activities, stages and attributes."""

    activities: tuple[ActivityEntry, ...]
    stages: tuple[StageEntry, ...]
    not_stages: _WORDINGS = Field(description="stages in which a lead only begins")
    attributes: tuple[AttributeEntry, ...]

    def activity(self, word: str, file: str) -> ActivityEntry | None:
        """Return the entry of an export's word for a kind of activity; None if it is unknown."""
        parts, named = _parts(word), _parts(file)
        return next((e for e in self.activities if _said(e.words, parts) and (not e.file or named & {*e.file})), None)

    def stage(self, word: str) -> StageEntry | None:
        """Return the entry of an export's word for a stage; None if it is unknown."""
        return next((entry for entry in self.stages if _said(entry.words, _parts(word))), None)

    def is_beginning(self, word: str) -> bool:
        """Return whether an export's word names a stage in which a lead only begins."""
        return any(_parts(word) == {*wording} for wording in self.not_stages)

    def attribute(self, column: str) -> AttributeEntry | None:
        """Return the entry of an attribute's column; None if it is unknown."""
        return next((entry for entry in self.attributes if matches(normal(column), entry.columns)), None)

    def activity_words(self, word: str, file: str) -> dict[str, str]:
        """Return did, one and many of a kind; unknown ones are said in the export's own words."""
        entry = self.activity(word, file) if "|" not in word else None
        if entry is not None:
            return {"did": entry.did, "one": entry.one, "many": entry.many}
        noun = ", ".join(in_words(part) or part for part in word.split("|") if part)
        return {"did": f"had the event “{noun}”", "one": f"event “{noun}”", "many": f"events “{noun}”"}

    def shows_intent(self, word: str, file: str) -> bool:
        """Return whether who does what an export's word says wants to buy."""
        entry = self.activity(word, file) if "|" not in word else None
        return entry is not None and entry.intent


def file_words(name: str) -> set[str]:
    """
    Return the words of a file's name.

    >>> sorted(file_words("crm_Leads-2026.csv.gz"))
    ['2026', 'crm', 'leads']
    """
    return _parts(name.partition(".")[0])


def _parts(text: str) -> set[str]:
    return set(snake(text).split("_")) - {""}


def _said(wordings: _WORDINGS, parts: Collection[str]) -> bool:
    return any(all(word in parts for word in wording) for wording in wordings)


@cache
def column_names() -> ColumnNames:
    """Return the names of columns that drafts know."""
    return ColumnNames.model_validate(_content("column_names.yaml"))


@cache
def known_words() -> KnownWords:
    """Return the words that drafts know."""
    return KnownWords.model_validate(_content("words.yaml"))


def _content(name: str) -> Mapping[str, Any]:
    content: Mapping[str, Any] = yaml.load((SHAPES / name).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return content
