# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""
Full dumps of leads as versions: what each dump says that those before it did not, and the lead at its creation.

A dump says what stood in the CRM on its day. A lead that it holds for the first time existed before, with values that
nobody knows any more; so its first version, of its creation, has only those that were known then and never changed.
"""

from data.importing.intake import StagedRows
from data.importing.staging import IGNORED, Part, contract_columns
from data.sql import quoted
from data.words.business import Business
from data.words.sources import LeadSource


def versions_of_dumps(staged: StagedRows, business: Business) -> None:
    """
    Add the versions at creation of leads that come from dumps, and ignore dumped rows that say nothing new.

    Args:
        staged: the staged rows, checked together.
        business: which attributes were known when a lead was created.
    """
    main, created = _parts(staged, derived=False), _parts(staged, derived=True)
    for dumps, first in zip(main, created, strict=True):
        _add_first_versions(staged, business, dumps=dumps, first=first)
    if main:
        _ignore_unchanged(staged, business, main)


def _parts(staged: StagedRows, *, derived: bool) -> list[Part]:
    """Return the parts that hold dumped leads, or the versions at creation that are derived from them."""
    leads = [part for part in staged.parts if part.holds == "leads" and part.derived == derived]
    return [part for part in leads if _is_dumped(staged, part)]


def _is_dumped(staged: StagedRows, part: Part) -> bool:
    source = staged.exports[part.export_index].source
    return isinstance(source, LeadSource) and source.snapshot_date is not None


def _add_first_versions(staged: StagedRows, business: Business, *, dumps: Part, first: Part) -> None:
    """Add a version at the creation of each lead whose first version is of a later dump."""
    always = [name for name, attribute in business.attributes.items() if attribute.as_of_creation]
    columns = ", ".join(quoted(name) for name in ("_file", "_row", "lead_id", "account_id", "created_at", *always))
    is_first = f"_part = {dumps.number} AND known_at = first_known_at AND _until < known_at"
    versions = "SELECT *, min(known_at) OVER (PARTITION BY lead_id) AS first_known_at FROM leads WHERE _faults = ''"
    staged.connection.execute(
        f"INSERT INTO leads BY NAME SELECT {first.number} AS _part, {columns}, _until AS known_at, _until,"
        f" FALSE AS _assumed, '' AS _faults FROM ({versions}) WHERE {is_first}"
    )


def _ignore_unchanged(staged: StagedRows, business: Business, dumps: list[Part]) -> None:
    """Ignore the rows of dumps that repeat the version of their lead just before them."""
    names = [name for name in contract_columns("leads", business) if name not in {"lead_id", "known_at"}]
    content = f"{{{', '.join(f'{quoted(name)}: {quoted(name)}' for name in names)}}}"
    before = f"lag({content}) OVER (PARTITION BY lead_id ORDER BY known_at)"
    same = f"SELECT rowid AS r, _part, {content} = {before} AS same FROM leads WHERE _faults = ''"
    numbers = ", ".join(str(part.number) for part in dumps)
    again = f"SELECT r FROM ({same}) WHERE same AND _part IN ({numbers})"
    staged.connection.execute(f"UPDATE leads SET _faults = '{IGNORED}' WHERE rowid IN ({again})")
