# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""Full dumps of leads among the files: the day of each, and the proof that nearly all leads are in every later dump."""

from data.drafting.column_facts import ColumnContent
from data.drafting.drafted_source import DraftTools, DumpDay, instant_us
from data.drafting.file_roles import RoledFile
from data.drafting.vocabulary import column_names
from data.instants import DAY_US
from data.sql import quoted

_NEARLY_ALL = 0.9
_FEW_DAYS = 2
_LEADS_A_DAY = 10
_NEW = "snapshot_date"


def find_dumps(roled: RoledFile, tools: DraftTools) -> DumpDay | None:
    """
    Find the column with the day of each full dump, or the dates in the names of its files.

    In dumps, a lead stands once in its first one and once in nearly all that follow. Versions of leads have a row only
    where something changed.

    Args:
        roled: a table of leads with several rows for some of them.
        tools: the samples.
    """
    file = roled.file
    sample = file.sample
    if sample.name_dates is not None and (why := _proof(roled, "_day", tools)):
        taken = {name.lower() for name in file.facts}
        free = _NEW if _NEW not in taken else f"{_NEW}_of_file"
        return None if free in taken else DumpDay(free, sample.name_dates, f"the date in the names of the files: {why}")
    instants = file.columns_of(ColumnContent.INSTANT)
    rank = column_names().rank
    others = [facts for facts in instants if rank("created_at", facts.name) is None]
    last = len(column_names().version_at)
    for facts in sorted(others, key=lambda each: last if (r := rank("version_at", each.name)) is None else r):
        if why := _proof(roled, f"({instant_us(facts)}) // {DAY_US}", tools):
            return DumpDay(facts.name, None, why)
    return None


def _proof(roled: RoledFile, day: str, tools: DraftTools) -> str:
    """Return in words that nearly every lead is in every dump since its first; '' if that is not so."""
    table, key = roled.file.sample.table, quoted(roled.key)
    rows = f"SELECT {key} AS lead, {day} AS day FROM {table} WHERE {key} IS NOT NULL"
    days = f"SELECT DISTINCT day FROM ({rows}) WHERE day IS NOT NULL"
    dumps = f"SELECT day, row_number() OVER (ORDER BY day) AS nth, count(*) OVER () AS n FROM ({days})"
    could = "any_value(n) - min(nth) + 1 AS could, any_value(n) AS n"
    leads = f"SELECT lead, count(*) AS rows, count(DISTINCT day) AS seen, {could}"
    counted = f"{leads} FROM ({rows}) JOIN ({dumps}) USING (day) GROUP BY lead"
    totals = "coalesce(sum(rows), 0), coalesce(sum(seen), 0), coalesce(sum(could), 0), coalesce(max(n), 0), count(*)"
    ((met, seen, expected, number, many),) = tools.sampling.values(f"SELECT {totals} FROM ({counted})")
    is_dense = seen >= _NEARLY_ALL * expected and seen == met and seen > many
    if number < _FEW_DAYS or not is_dense or met != roled.file.sample.rows or met < _LEADS_A_DAY * number:
        return ""
    return f"{number:,} dumps; a lead is in {seen / expected:.0%} of those since its first"
