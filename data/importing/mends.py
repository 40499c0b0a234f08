# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""What to do about a fault, in the words of the playbook: a date format that reads the cells, a rule for ids."""

from dataclasses import dataclass

import duckdb

from data.importing.intake import StagedRows
from data.importing.row_faults import FAULTS, split_fault
from data.importing.staging import Part
from data.reading.date_hints import DateReading, fitting_formats, in_yaml, written_as
from data.sql import literal
from data.words.business import Business
from data.words.id_rules import LOOSER

_NEAR = {
    "trim": "differs only in blanks from",
    "casefold": "differs only in letter case from",
    "email": "is the same address as",
    "salesforce": "is another form of",
}


@dataclass(frozen=True, slots=True)
class NearIds:
    """The ids that meet no lead but would under another rule: how many of how many, and one of them with its lead."""

    rule: str
    count: int
    of: int
    example: tuple[str, str]

    @property
    def mend(self) -> str:
        """What to do about it."""
        found, lead = self.example
        is_short = self.rule == "salesforce" and len(found) < len(lead)
        near = "is the short form of" if is_short else _NEAR[self.rule]
        some = f"{self.count:,} of the {self.of:,} ids that meet no lead are" if self.of > 1 else "it is"
        return f"{found} {near} {lead}; {some} such: say ids: {self.rule} in playbook.yaml."


def mend_of(staged: StagedRows, part: Part, fault: str, *, column: str | None, business: Business) -> str:
    """
    Return what to do about a fault of a source's rows.

    Args:
        staged: the staged rows, their rejected ones in the table ``rejected``.
        part: the rows with the fault.
        fault: rule and column of the contract.
        column: the export's column behind it.
        business: the playbook.
    """
    rule, _ = split_fault(fault)
    usual = FAULTS[rule].mend
    if rule == "unreadable" and column is not None:
        return _date_mend(staged, part, fault, column) or usual
    if rule == "orphan":
        tables = ["activities", "outcomes"] if part.holds == "events" else [part.holds]
        near = [found for table in tables if (found := near_ids(staged.connection, table, part, business.ids))]
        if near:
            return max(near, key=lambda each: each.count).mend
        return _strangers(staged, part, tables, column) or usual
    return usual


def _strangers(staged: StagedRows, part: Part, tables: list[str], column: str | None) -> str | None:
    """Return what to do where no row of a source meets a lead, with an id of each side."""
    of_part = f"_part = {part.number} AND lead_id IS NOT NULL"
    met = " UNION ALL ".join(f"SELECT 1 FROM {table} WHERE {of_part} AND _faults = ''" for table in tables)
    lost = " UNION ALL ".join(f"SELECT lead_id FROM {table} WHERE {of_part}" for table in tables)
    asked = f"SELECT (SELECT count(*) FROM ({met})), (SELECT min(lead_id) FROM ({lost}))"
    ((count, stranger),) = staged.connection.execute(asked).fetchall()
    ((lead,),) = staged.connection.execute("SELECT min(lead_id) FROM leads WHERE _faults = ''").fetchall()
    if count or lead is None:
        return None
    return (
        f"no row of the file meets a lead: {column or 'lead_id'} holds such as {stranger}, the leads' ids are such as"
        f" {lead}; map another column to lead_id, or look the lead up with via."
    )


def near_ids(connection: duckdb.DuckDBPyConnection, table: str, part: Part, rule: str) -> NearIds | None:
    """Return the rule under which most of a table's ids that meet no lead would meet one, the strictest of those."""
    orphans = f"SELECT DISTINCT lead_id AS o FROM {table} WHERE _part = {part.number} AND contains(_faults, 'orphan:')"
    (total,) = connection.execute(f"SELECT count(*) FROM ({orphans})").fetchall()[0]
    best = None
    for looser in LOOSER:
        if looser == rule:
            continue
        apart = "" if looser == "salesforce" else "AND NOT (is_salesforce(o) AND is_salesforce(l))"
        leads = "SELECT DISTINCT lead_id AS l FROM leads WHERE lead_id IS NOT NULL"
        met = f"({orphans}) JOIN ({leads}) ON id_{looser}(o) = id_{looser}(l) {apart}"
        count, example = connection.execute(f"SELECT count(DISTINCT o), min([o, l]) FROM {met}").fetchall()[0]
        if count > (0 if best is None else best.count):
            best = NearIds(looser, count, total, tuple(example))
    return best


def _date_mend(staged: StagedRows, part: Part, fault: str, column: str) -> str | None:
    cell = f"json_extract_string(original, {literal('$.' + _json_key(column))})"
    cells = (
        f"SELECT trim({cell}) AS t FROM rejected WHERE _part = {part.number} AND list_contains(rules, {literal(fault)})"
        f" AND {cell} IS NOT NULL"
    )
    fits = fitting_formats(staged.connection, cells)
    if not fits:
        return None
    if len(fits) == 1:
        return f"say {written_as(column, _said(staged, part, column, fits[0]))} in its source in playbook.yaml."
    ways = "; ".join(fit.said for fit in fits[:3])
    return f"say under {written_as(column, '…')} of its source in playbook.yaml which is meant: {ways}."


def _said(staged: StagedRows, part: Part, column: str, fit: DateReading) -> str:
    """Return the formats to say: the new one alone, or after those that read other rows of the source."""
    reading = staged.files_of(part)[0].readings.get(column)
    before = reading.writing.date_formats if reading is not None else ()
    table = "activities" if part.holds == "events" else part.holds
    others = f"SELECT count(*) FROM {table} WHERE _part = {part.number} AND NOT contains(_faults, 'unreadable:')"
    if staged.connection.execute(others).fetchall() == [(0,)] and not before:
        return f"date_format: {in_yaml(fit.date_format)}"
    return f"date_format: [{', '.join(in_yaml(each) for each in (*(before or ('iso',)), fit.date_format))}]"


def _json_key(column: str) -> str:
    return '"' + column.replace("\\", "\\\\").replace('"', '\\"') + '"'
