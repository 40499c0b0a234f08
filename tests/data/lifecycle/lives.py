"""Random lives of leads, and the rule of who is open by hand: what is known is looked through at every instant."""

from dataclasses import dataclass

import pandas as pd
from hypothesis import strategies as st

from data.instants import DAY_US
from data.lifecycle.lead_lifecycle import Lifecycle, ReachedStage

STAGES = ("met", "won", "lost", "disqualified")
LIFECYCLE = Lifecycle(
    STAGES, frozenset({"won", "lost", "disqualified"}), frozenset({"won"}), frozenset({"demo", "trial"})
)
LEADS = ("a", "b", "c")
LAST = 12 * DAY_US

instants = st.sampled_from([part * DAY_US // 2 for part in range(20)])
delays = st.sampled_from([0, 1, DAY_US // 2, DAY_US, 2 * DAY_US + 1])
outcomes = st.tuples(st.sampled_from(LEADS), st.sampled_from(STAGES), instants, delays)
activities = st.tuples(st.sampled_from(LEADS), st.sampled_from(["demo", "trial", "visit"]), instants, delays)


@dataclass(frozen=True)
class Life:
    """What leads reached and did: (lead, stage or kind, when, how much later it was known)."""

    outcomes: list[tuple[str, str, int, int]]
    activities: list[tuple[str, str, int, int]]

    def tables(self):
        """Return leads, activities and outcomes as frames of the contract, all leads known from before everything."""
        rows = [(lead, what, at, at + late) for lead, what, at, late in self.activities]
        did = pd.DataFrame(rows, columns=["lead_id", "kind", "occurred_at", "known_at"])
        rows = [(lead, what, at, at + late) for lead, what, at, late in self.outcomes]
        reached = pd.DataFrame(rows, columns=["lead_id", "stage", "reached_at", "known_at"])
        types = {"lead_id": "str", "known_at": "int64"}
        return (
            pd.DataFrame({"lead_id": LEADS, "known_at": [-1] * len(LEADS)}),
            did.astype({**types, "kind": "str", "occurred_at": "int64"}),
            reached.astype({**types, "stage": "str", "reached_at": "int64"}),
        )

    def known(self, lead, as_of):
        """Return what is known of a lead: stages, and when it did what opens leads again."""
        reached = [ReachedStage(what, at, at + late) for who, what, at, late in self.outcomes if who == lead]
        opened = [
            (at, at + late) for who, what, at, late in self.activities if who == lead and what in LIFECYCLE.reopening
        ]
        return [each for each in reached if each.known_at < as_of], [at for at, known in opened if known < as_of]


lives = st.builds(Life, st.lists(outcomes, max_size=8), st.lists(activities, max_size=8))


def is_open_by_hand(reached, opened, lifecycle=LIFECYCLE):
    """Ask of every ending whether it is final, or nothing that happened after it opens the lead again."""
    endings = [each for each in reached if each.stage in lifecycle.closing]
    return all(
        ending.stage not in lifecycle.final
        and any(
            at > ending.reached_at and not (at <= ending.reached_at + DAY_US and at <= ending.known_at) for at in opened
        )
        for ending in endings
    )
