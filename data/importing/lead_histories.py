# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""
The versions of leads with the changes of their attributes: one for each instant at which anything became known.

Where a lead has any change of an attribute, its history decides what the attribute is: the last change that was known
by then, also one to nothing; before the first change, what that change says was there before. The value that the table
of leads holds stands only where the attribute never changed, since it is that of the day of the export.
"""

from data.importing.intake import StagedRows
from data.importing.staging import LEAD_CHANGES, PREVIOUS, contract_columns
from data.sql import literal, quoted
from data.words.business import Business
from data.words.source_columns import changed_attributes

_PLACE = ("_part", "_file", "_row")


def versions_with_changes(staged: StagedRows, business: Business) -> None:
    """
    Replace the staged versions of leads by those that the changes of their attributes make of them.

    A change that was known before its lead's first version belongs to that version. Of changes known at the same
    instant, the later row of the export counts.

    Args:
        staged: the staged rows, checked together; those of leads with a fault are left out.
        business: which attributes have a history.
    """
    changed = changed_attributes(business)
    if not changed:
        return
    kept = [name for name in contract_columns("leads", business) if name not in {"lead_id", "known_at"}]
    values = ", ".join(f"{_value(name, changed)} AS {quoted(name)}" for name in kept)
    place = ", ".join(_PLACE)
    staged.connection.execute(
        f"CREATE TABLE versions AS SELECT {place}, lead_id, point_at AS known_at, {values}, '' AS _faults"
        f" FROM ({_timeline(kept, changed)}) WHERE point_at IS DISTINCT FROM next_at"
    )
    staged.connection.execute("DROP TABLE leads")
    staged.connection.execute("ALTER TABLE versions RENAME TO leads")


def _value(name: str, changed: list[str]) -> str:
    """Return the SQL of what a column of leads held at a point of the timeline."""
    of_leads = f"version.{quoted(name)}"
    if name not in changed:
        return of_leads
    now, first = quoted(f"now_{name}"), quoted(f"first_{name}")
    return f"CASE WHEN {first} IS NULL THEN {of_leads} WHEN {now} IS NULL THEN {first}.before ELSE {now}.after END"


def _timeline(kept: list[str], changed: list[str]) -> str:
    """
    Return the SQL of all versions and changes of each lead in order, each with what was known by then.

    ``version`` is the last version; ``now_x`` the last change of x, ``first_x`` the first one, whenever it was; of the
    rows with one ``point_at``, the last knows what all of them say.
    """
    known = ["last_value(own_version IGNORE NULLS) OVER past AS version"]
    for name in changed:
        known.append(f"last_value({quoted(f'own_{name}')} IGNORE NULLS) OVER past AS {quoted(f'now_{name}')}")
        known.append(f"first_value({quoted(f'own_{name}')} IGNORE NULLS) OVER ever AS {quoted(f'first_{name}')}")
    in_order = f"PARTITION BY lead_id ORDER BY point_at, is_change, known_at, {', '.join(_PLACE)}"
    return (
        f"SELECT lead_id, point_at, {', '.join((*_PLACE, *known))}, lead(point_at) OVER ({in_order}) AS next_at"
        f" FROM ({_versions(kept)} UNION ALL BY NAME {_changes(changed)})"
        f" WINDOW past AS ({in_order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),"
        f" ever AS ({in_order} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"
    )


def _versions(kept: list[str]) -> str:
    """Return the SQL of the versions of leads, each with its columns in one."""
    fields = ", ".join(f"{quoted(name)}: {quoted(name)}" for name in kept)
    place = ", ".join(_PLACE)
    return (
        f"SELECT lead_id, known_at AS point_at, FALSE AS is_change, known_at, {place}, {{{fields}}} AS own_version"
        " FROM leads WHERE _faults = ''"
    )


def _changes(changed: list[str]) -> str:
    """Return the SQL of the changes, none before the first version of its lead."""
    own = ", ".join(
        f"CASE WHEN _attribute = {literal(name)}"
        f" THEN {{'before': c.{quoted(f'{PREVIOUS}{name}')}, 'after': c.{quoted(name)}}} END AS {quoted(f'own_{name}')}"
        for name in changed
    )
    place = ", ".join(f"c.{name}" for name in _PLACE)
    first = "SELECT lead_id, min(known_at) AS first_known_at FROM leads WHERE _faults = '' GROUP BY lead_id"
    return (
        f"SELECT lead_id, greatest(c.known_at, first_known_at) AS point_at, TRUE AS is_change, c.known_at,"
        f" {place}, {own} FROM {LEAD_CHANGES} AS c JOIN ({first}) USING (lead_id) WHERE c._faults = ''"
    )
