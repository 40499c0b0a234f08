# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""How an event log is mapped: each case is a lead, words that end cases are outcomes, the others are activities."""

from collections.abc import Mapping
from dataclasses import replace

from data.drafting.activity_mapping import MOST_KINDS, kind_of
from data.drafting.column_facts import ColumnContent
from data.drafting.drafted_source import ColumnPicker, DraftedSource, DraftTools, distinct_words
from data.drafting.file_roles import RoledFile
from data.drafting.naming import in_words, playbook_name
from data.drafting.vocabulary import column_names, known_words
from data.errors import IntakeError
from data.sql import quoted

_CASE = "case:"


def map_event_log(roled: RoledFile, tools: DraftTools) -> DraftedSource:
    """
    Map an event log.

    Raises:
        IntakeError: no column says what happened or when, or no word ends a case.
    """
    file, picker = roled.file, ColumnPicker(roled.file, tools)
    ids = tools.ids.of(file.sample, roled.key)
    picker.take("lead_id", roled.key, f"{ids.distinct:,} cases in {ids.rows:,} events")
    kind = file.best("kind", ColumnContent.CATEGORY, but=[roled.key])
    if kind is None or not picker.take_instant("occurred_at", "When did the event happen?"):
        message = f"{file.shown} says for no event what happened and when: an event log needs both."
        raise IntakeError(message)
    life_cycle = file.best("life_cycle", ColumnContent.CATEGORY)
    names = (kind.name, life_cycle.name) if life_cycle is not None and len(life_cycle.words) > 1 else (kind.name,)
    tools.log.take(
        f"{file.shown}: kind", " | ".join(names), "what happened" + (", and how far it is" if names[1:] else "")
    )
    source = DraftedSource(roled, picker.columns, picker.whys, kind_columns=names)
    return _with_words(source, tools)


def _with_words(source: DraftedSource, tools: DraftTools) -> DraftedSource:
    words = dict(distinct_words(source, tools.sampling, MOST_KINDS))
    stages = _stages(source, tools, words)
    if not stages:
        message = (
            f"{source.file.shown}: no word of {', '.join(source.kind_columns)} says won, lost, approved or the like."
        )
        raise IntakeError(message)
    whys = {word: f"{rows:,} events" for word, rows in words.items()}
    for word, stage in stages.items():
        whys[word] = tools.log.take(
            f"{source.file.shown}: stage {word}", stage, f"once in {words[word]:,} cases, and ends them"
        )
    kinds = {word: kind_of(word, source.file.shown) for word in words if word not in stages}
    for word, kind in kinds.items():
        tools.log.take(f"{source.file.shown}: kind {word}", kind, whys[word])
    return replace(source, words=kinds, word_whys=whys, stages=stages)


def _stages(source: DraftedSource, tools: DraftTools, words: Mapping[str, int]) -> dict[str, str]:
    """Return, of the words that end a case and stand in each at most once, the most frequent one of each meaning."""
    key = quoted(source.columns["lead_id"])
    query = f"SELECT {source.word} AS word, count(DISTINCT {key}) FROM {source.file.sample.table} GROUP BY 1"
    cases = dict(tools.sampling.values(query))
    best: dict[str, str] = {}
    for word, events in words.items():
        entry = known_words().stage(word)
        if entry is None or not entry.closes or cases[word] < events:
            continue
        if entry.says not in best or events > words[best[entry.says]]:
            best[entry.says] = word
    return {word: playbook_name(says, fallback="stage") for says, word in best.items()}


def case_columns(source: DraftedSource) -> list[str]:
    """Return the columns that may be attributes of a case: those of an XES log that describe it."""
    used = {facts.name for facts in source.used}
    named = [name for name in source.file.facts if name.startswith(_CASE) and name not in used]
    return [name for name in named if column_names().rank("lead_id", name) is None]


def case_label(column: str) -> str:
    """Return the noun for a case's attribute."""
    return in_words(column.removeprefix(_CASE))
