# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""The checks across rows: each id once, each fact has a lead, no outcome before its lead."""

import duckdb

from data.importing.intake import StagedRows
from data.importing.staging import IDS, IGNORED, LEAD_CHANGES, STAGED, contract_columns
from data.progress import Progress, tracked
from data.sql import quoted
from data.words.playbook import Business

_KEPT_LEADS = "(SELECT lead_id FROM leads WHERE _faults = '')"
_CALLED = {"leads": "version", "activities": "activity_id", "outcomes": "outcome_id"}


def check_together(staged: StagedRows, business: Business, progress: Progress) -> None:
    """Mark the rows that contradict others: repeated ids, facts without a lead, outcomes before their lead."""
    for table in tracked([*STAGED, LEAD_CHANGES], "checking", progress):
        if table != "leads":
            mark_orphans(staged.connection, table)
        if table == "outcomes":
            mark_before_creation(staged.connection)
        if table != LEAD_CHANGES:  # the same change twice changes nothing
            mark_repeated(staged.connection, table, list(contract_columns(table, business)))


def mark_orphans(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Mark the facts whose lead does not exist, or was itself rejected."""
    fault = "CASE WHEN lead_id IN (SELECT lead_id FROM leads) THEN 'lead_rejected:lead_id' ELSE 'orphan:lead_id' END"
    wrong = f"lead_id IS NOT NULL AND _faults <> '{IGNORED}' AND lead_id NOT IN {_KEPT_LEADS}"
    connection.execute(f"UPDATE {table} SET _faults = trim(_faults || ' ' || {fault}) WHERE {wrong}")


def mark_before_creation(connection: duckdb.DuckDBPyConnection) -> None:
    """Mark the outcomes that ended before their lead was created; a day ends at midnight."""
    first = "SELECT lead_id, min(created_at) AS created FROM leads WHERE _faults = '' GROUP BY lead_id"
    early = "CASE WHEN _until > reached_at THEN _until <= created ELSE reached_at < created END"
    connection.execute(
        "UPDATE outcomes SET _faults = trim(_faults || ' before_creation:reached_at')"
        f" FROM ({first}) AS l WHERE l.lead_id = outcomes.lead_id AND outcomes._faults <> '{IGNORED}' AND {early}"
    )


def mark_repeated(connection: duckdb.DuckDBPyConnection, table: str, columns: list[str]) -> None:
    """Mark all but the first known of the valid rows with one id: repeated, or contradicting the first."""
    key, about = ", ".join(IDS[table]), _CALLED[table]
    content = ", ".join(quoted(name) for name in columns if name not in {*IDS[table], "known_at"})
    several = f"SELECT {key} FROM {table} WHERE _faults = '' GROUP BY {key} HAVING count(*) > 1"
    window = f"(PARTITION BY {key} ORDER BY known_at, _part, _file, _row)"
    same = f"hash({content}) = first_value(hash({content})) OVER {window}"
    again = (
        f"SELECT rowid AS r, row_number() OVER {window} AS n, {same} AS same"
        f" FROM {table} WHERE _faults = '' AND ({key}) IN ({several})"
    )
    fault = f"CASE WHEN same THEN 'repeated:{about}' ELSE 'contradicting:{about}' END"
    connection.execute(f"UPDATE {table} SET _faults = {fault} FROM ({again}) AS a WHERE {table}.rowid = r AND n > 1")
