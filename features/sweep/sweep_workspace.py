"""What a sweep works in, made once for many entities or many questions."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.sweep.plan import PlanArrays
from features.sweep.sweep_state import LeadParts, Lists, Sizes, State, new_lists, new_parts, new_state


class SweptEntity(NamedTuple):
    """What is needed for one entity at a time, besides its state: its facts as they become known, and by lead."""

    is_known: NDArray[np.uint8]
    belongs: NDArray[np.uint8]
    lead_start: NDArray[np.int64]
    lead_facts: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SweepWorkspace:
    """
    What a sweep works in; it is left as it was found.

    Attributes:
        sizes: how large an entity may be.
        state: of the entity at hand.
        others: of an account without one of its leads.
        lists: its facts by group.
        parts: the parts of its leads.
        entity: its facts as they become known, and by lead.
    """

    sizes: Sizes
    state: State
    others: State
    lists: Lists
    parts: LeadParts
    entity: SweptEntity

    @classmethod
    def of(cls, plan: PlanArrays, sizes: Sizes) -> "SweepWorkspace":
        """Return a workspace for entities of at most some sizes."""
        state = new_state(plan)
        return cls(
            sizes=sizes,
            state=state,
            others=new_state(plan) if sizes.leads else state,
            lists=new_lists(plan, sizes),
            parts=new_parts(plan, sizes),
            entity=SweptEntity(
                is_known=np.zeros(sizes.facts, np.uint8),
                belongs=np.zeros(sizes.leads, np.uint8),
                lead_start=np.zeros(sizes.leads + 1, np.int64),
                lead_facts=np.zeros(sizes.facts if sizes.leads else 0, np.int64),
            ),
        )
