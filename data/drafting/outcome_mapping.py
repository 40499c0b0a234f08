"""How outcomes are mapped: a file of stages that leads reached, or a stage and its date in the table of leads."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from data.drafting.column_facts import ColumnContent, ColumnFacts
from data.drafting.crm_shapes import named_column
from data.drafting.drafted_source import ColumnPicker, DraftedSource, DraftTools, LeadOutcome
from data.drafting.file_roles import ExaminedFile, RoledFile
from data.drafting.naming import matches, normal, playbook_name
from data.drafting.vocabulary import column_names, known_words

_NEARLY_FULL = 0.95
_CODE = re.compile("[A-Z]{3}")
_PLANNED = ("close_date", "closedate", "*_close_date", "expected_*")
_SAYS_WHEN = (
    "convert*",
    "*_converted*",
    "won_*",
    "closed_*",
    "close_*",
    "date_closed",
    "became_*",
    "*_won_*",
    "qualified_*",
)


def map_outcomes(roled: RoledFile, tools: DraftTools) -> DraftedSource | None:
    """
    Map a file of outcomes.

    Returns:
        The source; None if no column says the stage, or when it was reached.
    """
    picker = ColumnPicker(roled.file, tools)
    picker.take_own_id("outcome_id")
    join = roled.join
    picker.take("lead_id", roled.key, join.says if join else "", is_certain=join is None or join.share > _NEARLY_FULL)
    stages = picker.file.best("stage", ColumnContent.CATEGORY, ColumnContent.BOOLEAN, but=list(picker.columns.values()))
    if stages is None or not stages.words or not picker.take_instant("reached_at", "When was the stage reached?"):
        return None
    picker.take("stage", stages.name, "")
    picker.take_known_at("reached_at")
    picker.take_best("amount", ColumnContent.NUMBER)
    picker.take_best("reason", ColumnContent.CATEGORY, ColumnContent.TEXT)
    _take_currency(picker)
    source = DraftedSource(roled, picker.columns, picker.whys, kind_columns=(stages.name,))
    return _with_stages(source, stages, tools)


def _take_currency(picker: ColumnPicker) -> None:
    """Map the column with the codes of the amounts' currencies, if there is one."""
    facts = picker.file.best("currency", ColumnContent.CATEGORY, but=list(picker.columns.values()))
    if "amount" in picker.columns and facts is not None and facts.words and all(map(_CODE.fullmatch, facts.words)):
        picker.take("currency", facts.name, "")


def _with_stages(source: DraftedSource, stages: ColumnFacts, tools: DraftTools) -> DraftedSource:
    """Translate the stages; those in which a lead only begins, or whose date is a plan, are no outcomes."""
    named, whys, ignore = {}, {}, []
    for word, rows in stages.values:
        if word in stages.empty_words:
            continue
        name, why = _stage_of(word, source)
        if name is None:
            ignore.append(word)
        else:
            named[word] = name
        whys[word] = tools.log.take(f"{source.file.shown}: stage {word}", name or "ignored", f"{rows:,} rows{why}")
    return replace(source, words=named, word_whys=whys, ignore=tuple(ignore))


def _stage_of(word: str, source: DraftedSource) -> tuple[str | None, str]:
    """Return the stage that a word stands for, or None, and more about it."""
    shape = source.file.shape
    if shape is not None and shape.shape.stages:
        stage = shape.shape.stages.get(normal(word))
        return stage, "" if stage else "; no final stage, so its date is a plan"
    if known_words().is_beginning(word):
        return None, "; a lead only begins there"
    entry = known_words().stage(word)
    if matches(normal(source.columns["reached_at"]), _PLANNED) and (entry is None or not entry.closes):
        return None, f"; not closed, so its {source.columns['reached_at']} is a plan"
    return playbook_name(word, fallback="stage"), ""


def outcome_in_leads(file: ExaminedFile, used: Sequence[str], tools: DraftTools) -> LeadOutcome | None:
    """
    Find the outcome in a table of leads.

    Args:
        file: the table.
        used: columns that are something else.
        tools: the decisions.

    Returns:
        The outcome; None if the table holds none.
    """
    columns, stages, why = _shaped_outcome(file) if file.shape is not None else _seen_outcome(file, used)
    if not stages:
        return None
    why = tools.log.take(f"{file.shown}: outcome", columns["column"], why)
    for word, stage in stages.items():
        tools.log.take(f"{file.shown}: stage {word}", stage, "")
    return LeadOutcome(columns, stages, why)


def _shaped_outcome(file: ExaminedFile) -> tuple[dict[str, str], Mapping[Any, str], str]:
    shape = file.shape.shape.outcome if file.shape is not None else None
    if shape is None:
        return {}, {}, ""
    names = {"column": shape.column, "reached_at": shape.reached_at, "amount": shape.amount, "reason": shape.reason}
    columns = {
        role: name for role, given in names.items() if (name := named_column(given, list(file.facts))) is not None
    }
    if not {"column", "reached_at"} <= columns.keys() or file.facts[columns["reached_at"]].dates is None:
        return {}, {}, ""
    facts = file.facts[columns["column"]]
    words = {_as_yaml(word, facts): normal(str(_as_yaml(word, facts))) for word in facts.words}
    stages = {word: shape.stages[plain] for word, plain in words.items() if plain in shape.stages}
    return _usable(columns, file), stages, "as this system exports it"


def _usable(columns: dict[str, str], file: ExaminedFile) -> dict[str, str]:
    """Return the columns without an amount that is no number."""
    amount = columns.get("amount")
    fits = amount is None or file.facts[amount].content is ColumnContent.NUMBER
    return {role: name for role, name in columns.items() if role != "amount" or fits}


def _as_yaml(word: str, facts: ColumnFacts) -> Any:
    return word in facts.yes or word.lower() in {"true", "1", "yes"} if facts.content is ColumnContent.BOOLEAN else word


def _seen_outcome(file: ExaminedFile, used: Sequence[str]) -> tuple[dict[str, str], Mapping[Any, str], str]:
    """Look for a column of final stages, and one of instants that is filled where the stage is final."""
    instants = [f for f in file.columns_of(ColumnContent.INSTANT) if f.name not in used and _says_when(f.name)]
    for facts in file.columns_of(ColumnContent.CATEGORY, ColumnContent.BOOLEAN):
        stages = _ending_stages(facts)
        if stages and instants and facts.name not in used:
            reached = min(instants, key=lambda each: abs(each.filled - _rows_of(facts, stages)))
            columns = {"column": facts.name, "reached_at": reached.name}
            return columns, stages, f"{facts.name} holds stages that close a lead, {reached.name} says when"
    return {}, {}, ""


def _rows_of(facts: ColumnFacts, stages: Mapping[Any, str]) -> int:
    return sum(n for word, n in facts.values if _as_yaml(word, facts) in stages)


def _says_when(name: str) -> bool:
    return matches(normal(name), _SAYS_WHEN) or column_names().rank("reached_at", name) is not None


def _ending_stages(facts: ColumnFacts) -> dict[Any, str]:
    if facts.content is ColumnContent.BOOLEAN:
        entry = known_words().stage(normal(facts.name).removeprefix("is_").removeprefix("has_"))
        return {True: playbook_name(entry.says)} if entry is not None and entry.goal > 0 else {}
    if column_names().rank("stage", facts.name) is None:
        return {}
    entries = {word: known_words().stage(word) for word in facts.words}
    return {word: playbook_name(word, fallback="stage") for word, entry in entries.items() if entry and entry.closes}
