"""The columns of an export that a source names, and what they hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from data.contract import AttributeType
from data.words.business import Business
from data.words.sources import ActivitySource, EventLogSource, FileSource, LeadChangeSource, LeadSource, OutcomeSource


@dataclass(frozen=True, slots=True)
class HistoryColumns:
    """The columns that hold one attribute's values alone, once the rows of its history have one for each attribute."""

    value: str
    previous: str | None


def lead_attributes(source: LeadSource, business: Business) -> dict[str, str]:
    """Return the column of each attribute; a source that names none has all of them, under their own names."""
    return source.attributes if source.attributes is not None else {name: name for name in business.attributes}


def attribute_words(source: LeadChangeSource, business: Business) -> dict[str, str]:
    """Return the attribute that each word of a history means; without any, they are the playbook's own names."""
    return source.attributes if source.attributes is not None else {name: name for name in business.attributes}


def changed_attributes(business: Business) -> list[str]:
    """Return the attributes of which a source holds the history, in the playbook's order."""
    sources = [source for source in business.sources if isinstance(source, LeadChangeSource)]
    named = {name for source in sources for name in attribute_words(source, business).values()}
    return [name for name in business.attributes if name in named]


def history_columns(source: LeadChangeSource, business: Business) -> dict[str, HistoryColumns]:
    """Return the columns of each attribute of a history, such as ``new_value of revenue``."""
    value, previous = source.columns.value, source.columns.previous
    return {
        name: HistoryColumns(f"{value} of {name}", None if previous is None else f"{previous} of {name}")
        for name in dict.fromkeys(attribute_words(source, business).values())
    }


def shared_columns(source: FileSource, business: Business) -> dict[str, str]:
    """Return the column of the file that each column of one attribute's history is taken from."""
    if not isinstance(source, LeadChangeSource):
        return {}
    columns = history_columns(source, business).values()
    values = {each.value: source.columns.value for each in columns}
    previous = source.columns.previous
    return values | {each.previous: previous for each in columns if each.previous is not None and previous is not None}


def mapped_columns(source: FileSource, business: Business) -> list[str]:
    """Return the columns of the export that a source names."""
    named: list[str | Sequence[str] | None] = list(source.columns.model_dump().values())
    if isinstance(source, EventLogSource):
        named += list(source.attributes.values())
    if isinstance(source, LeadSource):
        named += [*lead_attributes(source, business).values(), *source.money.values(), source.snapshot_date]
    if isinstance(source, LeadSource) and source.outcome is not None:
        outcome = source.outcome
        named += [outcome.column, outcome.reached_at, outcome.known_at]
        named += [outcome.amount, outcome.currency, outcome.reason]
    if isinstance(source, OutcomeSource):
        named.append(source.stage_column)
    named += list(shared_columns(source, business))
    flat = [name for item in named if item is not None for name in ([item] if isinstance(item, str) else item)]
    return list(dict.fromkeys(flat))


def instant_columns(source: FileSource) -> list[str]:
    """Return the columns of a source that hold instants."""
    columns = source.columns.model_dump()
    named = [columns.get(name) for name in ("created_at", "occurred_at", "reached_at", "known_at")]
    if isinstance(source, LeadSource):
        named.append(source.snapshot_date)
    if isinstance(source, LeadSource) and source.outcome is not None:
        named += [source.outcome.reached_at, source.outcome.known_at]
    return list(dict.fromkeys(name for name in named if name is not None))


def number_columns(source: FileSource, business: Business) -> list[str]:
    """Return the columns of a source that hold numbers."""
    named: list[str | None] = []
    if isinstance(source, ActivitySource | EventLogSource):
        named.append(source.columns.value)
    if isinstance(source, OutcomeSource):
        named.append(source.columns.amount)
    if isinstance(source, LeadSource) and source.outcome is not None:
        named.append(source.outcome.amount)
    if isinstance(source, LeadSource | EventLogSource):
        attributes = lead_attributes(source, business) if isinstance(source, LeadSource) else source.attributes
        named += [column for name, column in attributes.items() if _is_numeric(name, business)]
    for pair in number_pairs(source, business):
        named += pair
    return list(dict.fromkeys(name for name in named if name is not None))


def number_pairs(source: FileSource, business: Business) -> list[list[str]]:
    """Return the columns with the values of one numeric attribute, now and before, which are written alike."""
    if not isinstance(source, LeadChangeSource):
        return []
    columns = [each for name, each in history_columns(source, business).items() if _is_numeric(name, business)]
    return [[name for name in (each.value, each.previous) if name is not None] for each in columns]


def _is_numeric(attribute: str, business: Business) -> bool:
    return business.attributes[attribute].type is AttributeType.NUMERIC
