"""Sources taken over from the shipped playbook of a system whose tables a company's files are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from data.drafting.activity_mapping import MOST_KINDS
from data.drafting.change_mapping import shipped_words, with_values
from data.drafting.column_facts import ColumnContent, ColumnFacts
from data.drafting.drafted_source import DraftedSource, DraftTools, LeadOutcome, SourceSelection, distinct_words
from data.drafting.file_roles import ENOUGH_MEET, ExaminedFile, RoledFile, why_apart
from data.drafting.lead_mapping import map_leads
from data.drafting.selected_samples import STAGE, SelectedSample, select_sample
from data.drafting.shipped_playbooks import ShippedPlaybook, SystemFile, shipped_playbooks, system_files
from data.drafting.shipped_words import meanings
from data.drafting.source_fitting import FittedSource, fit_source
from data.words.business import Business
from data.words.sources import FileSource, LeadChangeSource, LeadSource, OutcomeSource, StoreSource

_INSTANTS = ("created_at", "occurred_at", "reached_at")
_IDS = ("lead_id", "account_id", "activity_id", "outcome_id")
_UNIQUE = 0.98
_WRONG = 0.01


@dataclass(frozen=True, slots=True)
class ShippedSources:
    """
    What a draft takes over from a shipped playbook.

    Attributes:
        system: the system's name.
        business: the shipped playbook, with the rule by which the company's ids compare.
        sources: the sources, the leads first.
        looked_up: files in which only others are looked up → what meets a row there.
        lacking: file → what else the shipped playbook needs to read it.
        empty: file → why no row of it is one that the shipped playbook counts.
    """

    system: str
    business: Business
    sources: tuple[DraftedSource, ...]
    looked_up: tuple[tuple[ExaminedFile, str], ...] = ()
    lacking: Mapping[str, str] = field(default_factory=dict)
    empty: Mapping[str, str] = field(default_factory=dict)

    @property
    def reads(self) -> set[str]:
        """The names of the files that it reads."""
        return {
            file.shown for file in (*(source.file for source in self.sources), *(file for file, _ in self.looked_up))
        }


def take_over(files: Sequence[ExaminedFile], tools: DraftTools) -> ShippedSources | None:
    """
    Take over the sources of a shipped playbook whose columns the files have.

    Returns:
        The sources; None if the files are those of no such system, or their leads cannot be read by its playbook.
    """
    fitted = [(shipped, found) for shipped in shipped_playbooks() if (found := _fitted(shipped, files))]
    if not fitted:
        return None
    shipped, sources = max(fitted, key=lambda each: sum(not source.lacking for source in each[1]))
    return _drafted(shipped, sources, tools)


def _fitted(shipped: ShippedPlaybook, files: Sequence[ExaminedFile]) -> list[FittedSource]:
    """Return the sources of a shipped playbook in the company's names; none if the files are of another system."""
    known = system_files(shipped, files)
    largest: dict[str, SystemFile] = {}
    for each in sorted(known, key=lambda each: each.file.sample.rows):
        largest[each.name] = each
    sources = [source for source in shipped.business.sources if not isinstance(source, StoreSource)]
    fitted = [fit_source(source, each, largest) for source in sources for each in known if each.name == source.file]
    usable = [each for each in fitted if not each.lacking]
    is_recognised = any(file.shape is not None and file.shape.system == shipped.shape.name for file in files)
    has_leads = any(isinstance(each.source, LeadSource) for each in usable)
    return fitted if has_leads and (is_recognised or len(usable) > 1) else []


def _drafted(shipped: ShippedPlaybook, fitted: Sequence[FittedSource], tools: DraftTools) -> ShippedSources | None:
    name = shipped.business.name
    business = _with_rule(shipped.business, fitted, tools)
    lacking = {
        each.file.shown: f"the shipped playbook {name} reads it with {', '.join(each.lacking)}, which the files lack"
        for each in fitted
        if each.lacking
    }
    sources: list[DraftedSource] = []
    empty: dict[str, str] = {}
    for each in sorted((each for each in fitted if not each.lacking), key=lambda each: each.source.holds != "leads"):
        leads = sources[0].roled if sources else None
        source = _source(each, shipped, business, leads=leads, tools=tools)
        if isinstance(source, str):
            empty[each.file.shown] = source
        else:
            sources.append(source)
    if not sources or sources[0].roled.role != "leads":
        return None
    return ShippedSources(shipped.shape.name, business, tuple(sources), _looked_up(sources), lacking, empty)


def _with_rule(business: Business, fitted: Sequence[FittedSource], tools: DraftTools) -> Business:
    """Return the shipped playbook, by the exact rule where the leads' ids are not what its own rule takes them for."""
    if business.ids != "salesforce":
        return business
    leads = next(each for each in fitted if isinstance(each.source, LeadSource) and not each.lacking)
    ids = tools.ids.of(leads.file.sample, leads.source.columns.lead_id)
    wrong = tools.sampling.values(f"SELECT avg(wrong_check(v)::INTEGER) FROM {ids.table}")[0][0]  # noqa: S608 - our own
    return business if (wrong or 0) <= _WRONG else business.model_copy(update={"ids": "exact"})


def _looked_up(sources: Sequence[DraftedSource]) -> tuple[tuple[ExaminedFile, str], ...]:
    """Return the files in which rows are looked up and that are no source themselves, with what meets them."""
    read = {source.file.shown for source in sources}
    found: dict[str, tuple[ExaminedFile, str]] = {}
    for selection in filter(None, (source.selection for source in sources)):
        for file, join in zip(selection.there, selection.joins, strict=True):
            if file.shown not in read:
                met = f"{join.met:,} of {join.rows:,} {', '.join(join.keys)} of {join.file} meet one of its rows"
                found.setdefault(file.shown, (file, met))
    return tuple(found.values())


def _source(
    fitted: FittedSource, shipped: ShippedPlaybook, business: Business, *, leads: RoledFile | None, tools: DraftTools
) -> DraftedSource | str:
    """Return a source as it is drafted, or why it is of no use."""
    source = fitted.source
    columns = {
        role: name for role, name in source.columns.model_dump(exclude_none=True).items() if isinstance(name, str)
    }
    ids = {columns[role] for role in _IDS if role in columns}
    ids |= {name for lookup in source.via for name in (*lookup.match, *lookup.take)}
    selected = select_sample(fitted, sorted(ids), playbook=business, tools=tools.sampling)
    if not selected.taken:
        return f"the shipped playbook {business.name} reads it, but {_why_empty(fitted, selected)}"
    instants = ("known_at",) if isinstance(source, LeadChangeSource) else _INSTANTS
    timeless = [columns[role] for role in instants if role in columns and not _has_instants(selected, columns[role])]
    if timeless:
        return f"the shipped playbook {business.name} reads {timeless[0]} as instants, and its cells are none"
    says = _says(fitted, selected, shipped)
    about = f"{fitted.file.shown}: holds"
    roled = RoledFile(selected.file, source.holds, columns["lead_id"], None, tools.log.take(about, source.holds, says))
    selection = SourceSelection(source, fitted.file, selected.taken, fitted.there, selected.joins, fitted.dropped)
    if isinstance(source, LeadSource):
        return _leads(roled, source, selection, tools)
    return _facts(roled, source, selection, leads=leads, tools=tools)


def _why_empty(fitted: FittedSource, selected: SelectedSample) -> str:
    """Return what leaves out every row of a source: a lookup that none of them meets, or its conditions."""
    for lookup, join in zip(fitted.source.via, selected.joins, strict=True):
        if lookup.unmet == "ignore" and not join.met:
            return f"0 of {join.rows:,} {', '.join(join.keys)} meet a row of {join.there}"
    return f"none of its rows has the {', '.join(fitted.source.where or ())} that counts there"


def _has_instants(selected: SelectedSample, column: str) -> bool:
    facts = selected.file.facts[column]
    return facts.content is ColumnContent.INSTANT and facts.dates is not None


def _says(fitted: FittedSource, selected: SelectedSample, shipped: ShippedPlaybook) -> str:
    whole, shape = fitted.file.sample.rows, fitted.file.shape
    table = shape.says if shape is not None and shape.shape.holds != "nothing" else shipped.shape.name
    counted = f"; {selected.taken:,} of its {whole:,} rows count" if selected.taken != whole else ""
    return f"{table}; read as {fitted.name} of the shipped playbook {shipped.business.name}{counted}"


def _leads(roled: RoledFile, source: LeadSource, selection: SourceSelection, tools: DraftTools) -> DraftedSource:
    drafted = map_leads(roled, tools, takes_outcome=False)
    said = source.columns.model_dump(exclude_none=True)
    outcome = source.outcome
    mapped = None
    if outcome is not None:
        columns = outcome.model_dump(exclude_none=True, exclude={"stages"})
        if outcome.reached_at in roled.file.facts and roled.file.facts[outcome.reached_at].dates is not None:
            why = tools.log.take(f"{roled.file.shown}: outcome", outcome.column, "as this system exports it")
            mapped = LeadOutcome(columns, outcome.stages, why)
    return replace(drafted, columns={**drafted.columns, **said}, outcome=mapped, selection=selection)


def _facts(
    roled: RoledFile,
    source: FileSource,
    selection: SourceSelection,
    *,
    leads: RoledFile | None,
    tools: DraftTools,
) -> DraftedSource | str:
    """Return a source of changes, activities or outcomes, its words translated; or why its rows are of no use."""
    assert leads is not None  # noqa: S101 - leads come first, and without them nothing is taken over
    join = tools.ids.join(tools.ids.of(roled.file.sample, roled.key), tools.ids.of(leads.file.sample, leads.key))
    if join.share < ENOUGH_MEET:
        return why_apart(join, tools.ids)
    columns, whys = _columns(roled, source, tools)
    whys["lead_id"] = tools.log.take(f"{roled.file.shown}: lead_id", roled.key, join.says)
    drafted = DraftedSource(replace(roled, join=join), columns, whys, selection=selection)
    if isinstance(source, LeadChangeSource):
        seen = roled.file.facts[columns["attribute"]]
        named, word_whys = shipped_words(source, seen, file=roled.file.shown, log=tools.log)
        return with_values(replace(drafted, words=named, word_whys=word_whys), tools)
    if isinstance(source, OutcomeSource) and source.stage is not None:
        return replace(drafted, kind_columns=(STAGE,), words={source.stage: source.stage})
    kind: str | None = getattr(source, "kind", None)
    if kind is not None:
        return replace(drafted, kind=kind)
    kinds = getattr(source.columns, "kind", None) or columns.get("stage", "")
    drafted = replace(drafted, kind_columns=(kinds,) if isinstance(kinds, str) else tuple(kinds))
    counted = distinct_words(drafted, tools.sampling, MOST_KINDS)
    words = meanings(source, counted, file=roled.file.shown, log=tools.log)
    return replace(drafted, words=words.named, word_whys=words.whys, ignore=words.ignore)


def _columns(roled: RoledFile, source: FileSource, tools: DraftTools) -> tuple[dict[str, str], dict[str, str]]:
    """Return the columns by role, but ids that repeat and numbers and instants that are none; and why."""
    said = source.columns.model_dump(exclude_none=True, exclude={"kind"})
    columns = {role: name for role, name in said.items() if _fits(role, roled.file.facts[name], roled, tools)}
    whys = {role: tools.log.take(f"{roled.file.shown}: {role}", name, "") for role, name in columns.items()}
    return columns, whys


def _fits(role: str, facts: ColumnFacts, roled: RoledFile, tools: DraftTools) -> bool:
    """Test whether a column can be what the shipped playbook takes it for."""
    match role:
        case "activity_id" | "outcome_id":
            ids = tools.ids.of(roled.file.sample, facts.name)
            return ids.distinct >= _UNIQUE * ids.rows
        case "amount" | "value" if roled.role != "lead_changes":
            is_clear = facts.numbers is not None and not facts.numbers.is_ambiguous
            return facts.content is ColumnContent.NOTHING or (facts.content is ColumnContent.NUMBER and is_clear)
        case "known_at":
            return facts.dates is not None
        case _:
            return True
