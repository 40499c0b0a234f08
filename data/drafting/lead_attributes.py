"""The attributes of a draft: those of the leads' columns, and those that histories hold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from data.drafting.attribute_choice import AttributeChoice, ColumnUse, NamedAttribute, choose_attributes
from data.drafting.change_mapping import with_names
from data.drafting.drafted_source import DraftedSource, DraftTools
from data.drafting.event_log_mapping import case_columns
from data.drafting.file_roles import RoledFile
from data.drafting.late_columns import late_evidence
from data.drafting.shipped_sources import ShippedSources
from data.words.sources import LeadSource


@dataclass(frozen=True, slots=True)
class LeadAttributes:
    """
    What is decided about attributes.

    Attributes:
        sources: all sources, attributes mapped, the leads first.
        choices: the choice for each column of the leads that is nothing else, and for what histories alone hold.
        unused: histories of columns of which none became an attribute.
    """

    sources: tuple[DraftedSource, ...]
    choices: tuple[AttributeChoice, ...]
    unused: tuple[RoledFile, ...]


def decide_attributes(
    sources: Sequence[DraftedSource], ends: Sequence[str], tools: DraftTools, *, shipped: ShippedSources | None
) -> LeadAttributes:
    """
    Decide which columns become attributes, and map them in the leads and in their histories.

    Args:
        sources: mapped, the leads first.
        ends: stages that close a lead, and the goal.
        tools: the samples and the decisions.
        shipped: what was taken over from a shipped playbook, if anything was.
    """
    leads, histories = sources[0], [source for source in sources if source.roled.role == "lead_changes"]
    named = _named_by(leads, shipped) if shipped is not None else {}
    own = {column for source in histories if source.selection is None for column in source.words.values()}
    told = {name: each.file.shown for each in histories if each.selection is not None for name in each.words.values()}
    evidence = late_evidence(leads, ends, tools.sampling)
    choices = choose_attributes(leads.file, _used(leads), evidence, tools.log, named=named, histories=own, told=told)
    kept = {choice.column: choice for choice in choices if choice.use is not ColumnUse.LEFT_OUT}
    names = {column: choice.name for column, choice in kept.items()}
    mapped, unused = [_with_choices(leads, choices)], list[RoledFile]()
    for source in sources[1:]:
        given = with_names(source, names, tools) if source in histories and source.selection is None else source
        if given is None:
            why = tools.log.take(f"{source.file.shown}: holds", "nothing", "none of its columns is an attribute")
            unused.append(replace(source.roled, role="nothing", why=why))
        else:
            mapped.append(given)
    alone = _from_histories_alone(mapped, set(names.values()), shipped) if shipped is not None else []
    return LeadAttributes(tuple(mapped), (*choices, *alone), tuple(unused))


def _used(leads: DraftedSource) -> set[str]:
    """Return the columns of the leads that are something else than attributes."""
    if leads.roled.role == "event_log":
        return set(leads.file.facts) - set(case_columns(leads))
    dumped = {leads.snapshot.column} if leads.snapshot is not None else set()
    return {facts.name for facts in leads.used} | (leads.file.facts.keys() - leads.whole.facts.keys()) | dumped


def _with_choices(leads: DraftedSource, choices: Sequence[AttributeChoice]) -> DraftedSource:
    kept = [choice for choice in choices if choice.use is not ColumnUse.LEFT_OUT]
    return replace(
        leads,
        attributes={choice.name: choice.column for choice in kept},
        attribute_whys={choice.name: choice.why for choice in kept},
        left_out={choice.column: choice.why for choice in choices if choice.use is ColumnUse.LEFT_OUT},
    )


def _named_by(leads: DraftedSource, shipped: ShippedSources) -> dict[str, NamedAttribute]:
    """Return the columns of the leads that the shipped playbook takes as attributes."""
    source = leads.selection.source if leads.selection is not None else None
    attributes = (source.attributes or {}) if isinstance(source, LeadSource) else {}
    return {column: NamedAttribute(name, shipped.business.attributes[name]) for name, column in attributes.items()}


def _from_histories_alone(
    sources: Sequence[DraftedSource], known: set[str], shipped: ShippedSources
) -> list[AttributeChoice]:
    """Return the attributes of histories of a shipped playbook that no column of the leads holds."""
    found: dict[str, AttributeChoice] = {}
    for source in (source for source in sources if source.roled.role == "lead_changes" and source.selection):
        for name in source.words.values():
            if name not in known:
                column, why = f"{source.columns['value']} of {name}", f"from {source.file.shown} alone"
                attribute = shipped.business.attributes[name]
                found.setdefault(name, AttributeChoice(column, ColumnUse.ATTRIBUTE, why, name, shipped=attribute))
    return list(found.values())
