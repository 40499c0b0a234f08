"""The attributes of a lead, or of its history, as SQL: read, checked, and what of them is lost."""

from collections.abc import Mapping, Sequence

from data.contract import AttributeType
from data.importing.staging import PREVIOUS, StagingRules
from data.reading.cells import Cells
from data.sql import listed, literal, quoted
from data.words.business import LeadAttribute


def attribute_cells(cells: Cells, named: Mapping[str, str], rules: StagingRules) -> dict[str, str]:
    """Read each attribute twice: as the text that its cell holds, and as its value."""
    types = {name: _definition(name, rules).type for name in named}
    texts = {f"raw_{name}": cells.attribute_text(column, types[name]) for name, column in named.items()}
    return {**texts, **{f"read_{name}": cells.attribute(column, types[name]) for name, column in named.items()}}


def lost_cells(names: Sequence[str], rules: StagingRules) -> str:
    """Return the SQL of the attributes whose cell holds something that cannot be read, with the cell; NULL if none."""
    readable = [name for name in names if _definition(name, rules).type is not AttributeType.CATEGORY]
    lost = {name: f"{quoted(f'raw_{name}')} IS NOT NULL AND {quoted(f'read_{name}')} IS NULL" for name in readable}
    cases = ", ".join(
        f"CASE WHEN {test} THEN {{'attribute': {literal(_attribute_of(name))}, 'found': {quoted(f'raw_{name}')}}} END"
        for name, test in lost.items()
    )
    any_lost = " OR ".join(f"({test})" for test in lost.values())
    return f"CASE WHEN {any_lost} THEN list_filter([{cases}], lambda each: each IS NOT NULL) END" if lost else "NULL"


def attribute_checks(name: str, rules: StagingRules) -> list[tuple[str, str]]:
    """Return the check of an attribute of which the playbook lists the values."""
    values = _definition(name, rules).values
    if values is None:
        return []
    return [(f"{quoted(f'raw_{name}')} NOT IN {listed(values)}", f"unknown_value:{_attribute_of(name)}")]


def _attribute_of(name: str) -> str:
    """Return the attribute of a column, be it that of its values or of those before."""
    return name.removeprefix(PREVIOUS)


def _definition(name: str, rules: StagingRules) -> LeadAttribute:
    return rules.business.attributes[_attribute_of(name)]
