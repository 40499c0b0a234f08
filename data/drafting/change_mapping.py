# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""How a history of attributes is mapped: the words that mean an attribute, and what their values look like."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from data.drafting.column_facts import ColumnContent, ColumnFacts, facts_of
from data.drafting.decisions import DecisionLog
from data.drafting.drafted_source import ColumnPicker, DraftedSource, DraftTools
from data.drafting.file_roles import ExaminedFile, RoledFile
from data.drafting.key_joins import compared
from data.drafting.naming import normal
from data.drafting.notation_agreement import agreeing
from data.drafting.vocabulary import column_names
from data.sql import listed, literal, quoted
from data.words.sources import LeadChangeSource

_ENOUGH_LEADS = 5
_NEARLY_ALL = 0.9


@dataclass(frozen=True, slots=True)
class HistoryRole:
    """
    A file that is a history of columns of the leads.

    Attributes:
        columns: role → column.
        words: the file's word → the column of the leads whose values it has.
        why: the proof.
    """

    columns: Mapping[str, str]
    words: Mapping[str, str]
    why: str


def find_history(roled: RoledFile, leads: RoledFile, tools: DraftTools) -> HistoryRole | None:
    """
    Recognise a history in long form: a column names columns of the leads, another holds what they have now.

    Args:
        roled: a file whose ``key`` names leads.
        leads: the leads.
        tools: the samples.

    Returns:
        The history; None where the last values of no column are those that the leads hold.
    """
    file, names = roled.file, column_names()
    attribute = file.best("changed", ColumnContent.CATEGORY, but=[roled.key])
    value = _named(file, "new_value", [roled.key, attribute.name if attribute else None])
    if file.shape is not None or attribute is None or value is None:
        return None
    previous = _named(file, "old_value", [roled.key, attribute.name, value])
    instants = [facts for facts in file.columns_of(ColumnContent.INSTANT) if facts.name not in {value, previous}]
    ranked = [(names.rank("changed_at", facts.name), facts.name) for facts in instants]
    known = sorted((rank, name) for rank, name in ranked if rank is not None)
    if not known and len(instants) != 1:
        return None
    columns = {"lead_id": roled.key, "attribute": attribute.name, "value": value}
    columns |= {"previous": previous} if previous is not None else {}
    columns["known_at"] = known[0][1] if known else instants[0].name
    spelled = {normal(name): name for name in leads.file.facts if name != leads.key}
    words = {word: spelled[normal(word)] for word in attribute.words if normal(word) in spelled}
    proofs = {
        word: _proof(roled, leads, columns, word=word, column=column, tools=tools) for word, column in words.items()
    }
    proven = {word: column for word, column in words.items() if proofs[word]}
    return HistoryRole(columns, proven, next(filter(None, proofs.values()))) if proven else None


def _named(file: ExaminedFile, role: str, but: list[str | None]) -> str | None:
    """Return the column whose name fits a role best, whatever it holds: values of all kinds stand there."""
    ranked = [(column_names().rank(role, name), name) for name in file.facts if name not in but]
    return min(((rank, name) for rank, name in ranked if rank is not None), default=(0, None))[1]


def _proof(
    roled: RoledFile, leads: RoledFile, columns: Mapping[str, str], *, word: str, column: str, tools: DraftTools
) -> str:
    """Return in words how many leads have now what their last change says; '' if these are too few."""
    dates = roled.file.facts[columns["known_at"]].dates
    if dates is None or roled.join is None:
        return ""
    instant, value = dates.as_us(quoted(columns["known_at"])), quoted(columns["value"])
    rule, ours, theirs = roled.join.rule, roled.file.sample.table, leads.file.sample.table
    last = (
        f"SELECT {compared(rule, quoted(roled.key))} AS lead, arg_max(coalesce({value}, ''), ({instant}, _row)) AS last"
        f" FROM {ours} WHERE {quoted(columns['attribute'])} = {literal(word)} GROUP BY 1"
    )
    lead = compared(rule, quoted(leads.key))
    now = f"SELECT {lead} AS lead, coalesce({quoted(column)}, '') AS now FROM {theirs}"
    alike = "lower(trim(last)) = lower(trim(now)) OR TRY_CAST(last AS DOUBLE) = TRY_CAST(now AS DOUBLE)"
    counted = f"SELECT count(*), count(*) FILTER ({alike}) FROM ({last}) JOIN ({now}) USING (lead)"
    ((met, same),) = tools.sampling.values(counted)
    if met < _ENOUGH_LEADS or same < _NEARLY_ALL * met:
        return ""
    return f"the last {columns['value']} of {word} is the {column} of {leads.file.shown} for {same:,} of {met:,} leads"


def map_history(roled: RoledFile, found: HistoryRole, tools: DraftTools) -> DraftedSource:
    """Map a history of columns of the leads; its words get the attributes' names once these are chosen."""
    picker = ColumnPicker(roled.file, tools)
    why = tools.log.take(f"{roled.file.shown}: holds", "lead_changes", found.why)
    for role, column in found.columns.items():
        picker.take(role, column, roled.join.says if role == "lead_id" and roled.join is not None else "")
    return DraftedSource(replace(roled, role="lead_changes", why=why), picker.columns, picker.whys, words=found.words)


def with_names(source: DraftedSource, names: Mapping[str, str], tools: DraftTools) -> DraftedSource | None:
    """
    Return a history whose words mean attributes in place of columns of the leads; None if none of them is one.

    Args:
        source: the history.
        names: column of the leads → attribute.
        tools: the samples.
    """
    words = {word: names[column] for word, column in source.words.items() if column in names}
    return with_values(replace(source, words=words), tools) if words else None


def with_values(source: DraftedSource, tools: DraftTools) -> DraftedSource:
    """Return a history with a column for the values of each attribute, now and before, as they are imported."""
    file, attribute = source.file, quoted(source.columns["attribute"])
    made = {}
    for name in dict.fromkeys(source.words.values()):
        about = listed(word for word, meant in source.words.items() if meant == name)
        for role in ("value", "previous"):
            if role in source.columns:
                column = source.columns[role]
                made[f"{column} of {name}"] = f"CASE WHEN {attribute} IN {about} THEN {quoted(column)} END"
    table = f"{file.sample.table}_by_attribute"
    columns = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in made.items())
    tools.sampling.connection.execute(f"CREATE TABLE {table} AS SELECT *, {columns} FROM {file.sample.table}")
    alone = replace(file.sample, table=table, columns=tuple(made))
    facts = {**file.facts, **agreeing(facts_of(alone, tools.sampling))}
    wide = replace(file, sample=replace(alone, columns=(*file.sample.columns, *made)), facts=facts)
    return replace(source, roled=replace(source.roled, file=wide), value_columns=tuple(made))


def shipped_words(
    source: LeadChangeSource, seen: ColumnFacts, *, file: str, log: DecisionLog
) -> tuple[dict[str, str], dict[str, str]]:
    """
    Return the words of a shipped playbook, spelled as the company spells them too, and the comment beside each.

    Args:
        source: of the shipped playbook.
        seen: the column with the words.
        file: the company's file.
        log: takes the decisions; an attribute of which nothing changed may have no history at all.
    """
    named = dict(source.attributes or {})
    known = {normal(word).replace("_", ""): name for word, name in named.items()}
    counted = dict(seen.values)
    named |= {word: known[plain] for word in counted if (plain := normal(word).replace("_", "")) in known}
    rows = {
        name: sum(counted.get(word, 0) for word, meant in named.items() if meant == name) for name in known.values()
    }
    whys = {}
    for word, name in named.items():
        about, has_rows = f"{file}: history of {name}", not counted or rows[name] > 0
        why = f"{counted.get(word, 0):,} rows" if has_rows else f"no row is about {name}: is its history tracked?"
        whys[word] = log.take(about, word, why, is_certain=has_rows)
    return named, whys
