"""What the lists of the test weeks promised, and what came of it."""

from itertools import groupby

from pydantic import Field

from training.statistics.estimate import EvaluationPart

LEVEL = 0.95
"""How often what comes lies within the range that chance allows."""


class ListGroup(EvaluationPart):
    """Some of the leads on the lists: how many successes their chances promised, and how many came."""

    by: str = Field(description="what the leads are told apart by: all leads, days of silence, age, grade or a segment")
    says: str = Field(description="which leads these are")
    leads: float = Field(description="on an average list; a lead that was drawn may stand for several")
    promised: float = Field(description="successes on an average list, if the chances are right")
    came: float
    low: float = Field(description="where the chances are right, at least so many come 95 times in 100, with `high`")
    high: float
    known: bool = Field(description="whether the train rows have enough such leads to speak about them")

    @property
    def as_promised(self) -> bool:
        """Whether what came is what chance allows around what was promised."""
        return self.low <= self.came <= self.high


class ListTest(EvaluationPart):
    """Everybody open at several instants of the test weeks, scored as a list would be: promised against came."""

    instants: tuple[str, ...]
    groups: tuple[ListGroup, ...] = Field(description="all leads first")

    @property
    def whole(self) -> ListGroup:
        """All leads."""
        return self.groups[0]

    @property
    def kinds(self) -> list[tuple[str, list[ListGroup]]]:
        """What leads are told apart by, each with its groups, in their order."""
        return [(by, list(groups)) for by, groups in groupby(self.groups, key=lambda group: group.by)]

    @property
    def says(self) -> str:
        """What all leads were promised and what came, in a sentence without its full stop."""
        whole, lists = self.whole, len(self.instants)
        return (
            f"{lists} {'list' if lists == 1 else 'lists'} of the test weeks, {whole.leads:,.0f} open leads each, "
            f"promised {whole.promised:,.1f} successes on average and {whole.came:,.1f} came (chance allows "
            f"{whole.low:,.1f} to {whole.high:,.1f})"
        )
