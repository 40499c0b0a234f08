# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""The ids that were made of rows' content: each once, also where several rows say the same."""

from collections.abc import Sequence

from data.importing.intake import StagedRows
from data.importing.staging import IGNORED, Part
from data.words.sources import ActivitySource, EventLogSource, FileSource, LeadSource, OutcomeSource


def number_repeats(staged: StagedRows) -> None:
    """
    Number the ids that were derived from content, so that rows with the same content have distinct ids.

    What a later version of a lead repeats about its outcome is not a second outcome: it is ignored, and counted so.
    """
    for part in staged.parts:
        for table, key in _made_ids(part, staged.exports[part.export_index].source):
            own_rows = f"FROM {table} WHERE _part = {part.number} AND _faults <> '{IGNORED}'"
            several = f"SELECT {key} {own_rows} GROUP BY {key} HAVING count(*) > 1"
            order = "known_at, _file, _row" if part.derived else "_file, _row"
            number = f"row_number() OVER (PARTITION BY {key} ORDER BY {order})"
            again = f"SELECT rowid AS r, {number} AS n {own_rows} AND {key} IN ({several})"
            change = f"_faults = '{IGNORED}'" if part.derived else f"{key} = {key} || '-' || n"
            update = f"UPDATE {table} SET {change} FROM ({again}) AS a WHERE {table}.rowid = r AND n > 1"
            staged.connection.execute(update)


def _made_ids(part: Part, source: FileSource) -> Sequence[tuple[str, str]]:
    match source:
        case ActivitySource() if source.columns.activity_id is None:
            return [("activities", "activity_id")]
        case OutcomeSource() if source.columns.outcome_id is None:
            return [("outcomes", "outcome_id")]
        case LeadSource() if part.derived and part.holds == "outcomes":
            return [("outcomes", "outcome_id")]
        case EventLogSource() if not part.derived:
            return [("activities", "activity_id"), ("outcomes", "outcome_id")]
        case _:
            return []
