# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""
The activities of a history that are a machine's, by the rules of the playbook, as window functions.

An activity is judged by what was known when it became known, so that history and the live service agree, in whatever
order activities arrive (`data.words.machine_rules.Timeline`).
"""

from data.importing.intake import StagedRows
from data.importing.quality import MachineCount
from data.sql import listed, literal
from data.words.machine_rules import MachineRule
from data.words.playbook import Business
from data.words.sources import ActivitySource

_VALID = "SELECT rowid AS r, * FROM activities WHERE _faults = ''"


def mark_machines(staged: StagedRows, business: Business) -> tuple[MachineCount, ...]:
    """
    Change the kind of the activities that are a machine's to that of their rule; the first rule that is met counts.

    Activities that the service has stored were judged when it stored them, and stay as they are.

    Args:
        staged: the staged rows, checked together; only valid ones count.
        business: the playbook, whose rules agree with each other.
    """
    if not business.machines:
        return ()
    staged.connection.execute("CREATE TEMP TABLE machine_marks (r BIGINT, rule USMALLINT, become VARCHAR)")
    for number, rule in enumerate(business.machines):
        met = _bursts(rule) if rule.at_least is not None else _answers(rule)
        mine = f"{_candidate(rule, staged)} AND r NOT IN (SELECT r FROM machine_marks)"
        marks = f"SELECT r, {number}, {literal(rule.become)} FROM ({met}) WHERE {mine} AND is_met"
        staged.connection.execute(f"INSERT INTO machine_marks {marks}")
    counts = tuple(_count(staged, number, rule) for number, rule in enumerate(business.machines))
    staged.connection.execute("UPDATE activities SET kind = become FROM machine_marks WHERE activities.rowid = r")
    return counts


def _bursts(rule: MachineRule) -> str:
    """
    Return the SELECT of a rule's activities and whether enough of them came before and were known by then.

    Of those in the same microsecond, the ones known earlier (then the smaller ids) come first: ``place`` is the place
    among them. The others that are needed must be among the earliest known of the seconds before.
    """
    needed = rule.at_least or 0
    before = f"RANGE BETWEEN {rule.within_us} PRECEDING AND 1 PRECEDING"
    earliest = f"min(known_at, {needed - 1}) OVER (PARTITION BY lead_id ORDER BY occurred_at {before})"
    place = "row_number() OVER (PARTITION BY lead_id, occurred_at ORDER BY known_at, activity_id)"
    counted = f"{_VALID} AND kind IN {listed(sorted(rule.counted))}"
    seen = f"SELECT *, {earliest} AS earliest, {place} AS place FROM ({counted})"
    enough = f"place >= {needed} OR coalesce(earliest[greatest({needed} - place, 1)] <= known_at, FALSE)"
    return f"SELECT *, {enough} AS is_met FROM ({seen})"


def _answers(rule: MachineRule) -> str:
    """Return the SELECT of a rule's activities and whether one of the kind they answer came just before them."""
    after = literal(rule.after)
    kinds = listed([*rule.kinds, str(rule.after)])
    before = f"RANGE BETWEEN {rule.within_us} PRECEDING AND CURRENT ROW"
    asked = f"min(known_at) FILTER (kind = {after}) OVER (PARTITION BY lead_id ORDER BY occurred_at {before})"
    return f"SELECT *, coalesce({asked} <= known_at, FALSE) AS is_met FROM ({_VALID} AND kind IN {kinds})"


def _candidate(rule: MachineRule, staged: StagedRows) -> str:
    """Return the test for the activities that a rule may change."""
    judged = [
        str(part.number)
        for part in staged.parts
        if isinstance(source := staged.exports[part.export_index].source, ActivitySource)
        and source.machines == "marked"
    ]
    own = f"kind IN {listed(rule.kinds)}"
    return f"{own} AND _part NOT IN ({', '.join(judged)})" if judged else own


def _count(staged: StagedRows, number: int, rule: MachineRule) -> MachineCount:
    marked = "SELECT count(*), count(DISTINCT lead_id) FROM activities AS a JOIN machine_marks AS m ON a.rowid = m.r"
    candidates = f"SELECT count(*) FROM activities WHERE _faults = '' AND {_candidate(rule, staged)}"
    ((count, leads),) = staged.connection.execute(f"{marked} WHERE m.rule = {number}").fetchall()
    ((total,),) = staged.connection.execute(candidates).fetchall()
    return MachineCount(
        kinds=rule.kinds, become=rule.become, test=rule.test, marked=int(count), of=int(total), leads=int(leads)
    )
