# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""The values of attributes that could not be read: how many, whose, and whether the loss is one-sided."""

from math import comb

import numpy as np
from scipy.special import gammaln

from data.contract import AttributeType
from data.importing.intake import StagedRows
from data.importing.quality import EXAMPLES, LostValues, ViolationExample
from data.importing.staging import LEAD_CHANGES, PREVIOUS, Part
from data.reading.currency_cells import money_columns
from data.sql import literal, quoted
from data.words.business import Business

RARE = 0.01
"""How rarely chance alone may make a loss look one-sided."""

_DIGITS = r"regexp_extract(found, '\d[\d., ]*')"
_MONEY = (
    "write beside each amount its currency in three letters, or say currency for the source in playbook.yaml, and"
    " decimal, thousands or currency_signs for the numbers."
)
_MENDS = {
    AttributeType.NUMERIC: "say decimal, thousands, percent or currency_signs for it in playbook.yaml, or list under"
    " empty what means nothing.",
    AttributeType.BOOLEAN: "say its yes and no words in playbook.yaml, or list under empty what means nothing.",
}


def lost_values(staged: StagedRows, part: Part, business: Business) -> list[LostValues]:
    """
    Count what the leads of a source lost, attribute by attribute, the largest loss first.

    Args:
        staged: the staged rows, checked together.
        part: holds leads, or changes of them.
        business: the playbook, whose goal says which leads succeeded.
    """
    first = f"min_by({{'file': _file, 'row': _row, 'found': found}}, (_file, _row), {EXAMPLES})"
    counted = f"SELECT attribute, count(*), count(DISTINCT lead_id), {first} FROM ({_lost(part)})"
    groups = staged.connection.execute(f"{counted} GROUP BY 1 ORDER BY 2 DESC, 1").fetchall()
    return [
        _values(staged, part, business, attribute=attribute, count=count, leads=leads, shown=shown)
        for attribute, count, leads, shown in groups
    ]


def _kept(part: Part, attribute: str | None = None) -> str:
    """Return the SQL of the rows of a part that are without fault; of changes, those of one attribute."""
    about = f" AND _attribute = {literal(attribute)}" if attribute is not None and part.holds == LEAD_CHANGES else ""
    return f"FROM {part.holds} WHERE _part = {part.number} AND _faults = ''{about}"


def _values_of(part: Part, attribute: str) -> str:
    """Return the SQL of the values ``v`` of an attribute that were read, those before a change included."""
    columns = [attribute, f"{PREVIOUS}{attribute}"] if part.holds == LEAD_CHANGES else [attribute]
    return " UNION ALL ".join(f"SELECT {quoted(name)} AS v {_kept(part, attribute)}" for name in columns)


def _lost(part: Part) -> str:
    each = f"SELECT lead_id, _file, _row, unnest(_lost) AS l {_kept(part)}"
    return f"SELECT lead_id, _file, _row, l.attribute AS attribute, l.found AS found FROM ({each})"


def _values(
    staged: StagedRows,
    part: Part,
    business: Business,
    *,
    attribute: str,
    count: int,
    leads: int,
    shown: list[dict[str, str]],
) -> LostValues:
    counts = f"SELECT (SELECT count(v) FROM ({_values_of(part, attribute)})), count(DISTINCT lead_id)"
    ((known, all_leads),) = staged.connection.execute(f"{counts} {_kept(part, attribute)}").fetchall()
    reached, all_reached = _successes(staged, part, attribute, business.goal.stage)
    success = (leads, reached, all_leads - leads, all_reached - reached)
    one_sided = _about_size(staged, part, attribute) if _is_number(business, attribute) else []
    return LostValues(
        source=part.source,
        attribute=attribute,
        count=count,
        given=known + count,
        leads=leads,
        reached=reached,
        other_leads=all_leads - leads,
        others_reached=all_reached - reached,
        mend=_MONEY if attribute in money_columns("leads", business) else _MENDS[business.attributes[attribute].type],
        one_sided=(*one_sided, *_about_success(success, business.goal.stage)),
        examples=tuple(_example(staged, part, example) for example in shown),
    )


def _is_number(business: Business, attribute: str) -> bool:
    return business.attributes[attribute].type is AttributeType.NUMERIC


def _example(staged: StagedRows, part: Part, shown: dict[str, str]) -> ViolationExample:
    file = staged.files_of(part)[int(shown["file"])]
    return ViolationExample(file=file.shown, row=int(shown["row"]), found=f'"{shown["found"][:80]}"')


def _successes(staged: StagedRows, part: Part, attribute: str, goal: str) -> tuple[int, int]:
    """Return how many of the leads that lost an attribute reached the goal, and how many of all."""
    won = f"SELECT lead_id FROM outcomes WHERE _faults = '' AND stage = {literal(goal)}"
    losers = f"SELECT lead_id FROM ({_lost(part)}) WHERE attribute = {literal(attribute)}"
    all_leads = f"SELECT DISTINCT lead_id {_kept(part, attribute)}"
    asked = f"SELECT count(*) FILTER (lead_id IN ({losers})), count(*) FROM ({all_leads}) WHERE lead_id IN ({won})"
    ((reached, all_reached),) = staged.connection.execute(asked).fetchall()
    return reached, all_reached


def _about_size(staged: StagedRows, part: Part, attribute: str) -> list[str]:
    """Return the sentence for numbers that are all above, or all below, every number that was read."""
    loosely = f"SELECT {_loose()} AS n FROM ({_lost(part)}) WHERE attribute = {literal(attribute)}"
    lost = staged.connection.execute(f"SELECT count(n), min(n), max(n) FROM ({loosely})").fetchall()[0]
    read = f"SELECT count(v), min(v), max(v) FROM ({_values_of(part, attribute)})"
    known = staged.connection.execute(read).fetchall()[0]
    if not lost[0] or not known[0] or 2 / comb(min(known[0], 10_000) + min(lost[0], 50), min(lost[0], 50)) >= RARE:
        return []
    if lost[1] >= known[2]:
        return [f"all {lost[0]} that can be made out are above {known[2]:,.10g}, the largest that was read"]
    if lost[2] <= known[1]:
        return [f"all {lost[0]} that can be made out are below {known[1]:,.10g}, the smallest that was read"]
    return []


def _loose() -> str:
    """Return the SQL that makes a number out of text that is none: "1,200+", "> 500", "ca. 10k"."""
    digits = rf"regexp_replace(regexp_replace({_DIGITS}, '[.,]\d{{1,2}}$', ''), '\D', '', 'g')"
    decimals = rf"regexp_extract(rtrim({_DIGITS}), '[.,](\d{{1,2}})$', 1)"
    units = " ".join(
        rf"WHEN regexp_matches(found, '\d\s*[{letters}]') THEN {size}" for letters, size in (("kK", 1e3), ("mM", 1e6))
    )
    unit = f"CASE {units} ELSE 1 END"
    return f"TRY_CAST({digits} || '.' || {decimals} AS DOUBLE) * {unit}"


def _about_success(success: tuple[int, int, int, int], goal: str) -> list[str]:
    leads, reached, others, others_reached = success
    if chance_of(*success) >= RARE:
        return []
    return [f"{reached} of the {leads} leads that lost it reached {goal}, {others_reached} of the other {others} did"]


def chance_of(leads: int, reached: int, others: int, others_reached: int) -> float:
    """
    Return the chance of a difference at least this unlikely if both groups succeed alike.

    Source: Fisher's exact test, two-sided: the sum over all tables with these margins that are no likelier.

    >>> round(chance_of(10, 8, 100, 20), 6), round(chance_of(10, 2, 100, 20), 6)
    (0.000232, 1.0)
    """
    total, successes = leads + others, reached + others_reached
    each = np.arange(max(0, successes - others), min(leads, successes) + 1)
    logs = _log_choices(leads, each) + _log_choices(others, successes - each) - _log_choices(total, np.array(successes))
    chances = np.exp(logs)
    observed = chances[reached - each[0]]
    return float(min(1.0, chances[chances <= observed * (1 + 1e-7)].sum()))


def _log_choices(
    n: int, k: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]"
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), dtype=np.float64)
