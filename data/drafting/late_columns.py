# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""What the outcomes show: columns filled only for leads that have one, and kinds that only come with one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from data.drafting.column_facts import ColumnContent, ColumnFacts
from data.drafting.drafted_source import DraftedSource
from data.drafting.file_samples import SampleTools
from data.drafting.key_joins import compared
from data.sql import listed, literal, quoted

_SECOND_US = 1_000_000
_NEARLY_NONE = 0.01
_CLEARLY_SOME = 0.2
_FEW_LEADS = 20
_FEW_EVENTS = 20
_OUTCOMES = "CREATE OR REPLACE TABLE stages_reached (lead_id VARCHAR, stage VARCHAR, reached_us BIGINT)"
_LEADS = "CREATE OR REPLACE TABLE leads_created (lead_id VARCHAR, created_us BIGINT)"


@dataclass(frozen=True, slots=True)
class LateEvidence:
    """Columns of the leads that are filled only with an outcome: the share of rows with and without one."""

    filled: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    rows: tuple[int, int] = (0, 0)

    def says(self, column: str) -> str:
        """Return the evidence against a column in words; '' if there is none."""
        with_outcome, without = self.filled.get(column, (0, 0))
        if min(self.rows) < _FEW_LEADS or not with_outcome:
            return ""
        shares = with_outcome / self.rows[0], without / self.rows[1]
        if shares[0] < _CLEARLY_SOME or shares[1] > _NEARLY_NONE:
            return ""
        return f"filled in {shares[0]:.0%} of rows of leads with an outcome, in {shares[1]:.1%} of the others"


def collect_outcomes(sources: Sequence[DraftedSource], tools: SampleTools) -> None:
    """Put the leads and the stages they reached, as the sources are drafted, into two tables."""
    tools.connection.execute(_OUTCOMES)
    tools.connection.execute(_LEADS)
    for source in sources:
        key, table = source.columns["lead_id"], source.file.sample.table
        if source.roled.role in {"leads", "event_log"}:
            first = f"SELECT {quoted(key)}, min({source.instant(_created(source))}) FROM {table} GROUP BY 1"
            tools.connection.execute(f"INSERT INTO leads_created {first}")
        if source.outcome is not None:
            _insert(_outcomes_of_leads(source), tools)
        stages = source.words if source.roled.role == "outcomes" else source.stages
        if stages:
            reached = source.instant("reached_at" if source.roled.role == "outcomes" else "occurred_at")
            _insert(f"SELECT {_leads_id(source)}, {_named(source.word, stages)}, {reached} FROM {table}", tools)


def _leads_id(source: DraftedSource) -> str:
    """Return the SQL of a lead's id as the leads write it, where both are compared by another rule than exact."""
    key, join = quoted(source.columns["lead_id"]), source.roled.join
    if join is None or join.rule == "exact":
        return key
    same = f"{compared(join.rule, 'v')} = {compared(join.rule, key)}"
    return f"(SELECT any_value(v) FROM {join.keys.table} WHERE {same})"


def met_leads(source: DraftedSource) -> str:
    """Return the SQL that tests whether a row of a source names a lead."""
    join = source.roled.join
    if join is None:
        return "TRUE"
    keys = f"SELECT {compared(join.rule, 'v')} FROM {join.keys.table}"
    return f"{compared(join.rule, quoted(join.ids.column))} IN ({keys})"


def _created(source: DraftedSource) -> str:
    return "created_at" if source.roled.role == "leads" else "occurred_at"


def _named(word: str, stages: Mapping[str, str]) -> str:
    cases = " ".join(f"WHEN {literal(each)} THEN {literal(stage)}" for each, stage in stages.items())
    return f"CASE {word} {cases} END"


def _outcomes_of_leads(source: DraftedSource) -> str:
    outcome = source.outcome
    if outcome is None:
        return ""
    facts = source.file.facts[outcome.columns["column"]]
    named = {}
    for word in facts.words:
        value = word in facts.yes or word.lower() in {"true", "1", "yes"} if _is_boolean(facts) else word
        if value in outcome.stages:
            named[word] = outcome.stages[value]
    reached = source.file.facts[outcome.columns["reached_at"]]
    instant = reached.dates.as_us(quoted(reached.name)) if reached.dates is not None else "NULL::BIGINT"
    stage = _named(quoted(facts.name), named) if named else "NULL::VARCHAR"
    return f"SELECT {quoted(source.columns['lead_id'])}, {stage}, {instant} FROM {source.file.sample.table}"


def _is_boolean(facts: ColumnFacts) -> bool:
    return facts.content is ColumnContent.BOOLEAN


def _insert(rows: str, tools: SampleTools) -> None:
    tools.connection.execute(f"INSERT INTO stages_reached SELECT * FROM ({rows}) AS r(l, s, u) WHERE s IS NOT NULL")


def late_evidence(source: DraftedSource, closing: Sequence[str], tools: SampleTools) -> LateEvidence:
    """
    Compare how full the columns of leads are with and without an outcome; ``false`` and 0 count as empty.

    Args:
        source: of the leads.
        closing: stages that close a lead, and the goal.
        tools: the connection that holds the samples and the outcomes.
    """
    if source.roled.role != "leads":
        return LateEvidence()
    names = list(source.file.facts)
    has = (
        f"{quoted(source.columns['lead_id'])} IN (SELECT lead_id FROM stages_reached WHERE stage IN {listed(closing)})"
    )
    cells = [f"CASE WHEN lower({quoted(name)}) NOT IN ('false', '0', 'no') THEN 1 END" for name in names]
    table = f"(SELECT *, coalesce({has}, FALSE) AS has FROM {source.file.sample.table})"
    counted = ", ".join(f"count({cell})" for cell in cells)
    groups = tools.values(f"SELECT has, count(*), {counted} FROM {table} GROUP BY 1")
    found = {has_outcome: counts for has_outcome, *counts in groups}
    nobody = [0] * (1 + len(names))
    (had, *with_outcome), (had_not, *without) = found.get(True, nobody), found.get(False, nobody)
    return LateEvidence(dict(zip(names, zip(with_outcome, without, strict=True), strict=True)), (had, had_not))


def late_kinds(source: DraftedSource, closing: Sequence[str], tools: SampleTools) -> dict[str, str]:
    """
    Return the kinds of a source that never come before an outcome, with the evidence.

    Args:
        source: of activities.
        closing: stages that close a lead, and the goal.
        tools: the connection that holds the samples and the outcomes.
    """
    if not closing or not source.words:
        return {}
    ends = f"SELECT lead_id, min(reached_us) AS ends FROM stages_reached WHERE stage IN {listed(closing)} GROUP BY 1"
    kind, table = _named(source.word, source.words), source.file.sample.table
    facts = f"{_leads_id(source)} AS lead_id, {kind} AS kind, {source.instant('occurred_at')} AS us"
    early = f"count(*) FILTER (ends IS NULL OR us < ends - {_SECOND_US})"
    joined = f"(SELECT {facts} FROM {table}) LEFT JOIN ({ends}) USING (lead_id) WHERE kind IS NOT NULL"
    counted = tools.values(f"SELECT kind, count(*), {early} FROM {joined} GROUP BY 1")
    return {
        name: f"{n - before:,} of {n:,} come with an outcome or after it"
        for name, n, before in counted
        if n >= _FEW_EVENTS and before <= _NEARLY_NONE * n
    }
