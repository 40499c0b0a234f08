"""The staging tables: rows of all sources, typed and marked with their faults, before they are checked together."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from data.arrow_schemas import ARROW_TYPES, CONTRACT, INSTANT
from data.reading.currency_cells import currency_columns
from data.sql import quoted
from data.words.business import Business
from data.words.source_columns import changed_attributes

IGNORED = "ignored"
WHERE_FROM = {"_part": "USMALLINT", "_file": "USMALLINT", "_row": "BIGINT"}
_SQL_TYPES = {pa.string(): "VARCHAR", pa.float64(): "DOUBLE", pa.bool_(): "BOOLEAN", INSTANT: "BIGINT"}
STAGED = {table: {field.name: _SQL_TYPES[field.type] for field in schema} for table, schema in CONTRACT.items()}
"""The columns of the contract's tables and their types while staged: instants are microseconds."""

LEAD_CHANGES = "lead_changes"
"""The table of changes of attributes while staged; they end up in versions of leads."""

PREVIOUS = "_previous_"
"""Before an attribute's name: the column of a change with the value before; no attribute begins so."""

_LOST = "STRUCT(attribute VARCHAR, found VARCHAR)[]"

IDS = {"leads": ("lead_id", "known_at"), "activities": ("activity_id",), "outcomes": ("outcome_id",)}


@dataclass(frozen=True, slots=True)
class Part:
    """
    The rows that one source contributes to one table; reports count by it.

    Attributes:
        number: the part's own.
        source: the file pattern that names the source in reports.
        holds: the table, or ``events`` of a log that are not split yet.
        files: as reports show them.
        export_index: position of the source among the exports.
        derived: whether the rows were derived from another part's.
    """

    number: int
    source: str
    holds: str
    files: tuple[str, ...]
    export_index: int
    derived: bool = False


@dataclass(frozen=True, slots=True)
class StagingRules:
    """What staging needs besides the sources: the playbook and the present instant."""

    business: Business
    now_us: int

    @property
    def with_subject(self) -> list[str]:
        """The kinds whose rows may carry a subject."""
        return [name for name, kind in self.business.activities.items() if kind.carries_subject]

    @property
    def listed_subjects(self) -> dict[str, list[str]]:
        """The kinds whose rows may only be about the subjects that the playbook lists."""
        kinds = self.business.activities.items()
        return {name: list(kind.subjects) for name, kind in kinds if kind.subjects and not kind.subject}

    @property
    def of_money(self) -> list[str]:
        """The kinds whose values are amounts of money."""
        return [name for name, kind in self.business.activities.items() if kind.money]

    @property
    def with_value(self) -> list[str]:
        """The kinds whose rows may carry a value."""
        return [name for name, kind in self.business.activities.items() if kind.value is not None]


def contract_columns(table: str, business: Business) -> dict[str, str]:
    """Return the columns of a table and their types while staged, those of the attributes included."""
    attributes = business.attribute_types if table == "leads" else {}
    return {**STAGED[table], **{name: _SQL_TYPES[ARROW_TYPES[kind]] for name, kind in attributes.items()}}


def change_columns(business: Business) -> dict[str, str]:
    """Return the columns of the changes of leads and their types; ``_attribute`` says which of the others counts."""
    kinds = contract_columns("leads", business)
    changed = {f"{before}{name}": kinds[name] for name in changed_attributes(business) for before in ("", PREVIOUS)}
    return {"lead_id": "VARCHAR", "_attribute": "VARCHAR", "known_at": "BIGINT", **changed}


def create_tables(business: Business) -> list[str]:
    """Return the SQL that makes the empty tables; ``_until`` is the end of a fact known by its day."""
    made = []
    for table in (*STAGED, LEAD_CHANGES):
        own = change_columns(business) if table == LEAD_CHANGES else contract_columns(table, business)
        columns = {**WHERE_FROM, **own}
        columns |= {"_until": "BIGINT", "_assumed": "BOOLEAN", "_faults": "VARCHAR"}
        columns |= {"_lost": _LOST} if table in {"leads", LEAD_CHANGES} else {}
        columns |= currency_columns(table, business)
        described = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
        made.append(f"CREATE TABLE {table} ({described})")
    return made


def instant_checks(name: str, *, given: str, read: str, instant: str, now_us: int) -> list[tuple[str, str]]:
    """Return the checks of an instant that a row may leave out: readable, no placeholder, and not in the future."""
    placeholder = f"{read} IS NOT NULL AND is_placeholder({read})"
    return [
        (f"{given} AND {instant} IS NULL AND NOT ({placeholder})", f"unreadable:{name}"),
        (f"{given} AND {placeholder}", f"placeholder:{name}"),
        (f"{instant} > {now_us}", f"future:{name}"),
    ]


def fact_checks(name: str, rules: StagingRules, *, known_at: str = "known_at") -> list[tuple[str, str]]:
    """Return the checks of a fact's instant and of when it became known, which both have names in reports."""
    known = {"given": "known_given", "read": "known_us", "instant": "known_raw"}
    return [
        ("NOT fact_given", f"missing:{name}"),
        *instant_checks(name, given="fact_given", read="fact_us", instant="fact_at", now_us=rules.now_us),
        *instant_checks(known_at, **known, now_us=rules.now_us),
        ("known_at < fact_at", f"known_before:{known_at}"),
    ]


def word_meanings(words: Mapping[str, str] | None, *, all_known: Mapping[str, object]) -> dict[str, str]:
    """Return what each word of an export means: as mapped, or else the playbook's own words."""
    return dict(words) if words is not None else {name: name for name in all_known}
