"""Values of today: no attribute without a history shows what happened after the lead was created."""

from collections.abc import Mapping, Sequence

import numpy as np

from data.importing.unversioned_attributes import may_change, unversioned_attributes
from data.words.playbook import Business
from training.gates.gate import GateResult, named, pronouns
from training.gates.leakage.aged_leads import AgedLeads
from training.gates.leakage.marks_of_today import FEWEST, MarkOfToday, marks_of_today, telling

NAME = "values of today"
VERSIONED = 0.01
"""Where fewer leads have a later version, ``known_at`` of the leads says no more than their creation."""

_KINDS = ("age", "activity", "outcome")


def todays_values(leads: AgedLeads) -> GateResult:
    """
    Look for attributes that hold the values of the export where those of the lead's creation are expected.

    Args:
        leads: as they stand at the export; their playbook says which attributes have a history, or are marked
            ``as_of_creation``.
    """
    attributes = _unversioned(leads, leads.business)
    if not attributes:
        says = "Every attribute that may be used has a history, or was known when the lead was created."
        return GateResult(name=NAME, passed=True, says=says, numbers={"attributes": 0})
    marks = marks_of_today(leads, attributes)
    found = {name: telling([mark for mark in marks if mark.attribute == name]) for name in attributes}
    guilty = {name: each for name, each in found.items() if each}
    numbers = {"attributes": len(attributes), "leads": len(leads.rows), **_strongest(marks)}
    if guilty:
        return GateResult(name=NAME, passed=False, says=_describe(guilty), numbers=numbers)
    says = (
        f"{named(attributes)} {'have' if attributes[1:] else 'has'} no history, so that today's values may stand where "
        "earlier ones were; none grows with the age of the lead, is reproduced by its later activities or jumps with "
        "the outcome."
    )
    return GateResult(name=NAME, passed=True, says=says, numbers=numbers, conclusive=_is_enough(leads, attributes))


def _unversioned(leads: AgedLeads, business: Business) -> list[str]:
    """Name the attributes whose source has no ``known_at``, or all where no lead has more than its first version."""
    if leads.versioned < VERSIONED:
        named_ = list(business.attributes)
    else:
        named_ = [name for each in unversioned_attributes(business) for name in each.attributes]
    return [name for name in dict.fromkeys(named_) if may_change(name, business) and name in leads.rows]


def _is_enough(leads: AgedLeads, attributes: Sequence[str]) -> bool:
    """Return whether each attribute is known of enough accounts that a strong mark would show."""
    known = [leads.group[leads.rows[name].notna().to_numpy()] for name in attributes]
    return all(len(np.unique(groups)) >= FEWEST for groups in known)


def _strongest(marks: Sequence[MarkOfToday]) -> dict[str, float]:
    """Return the strongest mark of each kind."""
    return {kind: max((mark.value for mark in marks if mark.kind == kind), default=0.0) for kind in _KINDS}


def _describe(guilty: Mapping[str, Sequence[MarkOfToday]]) -> str:
    """Describe the marks of each attribute, and what to do."""
    found = "; ".join(
        f"{name} holds the value of the export: {' and '.join(mark.says for mark in marks)}"
        for name, marks in guilty.items()
    )
    it, was = pronouns(guilty)
    return (
        f"{found}. Export the history of {named(guilty)} with known_at, put {it} on never_use, or set as_of_creation: "
        f"true for {it} in playbook.yaml if {was} known when the lead was created and never changed."
    )
