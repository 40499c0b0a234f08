"""Which columns of the leads become attributes, and why the others do not."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from data.contract import RESERVED, AttributeType
from data.drafting.column_facts import ColumnContent, ColumnFacts
from data.drafting.decisions import DecisionLog, DraftQuestion
from data.drafting.file_roles import ExaminedFile
from data.drafting.late_columns import LateEvidence
from data.drafting.naming import matches, normal, playbook_name
from data.drafting.vocabulary import column_names, known_words
from data.words.business import LeadAttribute

_TYPES = {ColumnContent.NUMBER: "numeric", ColumnContent.BOOLEAN: "boolean", ColumnContent.CATEGORY: "category"}


class ColumnUse(StrEnum):
    """What becomes of a column of the leads."""

    ATTRIBUTE = "attribute"
    NEVER_USED = "never_use"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class AttributeChoice:
    """
    What becomes of one column.

    Attributes:
        column: its name.
        use: what becomes of it.
        why: the comment beside it.
        name: of the attribute; '' where there is none.
        shipped: the attribute as a shipped playbook describes it.
    """

    column: str
    use: ColumnUse
    why: str
    name: str = ""
    shipped: LeadAttribute | None = None


@dataclass(frozen=True, slots=True)
class NamedAttribute:
    """An attribute that a shipped playbook makes of a column: its name, its type and its words."""

    name: str
    attribute: LeadAttribute


def choose_attributes(
    file: ExaminedFile,
    used: Collection[str],
    evidence: LateEvidence,
    log: DecisionLog,
    *,
    named: Mapping[str, NamedAttribute],
    histories: Collection[str] = (),
    told: Mapping[str, str] | None = None,
) -> list[AttributeChoice]:
    """
    Choose the attributes among the columns of a table of leads.

    Args:
        file: the table.
        used: columns that are something else.
        evidence: which columns the outcomes show to be written late.
        log: takes the decisions, and asks about counters.
        named: columns that a shipped playbook takes as attributes.
        histories: columns whose history a file has: today's value does no harm there.
        told: attributes that a shipped playbook takes from a history → its file.

    Returns:
        A choice for each other column, in the file's order.
    """
    choices: list[AttributeChoice] = []
    others = [facts for facts in file.facts.values() if facts.name not in used]
    counters = [
        facts.name
        for facts in others
        if facts.name not in {*named, *histories}
        and _first_use(file, facts, evidence) is None
        and _is_counter(file, facts)
    ]
    counted = _counters(file, counters, log) if counters else (ColumnUse.LEFT_OUT, "")
    for facts in others:
        if facts.name in named:
            choices.append(_named_choice(file, facts, named[facts.name], evidence=evidence, log=log))
            continue
        if (plain := _plain(file, facts.name)) in (told or {}):
            choices.append(AttributeChoice(facts.name, ColumnUse.LEFT_OUT, f"{(told or {})[plain]} has its history"))
            continue
        use, why = counted if facts.name in counters else _use(file, facts, evidence, log)
        taken = {*RESERVED, *(each.name for each in named.values()), *(choice.name for choice in choices)}
        name = _free_name(_plain(file, facts.name), taken) if use is not ColumnUse.LEFT_OUT else ""
        choices.append(AttributeChoice(facts.name, use, why, name))
    return choices


def _named_choice(
    file: ExaminedFile, facts: ColumnFacts, known: NamedAttribute, *, evidence: LateEvidence, log: DecisionLog
) -> AttributeChoice:
    """Return the choice for a column that a shipped playbook takes as an attribute: the evidence may forbid it."""
    why, use = describe(file, facts), ColumnUse.ATTRIBUTE
    is_numeric = known.attribute.type is AttributeType.NUMERIC
    if facts.content is ColumnContent.NOTHING:
        why, use = "empty", ColumnUse.LEFT_OUT
    elif is_numeric and (facts.content is not ColumnContent.NUMBER or _unreadable(facts)):
        why, use = "its cells are no plain numbers", ColumnUse.LEFT_OUT
    elif shown := evidence.says(facts.name):
        why, use = shown, ColumnUse.NEVER_USED
    log.take(
        f"{file.shown}: column {facts.name}", known.attribute.type if use is ColumnUse.ATTRIBUTE else str(use), why
    )
    return AttributeChoice(
        facts.name, use, why, known.name if use is not ColumnUse.LEFT_OUT else "", shipped=known.attribute
    )


def _plain(file: ExaminedFile, column: str) -> str:
    return file.shape.plain(column) if file.shape is not None else normal(column)


def _free_name(column: str, taken: Collection[str]) -> str:
    return playbook_name(f"lead_{column}" if normal(column) in RESERVED else column, taken=taken)


def _first_use(file: ExaminedFile, facts: ColumnFacts, evidence: LateEvidence) -> tuple[ColumnUse, str] | None:
    """Return what becomes of a column that is private, late or useless; None for any other."""
    if _is_private(facts):
        return ColumnUse.LEFT_OUT, "about one person: nothing to learn from, and not ours to keep"
    if late := _late(file, facts, evidence):
        is_id = normal(facts.name).split("_")[-1] == "id"
        fits = facts.content in _TYPES and not _unreadable(facts) and not is_id
        return (ColumnUse.NEVER_USED if fits and len(facts.words) != 1 else ColumnUse.LEFT_OUT), late
    useless = _useless(file, facts)
    return (ColumnUse.LEFT_OUT, useless) if useless else None


def _use(file: ExaminedFile, facts: ColumnFacts, evidence: LateEvidence, log: DecisionLog) -> tuple[ColumnUse, str]:
    about = f"{file.shown}: column {facts.name}"
    first = _first_use(file, facts, evidence)
    if first is not None:
        return first[0], log.take(about, str(first[0]), first[1])
    if _unreadable(facts):
        why = f"{facts.numbers.proof if facts.numbers else ''}: say decimal and thousands, then take it"
        return ColumnUse.LEFT_OUT, log.take(about, "left out", why, is_certain=False)
    return ColumnUse.ATTRIBUTE, log.take(about, _TYPES[facts.content], describe(file, facts))


def describe(file: ExaminedFile, facts: ColumnFacts) -> str:
    """Return what a column holds, in words."""
    filled = f"filled in {facts.filled / file.sample.rows:.0%} of rows"
    if facts.content is ColumnContent.CATEGORY:
        many = (
            f"{len(facts.words)} values such as {', '.join(facts.words[:3])}" if len(facts.words) > 1 else facts.example
        )
        return f"{many}; {filled}"
    return f"{facts.content}; {filled}"


def _unreadable(facts: ColumnFacts) -> bool:
    return facts.numbers is not None and facts.numbers.is_ambiguous


def _late(file: ExaminedFile, facts: ColumnFacts, evidence: LateEvidence) -> str:
    """Return why a column looks written by the sales process, or after it; '' if it does not."""
    name = _plain(file, facts.name)
    if file.shape is not None and matches(name, file.shape.shape.never_use):
        return f"{file.shape.system} writes it while the lead is worked"
    if facts.filled and (shown := evidence.says(facts.name)):
        return shown
    is_known = known_words().attribute(name) is not None
    return "by its name, the sales process writes it" if matches(name, column_names().late) and not is_known else ""


def _useless(file: ExaminedFile, facts: ColumnFacts) -> str:
    names, name = column_names(), _plain(file, facts.name)
    if facts.content is ColumnContent.NOTHING:
        return "empty"
    if len(facts.words) == 1 and facts.filled == file.sample.rows:
        return f"{facts.words[0]} in every row"
    is_known = known_words().attribute(name) is not None
    if matches(name, names.system):
        return "the system's own"
    if facts.content is ColumnContent.INSTANT:
        return "a date, and no attribute"
    if facts.content is ColumnContent.NUMBER and _is_id(file, facts):
        return "an id"
    if facts.content is ColumnContent.TEXT or (matches(name, names.free_text) and not is_known and _varies(facts)):
        return f"about {facts.distinct:,} different texts"
    return ""


def _is_private(facts: ColumnFacts) -> bool:
    is_known = known_words().attribute(facts.name) is not None
    return (
        matches(normal(facts.name), column_names().private)
        and facts.content is not ColumnContent.BOOLEAN
        and not is_known
    )


def _varies(facts: ColumnFacts) -> bool:
    return facts.content is ColumnContent.TEXT or not facts.values


def _is_id(file: ExaminedFile, facts: ColumnFacts) -> bool:
    return normal(facts.name).split("_")[-1] == "id" or (
        normal(facts.name).endswith("id") and facts.distinct > file.sample.rows / 2
    )


def _is_counter(file: ExaminedFile, facts: ColumnFacts) -> bool:
    name, names = _plain(file, facts.name), column_names()
    listed = file.shape is not None and matches(name, file.shape.shape.left_out)
    counts = matches(name, names.counters) and not matches(name, names.not_counters)
    return facts.content is ColumnContent.NUMBER and (listed or counts)


def _counters(file: ExaminedFile, names: Sequence[str], log: DecisionLog) -> tuple[ColumnUse, str]:
    """Ask once about all columns of a file that look like counters which go on."""
    question = DraftQuestion(
        f"{file.shown}: counters {', '.join(names)}",
        "Are they the values of today, or as they were when the lead was created?",
        {"left out": "today's values: leave them out", "attribute": "as of creation: take them as attributes"},
        "left out",
    )
    chosen, says = log.ask(question, "they look like counters that go on, and today's value knows the future")
    return (ColumnUse.ATTRIBUTE if chosen == "attribute" else ColumnUse.LEFT_OUT), says
