"""
The answers of the service as types; ``python -m tests.client.answer_types`` writes this file.

``/openapi.json`` is where they come from.
"""

from typing import Any, Literal, NotRequired, TypedDict


class HealthDict(TypedDict):
    """The process runs."""

    status: Literal["ok"]


class ReadyDict(TypedDict):
    """The service can answer."""

    degraded: bool
    status: Literal["ok"]


class ResultDict(TypedDict):
    """What became of one item."""

    error: NotRequired[str | None]
    id: str | None
    status: Literal["stored", "duplicate", "quarantined", "rejected"]


class TakenDict(TypedDict):
    """What became of all items; what is stored is on disk."""

    duplicates: int
    quarantined: int
    rejected: int
    results: list[ResultDict]
    stored: int


class NoteDict(TypedDict):
    """Something that an administrator did."""

    about: str
    act: str
    actor: str
    at: str
    id: int


class NotesDict(TypedDict):
    """What was done, the newest first."""

    notes: list[NoteDict]


class ScorerDict(TypedDict):
    """Which scorer made a score."""

    fingerprint: str
    kind: Literal["rules", "model"]
    name: str
    version: str


class DeploymentDict(TypedDict):
    """A scorer put in a role."""

    deployed_at: str
    deployed_by: str
    number: int
    role: Literal["champion", "shadow"]
    scorer: ScorerDict | None
    source: Literal["promotion", "deploy"]


class DeploymentsDict(TypedDict):
    """The newest deployments first; the first of a role is in force."""

    deployments: list[DeploymentDict]


class FilesDict(TypedDict):
    """Files that were made from the lead."""

    deleted: list[str]
    rewritten: list[str]


class StillHeldDict(TypedDict):
    """A place that may still hold something of the lead."""

    do: str
    until: str
    what: str


class ErasedDict(TypedDict):
    """The erasure receipt."""

    bytes: Literal["gone", "freed", "pending"]
    erased_at: str
    files: FilesDict
    held: list[StillHeldDict]
    lead_id: str
    rows: dict[str, int]


class PastScorerDict(TypedDict):
    """Which scorer made a receipt; only its fingerprint is known where it cannot be loaded any more."""

    fingerprint: str
    kind: NotRequired[Literal["rules", "model"] | None]
    name: NotRequired[str | None]
    version: NotRequired[str | None]


class EndDict(TypedDict):
    """A score at one end of a change."""

    grade: Literal["A", "B", "C", "D"]
    points: float
    score: int
    scorer: PastScorerDict | ScorerDict


class ReasonDict(TypedDict):
    """One line of a receipt."""

    code: str
    points: float
    says: str


class ChangesDict(TypedDict):
    """What changed: before.points plus the points of all changes is after.points."""

    after: EndDict
    as_of: str
    before: EndDict
    changes: list[ReasonDict]
    lead_id: str
    points: float
    says: str
    since: str


class LogicDict(TypedDict):
    """How scores come about and what follows from them."""

    average_points: float
    decided_by: str
    degraded: bool
    goal: dict[str, Any]
    hysteresis_points: float
    kept: str
    never_used: list[str]
    points_per_doubling: float
    scorer: dict[str, str]
    threshold: float


class ScoreDict(TypedDict):
    """An explained score: base_points plus the points of the reasons plus rest_points is points."""

    as_of: str
    base_points: float
    degraded: bool
    grade: Literal["A", "B", "C", "D"]
    lag_s: float | None
    lead_id: str
    newest_activity_at: str | None
    points: float
    probability: float | None
    reasons: list[ReasonDict]
    rest_points: float
    score: int
    scorer: ScorerDict
    stretch: float | None
    threshold: float


class DossierDict(TypedDict):
    """All that is held about a lead, and the logic of its score."""

    as_of: str
    held: dict[str, list[dict[str, Any]]]
    ids: list[str]
    lead_id: str
    logic: LogicDict
    says: str
    score: ScoreDict | None


class MergedDict(TypedDict):
    """What became of a merge."""

    into: str
    lead_id: str
    merged_at: str
    status: Literal["merged", "duplicate"]


class ReceiptDict(TypedDict):
    """A score that was given; base_points plus the points of all reasons is points."""

    as_of: str
    base_points: float
    degraded: bool
    grade: Literal["A", "B", "C", "D"]
    lead_id: str
    newest_activity_at: str | None
    points: float
    probability: float | None
    reasons: list[ReasonDict]
    receipt_id: str
    role: Literal["champion", "shadow"]
    score: int
    scorer: PastScorerDict
    threshold: float


class ReceiptsDict(TypedDict):
    """The newest receipts first."""

    receipts: list[ReceiptDict]


class BandsDict(TypedDict):
    """The points from which a lead is handed over, and from which each grade begins."""

    a: float
    b: float
    c: float
    threshold: float


class CardDict(TypedDict):
    """What the model was made of and how it was judged, as its bundle says; null where the bundle does not."""

    accepted_risk: str | None
    data: dict[str, Any] | None
    gates: list[dict[str, Any]] | None
    test: dict[str, Any] | None


class DeployedDict(TypedDict):
    """A scorer in force."""

    deployed_at: str
    scorer: ScorerDict
    source: Literal["promotion", "deploy"]


class GoalDict(TypedDict):
    """What counts as success."""

    horizon_days: float
    stage: str


class ComparedDict(TypedDict):
    """The shadow against the champion, on the leads that the shadow scored last, at most 1,000."""

    leads: int
    mean_difference_points: float | None
    same_side_share: float | None


class ShadowDict(TypedDict):
    """A scorer that scores the same leads, routes nothing and is compared."""

    compared: ComparedDict
    deployed_at: str
    problem: str | None
    scorer: ScorerDict
    source: Literal["promotion", "deploy"]


class StandingDict(TypedDict):
    """How far the company's history carries, as the newest training found."""

    failed: int
    missing: str
    rung: Literal["rules only", "small model", "full model"]
    says: str
    succeeded: int


class ModelDict(TypedDict):
    """Which scorer answers."""

    bands: BandsDict
    card: CardDict | None
    champion: DeployedDict | None
    degraded: bool
    features: int
    goal: GoalDict
    hysteresis_points: float
    problem: str | None
    scorer: ScorerDict
    shadow: ShadowDict | None
    standing: StandingDict | None


class HeldDict(TypedDict):
    """A fact in quarantine."""

    fact: dict[str, Any]
    fact_id: str
    id: int
    kind: Literal["leads", "activities", "outcomes"]
    lead_id: str
    received_at: str
    why: str


class QuarantineDict(TypedDict):
    """The facts in quarantine, newest first."""

    quarantine: list[HeldDict]


class DiscardedDict(TypedDict):
    """A fact that was thrown away."""

    id: int
    status: Literal["discarded"]


class ReplayDict(TypedDict):
    """A receipt given again."""

    again: ScoreDict | None
    differences: list[str]
    equal: bool
    given: ReceiptDict
    receipt_id: str


class RouteDict(TypedDict):
    """A lead that was handed over."""

    grade: Literal["A", "B", "C", "D"]
    id: int
    lead_id: str
    reasons: list[ReasonDict]
    routed_at: str
    score: int
    threshold: float


class RoutesDict(TypedDict):
    """The newest routes first."""

    routes: list[RouteDict]


class StoredScoreDict(TypedDict):
    """A lead's score as it was found when it was last looked at."""

    as_of: str
    grade: Literal["A", "B", "C", "D"]
    lag_s: float
    lead_id: str
    newest_activity_at: str | None
    points: float
    probability: float | None
    receipt_id: str
    score: int
    stale: bool
    waiting: bool
    why_stale: str | None


class WorklistDict(TypedDict):
    """The open leads with the highest scores first."""

    now: str
    scores: list[StoredScoreDict]


class UnknownDict(TypedDict):
    """A lead that is not known."""

    error: str
    lead_id: str


class ScoresDict(TypedDict):
    """Scores in the order asked for."""

    as_of: str
    scores: list[ScoreDict | UnknownDict]
