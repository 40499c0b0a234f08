"""What the client answers: the JSON objects of the service as types; ``/openapi.json`` says what each field means."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict

Grade = Literal["A", "B", "C", "D"]
Role = Literal["champion", "shadow"]


class ItemResult(TypedDict):
    """What became of one item that was sent."""

    id: str | None
    status: Literal["stored", "duplicate", "quarantined", "rejected"]
    error: NotRequired[str]


@dataclass(frozen=True, slots=True)
class Taken:
    """
    What became of all items, in the order they were sent; what is stored is on the service's disk.

    >>> taken = Taken(({"id": "a", "status": "stored"}, {"id": "b", "status": "rejected", "error": "kind: …"}))
    >>> taken.stored, taken.rejected, taken.refused[0]["id"]
    (1, 1, 'b')
    """

    results: Sequence[ItemResult]

    @property
    def stored(self) -> int:
        """Count those that are new."""
        return self._count("stored")

    @property
    def duplicates(self) -> int:
        """Count those that were there already."""
        return self._count("duplicate")

    @property
    def quarantined(self) -> int:
        """Count those that wait until somebody releases them."""
        return self._count("quarantined")

    @property
    def rejected(self) -> int:
        """Count those that were not kept."""
        return self._count("rejected")

    @property
    def refused(self) -> list[ItemResult]:
        """Give those that were not kept, each with its error."""
        return [result for result in self.results if result["status"] == "rejected"]

    def _count(self, status: str) -> int:
        return sum(result["status"] == status for result in self.results)


class ReasonAnswer(TypedDict):
    """One line of a receipt."""

    code: str
    says: str
    points: float


class ScorerAnswer(TypedDict):
    """Which scorer made a score."""

    kind: Literal["rules", "model"]
    name: str
    version: str
    fingerprint: str


class ScoreAnswer(TypedDict):
    """An explained score: base_points plus the points of the reasons plus rest_points is points."""

    lead_id: str
    as_of: str
    score: int
    points: float
    base_points: float
    probability: float | None
    grade: Grade
    reasons: list[ReasonAnswer]
    rest_points: float
    stretch: float | None
    scorer: ScorerAnswer
    degraded: bool
    newest_activity_at: str | None
    threshold: float
    newest_activity_age_s: float | None


class UnknownLead(TypedDict):
    """A lead that the service does not know."""

    lead_id: str
    error: str


class RouteAnswer(TypedDict):
    """A lead that was handed over."""

    id: int
    lead_id: str
    score: int
    grade: Grade
    threshold: float
    routed_at: str
    reasons: list[ReasonAnswer]


class ModelAnswer(TypedDict):
    """Which scorer answers, for which goal, and from which points a lead is handed over."""

    scorer: ScorerAnswer
    degraded: bool
    problem: str | None
    goal: dict[str, Any]
    bands: dict[str, float]
    hysteresis_points: float
    features: int
    card: dict[str, Any] | None
    standing: dict[str, Any] | None
    champion: dict[str, Any] | None
    shadow: dict[str, Any] | None


class ReadyAnswer(TypedDict):
    """Whether the service can answer, and whether a stand-in does."""

    status: Literal["ok"]
    degraded: bool
