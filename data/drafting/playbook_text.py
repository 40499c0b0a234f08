"""The text of a drafted playbook: its YAML, with the reason for each decision beside it."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data.contract import AttributeType
from data.drafting.attribute_choice import ColumnUse
from data.drafting.column_facts import ColumnContent, ColumnFacts
from data.drafting.commented_yaml import Block, Entry, Remark
from data.drafting.drafted_source import DraftTools
from data.drafting.event_log_mapping import case_label
from data.drafting.naming import in_words
from data.drafting.playbook_draft import PlaybookDraft
from data.drafting.source_text import KindText, rejected_share, source_block
from data.drafting.vocabulary import known_words
from data.words.business import LeadAttribute

_MOST_SEGMENT_VALUES = 12
_MOST_REJECTED = 0.05
_MARGIN = 0.02
_FAR_UP = 4


@dataclass(frozen=True, slots=True)
class PlaybookPlace:
    """What a playbook is called, where it will lie, and the folder that holds the files."""

    name: str
    out: Path
    files: Path

    @property
    def folder(self) -> str:
        """The folder of the files as the playbook names it: relative where both lie near each other."""
        relative = os.path.relpath(self.files.resolve(), self.out.resolve())
        near = relative.count("..") < _FAR_UP
        return Path(relative).as_posix() if near else str(self.files.resolve())


def playbook_block(
    draft: PlaybookDraft, kinds: Mapping[str, KindText], place: PlaybookPlace, tools: DraftTools
) -> Block:
    """
    Return a drafted playbook as YAML entries.

    Args:
        draft: all that was decided.
        kinds: the kinds of activities with their words.
        place: its name and folders.
        tools: the samples and the decisions.
    """
    return (
        Remark("Drafted by `leadscore draft`: each comment says what was seen; a line with DECIDE waits for you."),
        Entry("name", place.name),
        Entry("title", place.name.replace("_", " ")),
        Entry("timezone", *draft.timezone),
        Entry("folder", place.folder),
        *_ids(draft),
        *_most_rejected(draft, tools),
        Remark(""),
        Entry("sources", [source_block(source, tools.log) for source in draft.sources]),
        *(Remark(f"Left out: {each.file.shown}. {each.why}.") for each in draft.unused),
        Remark(""),
        Entry("activities", {} if not kinds else tuple(_kinds(draft, kinds))),
        Remark(""),
        Entry("attributes", _attributes(draft) or {}),
        Remark(""),
        *_goal(draft),
        *_never_use(draft),
        *_segments(draft),
        *_features(draft),
    )


def _kinds(draft: PlaybookDraft, kinds: Mapping[str, KindText]) -> Iterator[Entry]:
    """Yield the kinds; those that are never used open no lead again."""
    for name, kind in kinds.items():
        yield Entry(name, replace(kind, intent=kind.intent and name not in draft.late_kinds).as_yaml())


def _ids(draft: PlaybookDraft) -> list[Entry]:
    rule, why = draft.ids
    return [Entry("ids", rule, why)] if rule != "exact" else []


def _most_rejected(draft: PlaybookDraft, tools: DraftTools) -> list[Entry]:
    """Allow the rows to be rejected that surely will be, and ask for a look at them."""
    shares = {source.file.shown: rejected_share(source, tools) for source in draft.sources}
    file = max(shares, key=lambda name: shares[name])
    if shares[file] < _MOST_REJECTED - _MARGIN / 2:
        return []
    most = min(1.0, round(shares[file] + _MARGIN, 2))
    why = f"{shares[file]:.0%} of the rows of {file} cannot be used: they name no lead, or no instant that has passed"
    return [Entry("most_rejected", most, tools.log.take("most_rejected", str(most), why, is_certain=False))]


def _attributes(draft: PlaybookDraft) -> Block:
    entries: list[Entry | Remark] = []
    for choice in draft.attributes:
        if choice.use is not ColumnUse.LEFT_OUT:
            why = choice.why if choice.use is ColumnUse.ATTRIBUTE else "see never_use"
            content, words = draft.facts_of(choice).content, _words(draft.facts_of(choice))
            if choice.shipped is not None:
                entries.append(Entry(choice.name, _shipped(choice.shipped, words), why))
                continue
            about = _attribute(content, choice.name, _noun(draft, choice.column), words)
            entries.append(Entry(choice.name, about, why))
    return tuple(entries)


def _shipped(attribute: LeadAttribute, words: Mapping[str, str]) -> dict[str, object]:
    """Return an attribute as a shipped playbook says it, with words for the values that the company writes as names."""
    said = attribute.model_dump(mode="json", exclude_defaults=True)
    named = {**words, **attribute.words} if attribute.type is AttributeType.CATEGORY else {}
    return {**said, **({"words": named} if named else {})}


def _noun(draft: PlaybookDraft, column: str) -> str:
    shape = draft.leads.file.shape
    return in_words(shape.plain(column)) if shape is not None and shape.shape.prefix else case_label(column)


def _words(facts: ColumnFacts) -> dict[str, str]:
    """Return how values are said that are written as names."""
    words = facts.words if facts.content is ColumnContent.CATEGORY else ()
    return {word: in_words(word) for word in words if "_" in word}


def _attribute(content: ColumnContent, name: str, noun: str, words: Mapping[str, str]) -> dict[str, object]:
    entry = known_words().attribute(name)
    label = entry.label if entry is not None else noun
    if content is ColumnContent.BOOLEAN:
        about = {"says": f"{label}: yes", "says_not": f"{label}: no"}
        if entry is not None and entry.says_not is not None:
            about = {"says": entry.says, "says_not": entry.says_not}
        return {"type": "boolean", **about, "label": label}
    known = entry is not None and "{value}" in entry.says
    says = entry.says if entry is not None and known else f"{label} is {{value}}"
    kind = "numeric" if content is ColumnContent.NUMBER else "category"
    return {"type": kind, "says": says, "label": label, **({"words": dict(words)} if words else {})}


def _goal(draft: PlaybookDraft) -> list[Entry | Remark]:
    goal = draft.goal
    about: dict[str, object] = {"stage": goal.stage, "horizon_days": goal.horizon_days}
    if goal.amount_from is not None:
        about["amount_from"] = goal.amount_from
    capacity, why = draft.capacity
    return [
        Entry("stages", tuple(Entry(name, _says_stage(name, draft)) for name in draft.stages)),
        Entry("closed_by", list(draft.closed_by), "a lead is no longer open after these"),
        Entry("final", list(draft.final), "for good; after the others it opens again by an activity with intent: true"),
        Remark(f"horizon_days: {goal.horizon_why}."),
        Entry("goal", about, goal.stage_why),
        Entry("capacity_per_day", int(capacity) if capacity == int(capacity) else capacity, why),
    ]


def _says_stage(name: str, draft: PlaybookDraft) -> str:
    if draft.shipped is not None and name in draft.shipped.stages:
        return draft.shipped.stages[name]
    entry = known_words().stage(name)
    return entry.says if entry is not None else in_words(name)


def _never_use(draft: PlaybookDraft) -> list[Entry | Remark]:
    late = {
        choice.name: choice.why for choice in draft.attributes if choice.use is ColumnUse.NEVER_USED
    } | draft.late_kinds
    if not late:
        return []
    return [*(Remark(f"{name}: {why}.") for name, why in late.items()), Entry("never_use", list(late))]


def _segments(draft: PlaybookDraft) -> list[Entry]:
    names = []
    for choice in draft.attributes:
        entry, facts = known_words().attribute(choice.column), draft.facts_of(choice)
        if choice.use is ColumnUse.ATTRIBUTE and entry is not None and entry.segment and _fits_a_report(facts.words):
            names.append(choice.name)
    return [Entry("segments", names, "every report shows the numbers of each apart")] if names else []


def _fits_a_report(words: Sequence[str]) -> bool:
    return 1 < len(words) <= _MOST_SEGMENT_VALUES


def _features(draft: PlaybookDraft) -> list[Entry]:
    if "account_id" in draft.leads.columns:
        return []
    return [Entry("features", (Entry("account", value=False, why="no column names the lead's account"),))]
