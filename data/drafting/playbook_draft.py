"""A playbook drafted from files: every source mapped, every name chosen, the goal proposed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import available_timezones

import duckdb

from data.drafting.activity_mapping import map_activities
from data.drafting.attribute_choice import AttributeChoice
from data.drafting.change_mapping import find_history, map_history
from data.drafting.column_facts import ColumnFacts, facts_of
from data.drafting.crm_shapes import recognised
from data.drafting.decisions import DecisionLog, DraftQuestion
from data.drafting.drafted_source import DraftedSource, DraftTools
from data.drafting.event_log_mapping import map_event_log
from data.drafting.file_roles import ExaminedFile, RoledFile, role_of, roles_of
from data.drafting.file_samples import FileSample, SampleTools, take_sample
from data.drafting.file_series import common_folder, joined_series
from data.drafting.goal_proposal import GoalProposal, amounts_by_stage, propose_capacity, propose_goal, stages_seen
from data.drafting.key_joins import IdColumns
from data.drafting.late_columns import collect_outcomes, late_kinds
from data.drafting.lead_attributes import decide_attributes
from data.drafting.lead_mapping import map_leads
from data.drafting.notation_agreement import agreeing
from data.drafting.outcome_mapping import map_outcomes, outcome_in_leads
from data.drafting.shipped_sources import ShippedSources, take_over
from data.drafting.vocabulary import known_words
from data.duckdb_settings import memory_limit, without_bars
from data.errors import IntakeError
from data.progress import Progress, tracked
from data.reading.cells import macros
from data.words.business import Business
from data.words.writing import IdRule


@dataclass(frozen=True, slots=True)
class PlaybookDraft:
    """
    All that is decided about a playbook.

    Attributes:
        sources: mapped, the leads first.
        unused: files that hold nothing needed.
        attributes: the choice for each column of the leads that is nothing else.
        late_kinds: kinds that only come with an outcome → the evidence.
        stages: in the order in which they were found.
        closed_by: those after which a lead is no longer open.
        final: those of these after which it never opens again.
        goal: the goal.
        capacity: leads that the team calls in a day, and why.
        timezone: of instants without an offset, and why.
        ids: how ids compare, and why.
        shipped: the shipped playbook from which sources were taken over, if any were.
        looked_up: files in which only others are looked up, and what meets them.
    """

    sources: tuple[DraftedSource, ...]
    unused: tuple[RoledFile, ...]
    attributes: tuple[AttributeChoice, ...]
    late_kinds: dict[str, str]
    stages: tuple[str, ...]
    closed_by: tuple[str, ...]
    final: tuple[str, ...]
    goal: GoalProposal
    capacity: tuple[float, str]
    timezone: tuple[str, str]
    ids: tuple[IdRule, str]
    shipped: Business | None = None
    looked_up: tuple[tuple[ExaminedFile, str], ...] = ()

    def facts_of(self, choice: AttributeChoice) -> ColumnFacts:
        """Return what is known of the column of an attribute, be it of the leads or of their history."""
        files = [self.leads.file, *(source.file for source in self.sources if source.value_columns)]
        return next(file.facts[choice.column] for file in files if choice.column in file.facts)

    @property
    def leads(self) -> DraftedSource:
        """The source of leads."""
        return self.sources[0]


def open_tools(scratch: Path, log: DecisionLog) -> DraftTools:
    """Return what drafting works with: a DuckDB of its own, whose spare data goes to a scratch folder."""
    connection = duckdb.connect(config={"memory_limit": memory_limit(), "temp_directory": str(scratch / "spill")})
    without_bars(connection)
    connection.execute("SET TimeZone = 'UTC'")
    for macro in macros("UTC"):
        connection.execute(f"CREATE MACRO {macro}")
    sampling = SampleTools(connection, scratch)
    return DraftTools(sampling, IdColumns(sampling), log)


def draft_playbook(paths: Sequence[Path], tools: DraftTools, progress: Progress) -> PlaybookDraft:
    """
    Decide everything about a playbook.

    Args:
        paths: the files.
        tools: the connection, and who answers questions.
        progress: is told how many files are read.

    Raises:
        IntakeError: a file cannot be read, or the files lack leads or outcomes.
    """
    files = [
        ExaminedFile(sample, agreeing(facts_of(sample, tools.sampling)), recognised(sample.columns))
        for sample in _samples(paths, tools.sampling, progress)
    ]
    shipped = take_over(files, tools)
    sources, unused = _mapped(files, shipped, tools)
    collect_outcomes(sources, tools.sampling)
    stages = _stage_names(sources)
    if not stages:
        raise IntakeError(_no_outcomes(unused))
    goal = propose_goal(
        stages_seen(stages, tools.sampling), amounts_by_stage(sources, tools.sampling), tools.sampling, tools.log
    )
    closed_by = _closing(stages, shipped)
    ends = tuple(dict.fromkeys((goal.stage, *closed_by)))
    decided = decide_attributes(sources, ends, tools, shipped=shipped)
    late = _late_kinds(sources, ends, tools, shipped)
    capacity, timezone = propose_capacity(tools.sampling, tools.log), _timezone(sources, tools.log)
    return PlaybookDraft(
        decided.sources,
        (*unused, *decided.unused),
        decided.choices,
        late,
        stages,
        closed_by,
        _final(closed_by, shipped),
        goal,
        capacity,
        timezone,
        _id_rule(sources, tools.log, shipped),
        shipped.business if shipped is not None else None,
        shipped.looked_up if shipped is not None else (),
    )


def _closing(stages: Sequence[str], shipped: ShippedSources | None) -> tuple[str, ...]:
    """Return the stages after which a lead is no longer open, of a shipped playbook as it says."""
    known = shipped.business.stages if shipped is not None else {}
    closing = shipped.business.closed_by if shipped is not None else ()
    entries = {stage: known_words().stage(stage) for stage in stages if stage not in known}
    return tuple(s for s in stages if s in closing or ((entry := entries.get(s)) is not None and entry.closes))


def _final(closed_by: Sequence[str], shipped: ShippedSources | None) -> tuple[str, ...]:
    """Return the closing stages after which a lead never opens again, of a shipped playbook as it says."""
    known = shipped.business.stages if shipped is not None else {}
    final = shipped.business.final_stages if shipped is not None else frozenset()
    entries = {stage: known_words().stage(stage) for stage in closed_by if stage not in known}
    return tuple(s for s in closed_by if s in final or ((entry := entries.get(s)) is not None and not entry.reopens))


def _no_outcomes(unused: Sequence[RoledFile]) -> str:
    wanted = (
        "No file says which leads succeeded: add the export of deals, opportunities or stages, or a column such as "
        "converted with its date, and draft again."
    )
    return "\n".join([wanted, *(f"{each.file.shown} is left out: {each.why}." for each in unused)])


def _samples(paths: Sequence[Path], tools: SampleTools, progress: Progress) -> list[FileSample]:
    folder = common_folder(paths)
    numbered = enumerate(tracked(paths, "reading files", progress))
    return joined_series([take_sample(path, number, folder=folder, tools=tools) for number, path in numbered], tools)


def _mapped(
    files: Sequence[ExaminedFile], shipped: ShippedSources | None, tools: DraftTools
) -> tuple[list[DraftedSource], list[RoledFile]]:
    """Map each file as the shipped playbook reads it, or else as it looks; return those of no use apart."""
    if shipped is None:
        roled = roles_of(files, tools.ids, tools.log)
        return _generic(roled, roled[0], tools)
    leads = shipped.sources[0]
    others = [file for file in files if file.shown not in shipped.reads]
    roled = [role_of(file, leads.roled, tools.ids, tools.log) for file in others]
    more, unused = _generic(roled, leads.roled, tools)
    sources = [*shipped.sources, *more]
    if leads.outcome is None and all(source.roled.role != "outcomes" for source in sources):
        outcome = outcome_in_leads(leads.file, list(leads.columns.values()), tools)
        sources[0] = replace(leads, outcome=outcome)
    return sources, [_with_reason(each, shipped, tools.log) for each in unused]


def _with_reason(unused: RoledFile, shipped: ShippedSources, log: DecisionLog) -> RoledFile:
    """Return a file that is left out with what the shipped playbook says of it, where its ids say nothing."""
    name = unused.file.shown
    why = shipped.lacking.get(name) or (shipped.empty.get(name) if unused.join is None else None)
    return unused if why is None else replace(unused, why=log.take(f"{unused.file.shown}: holds", "nothing", why))


def _generic(
    roled: Sequence[RoledFile], leads: RoledFile, tools: DraftTools
) -> tuple[list[DraftedSource], list[RoledFile]]:
    """Map each file by what it looks like; one that lacks what its role needs holds nothing."""
    may_be = [each for each in roled if each.role in {"activities", "outcomes"}]
    histories = {each.file.shown: found for each in may_be if (found := find_history(each, leads, tools))}
    has_outcomes = any(each.role == "outcomes" and each.file.shown not in histories for each in roled)
    sources: list[DraftedSource] = []
    unused: list[RoledFile] = []
    for each in roled:
        history = histories.get(each.file.shown)
        if history is not None:
            sources.append(map_history(each, history, tools))
        elif (source := _source(each, tools, takes_outcome=not has_outcomes)) is not None:
            sources.append(source)
        else:
            unused.append(each if each.role == "nothing" else _without_use(each, tools.log))
    return sources, unused


def _source(roled: RoledFile, tools: DraftTools, *, takes_outcome: bool) -> DraftedSource | None:
    match roled.role:
        case "leads":
            return map_leads(roled, tools, takes_outcome=takes_outcome)
        case "event_log":
            return map_event_log(roled, tools)
        case "activities":
            return map_activities(roled, tools)
        case "outcomes":
            return map_outcomes(roled, tools)
        case "lead_changes" | "nothing":
            return None


def _without_use(roled: RoledFile, log: DecisionLog) -> RoledFile:
    about = f"{roled.file.shown}: holds"
    why = f"it looks like {roled.role}, but no column says when, or which stage"
    return replace(roled, role="nothing", why=log.take(about, "nothing", why))


def _stage_names(sources: Sequence[DraftedSource]) -> tuple[str, ...]:
    names: list[str] = []
    for source in sources:
        names += source.words.values() if source.roled.role == "outcomes" else source.stages.values()
        names += source.outcome.stages.values() if source.outcome is not None else ()
    return tuple(dict.fromkeys(names))


def _late_kinds(
    sources: Sequence[DraftedSource], ends: Sequence[str], tools: DraftTools, shipped: ShippedSources | None
) -> dict[str, str]:
    late: dict[str, str] = {}
    for source in sources:
        if source.roled.role in {"activities", "event_log"}:
            late |= late_kinds(source, ends, tools.sampling)
            never = shipped.business.never_use if shipped is not None else ()
            kinds = {source.kind, *source.words.values()}
            late |= {kind: "the shipped playbook never uses it" for kind in never if kind in kinds}
    for kind, evidence in late.items():
        tools.log.take(f"never_use: {kind}", kind, evidence)
    return late


def _timezone(sources: Sequence[DraftedSource], log: DecisionLog) -> tuple[str, str]:
    """Ask for the zone of wall clocks, where a column has no offset; nothing in a file says it."""
    local = [
        f"{facts.name} of {source.file.shown}"
        for source in sources
        for facts in source.used
        if facts.dates is not None and not facts.dates.has_offset
    ]
    if not local:
        return "UTC", log.take("timezone", "UTC", "every instant says its offset")
    question = DraftQuestion(
        "timezone",
        "In which time zone are they written (such as Europe/Berlin)?",
        {"UTC": "UTC"},
        "UTC",
        lambda zone: zone in available_timezones(),
    )
    return log.ask(question, f"no offset from UTC stands in {', '.join(local[:3])}" + (", …" if local[3:] else ""))


def _id_rule(sources: Sequence[DraftedSource], log: DecisionLog, shipped: ShippedSources | None) -> tuple[IdRule, str]:
    if shipped is not None and shipped.business.ids != "exact":
        rule = shipped.business.ids
        return rule, log.take("ids", rule, f"as the shipped playbook {shipped.business.name} compares them")
    joins = [
        source.roled.join for source in sources if source.roled.join is not None and source.roled.join.rule != "exact"
    ]
    if not joins:
        return "exact", ""
    return joins[0].rule, log.take("ids", joins[0].rule, joins[0].says)
