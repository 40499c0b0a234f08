"""
The answers of the service as types; ``python -m tests.client.answer_types`` writes this file.

``/openapi.json`` is where they come from.
"""

from typing import Any, Literal, NotRequired, TypedDict


class ScorerDict(TypedDict):
    """Which scorer made a score."""

    fingerprint: str
    kind: Literal["rules", "model"]
    name: str
    version: str


class GoalDict(TypedDict):
    """What counts as success."""

    horizon_days: float
    stage: str


class ReasonDict(TypedDict):
    """One line of a receipt."""

    code: str
    points: float
    says: str


class RewrittenFilesDict(TypedDict):
    """Files that were made from the lead."""

    deleted: NotRequired[list[str]]
    rewritten: NotRequired[list[str]]


class RemainingCopyDict(TypedDict):
    """A place that may still hold something of the lead."""

    do: str
    until: str
    what: str


class ItemResultDict(TypedDict):
    """What became of one item."""

    error: NotRequired[str | None]
    id: str | None
    status: Literal["stored", "duplicate", "quarantined", "rejected"]


class MergeDict(TypedDict):
    """What became of a merge."""

    into: str
    lead_id: str
    merged_at: str
    status: Literal["merged", "duplicate"]


class BandsDict(TypedDict):
    """The points from which a lead is handed over, and from which each grade begins."""

    a: float
    b: float
    c: float
    threshold: float


class ModelCardDict(TypedDict):
    """What the model was made of and how it was evaluated, as in its bundle; null where the bundle does not say."""

    accepted_risk: str | None
    data: dict[str, Any] | None
    gates: list[dict[str, Any]] | None
    test: dict[str, Any] | None


class SignatureDict(TypedDict):
    """Who vouches that the figures on the card are those of the model."""

    key_id: str | None
    state: Literal["signed", "unsigned", "untrusted", "revoked"]


class ColdStartDict(TypedDict):
    """How far the company's history carries, as of the newest training."""

    failed: int
    missing: str
    rung: Literal["rules only", "small model", "full model"]
    says: str
    succeeded: int


class ShadowComparisonDict(TypedDict):
    """The shadow against the champion, on the leads that the shadow scored last, at most 1,000."""

    leads: int
    mean_difference_points: float | None
    same_side_share: float | None


class QuarantinedFactDict(TypedDict):
    """A fact in quarantine."""

    fact: dict[str, Any]
    fact_id: str
    id: int
    kind: Literal["leads", "activities", "outcomes"]
    lead_id: str
    received_at: str
    why: str


class ReadinessDict(TypedDict):
    """The service can answer."""

    degraded: bool
    status: NotRequired[Literal["ok"]]


class ReceiptScorerDict(TypedDict):
    """Which scorer made a receipt; only its fingerprint is known where it cannot be loaded any more."""

    fingerprint: str
    kind: NotRequired[Literal["rules", "model"] | None]
    name: NotRequired[str | None]
    version: NotRequired[str | None]


class RejectedItemDict(TypedDict):
    """An item that was not stored."""

    fields: list[str]
    id: int
    item_id: str | None
    key_id: str
    kind: Literal["leads", "activities", "outcomes"]
    reason: str
    rejected_at: str


class StoredScoreDict(TypedDict):
    """A lead's score as of when it was last computed."""

    as_of: str
    beyond_history: str | None
    chance: str | None
    closed_at: str | None
    grade: Literal["A", "B", "C", "D"]
    lead_id: str
    newest_activity_at: str | None
    points: float
    probability: float | None
    receipt_id: str
    score: int
    stage: str | None
    stale: bool
    stored_score_age_s: float
    waiting: bool
    why_stale: str | None


class UnknownLeadDict(TypedDict):
    """A lead that is not known, in place of its score."""

    error: NotRequired[str]
    lead_id: str


class ScorerInForceDict(TypedDict):
    """A scorer in force."""

    deployed_at: str
    scorer: ScorerDict
    source: Literal["promotion", "deploy"]


class WordedGoalDict(GoalDict):
    """What counts as success, in words."""

    says: str


class HandoverDict(TypedDict):
    """A lead that was handed over."""

    closed_at: str | None
    grade: Literal["A", "B", "C", "D"]
    id: int
    lead_id: str
    reasons: list[ReasonDict]
    routed_at: str
    score: int
    stage: str | None
    threshold: float


class ReplayedScoreDict(TypedDict):
    """A score computed again: base_points plus the points of the reasons plus rest_points is points."""

    as_of: str
    base_points: float
    chance: str | None
    degraded: bool
    grade: Literal["A", "B", "C", "D"]
    lead_id: str
    newest_activity_at: str | None
    points: float
    probability: float | None
    reasons: list[ReasonDict]
    rest_points: float
    score: int
    scorer: ScorerDict
    stretch: float | None


class ErasureDict(TypedDict):
    """The erasure receipt."""

    bytes: Literal["gone", "freed", "pending"]
    erased_at: str
    files: RewrittenFilesDict
    held: list[RemainingCopyDict]
    lead_id: str
    rows: dict[str, int]


class ScoreEndDict(TypedDict):
    """A score at one end of a change."""

    grade: Literal["A", "B", "C", "D"]
    points: float
    score: int
    scorer: ReceiptScorerDict


class ShadowDict(ScorerInForceDict):
    """A scorer that scores the same leads and hands over none; its scores are only recorded and compared."""

    compared: ShadowComparisonDict
    problem: str | None
    signature: SignatureDict | None


class ScoreLogicDict(TypedDict):
    """How scores come about and what follows from them."""

    average_points: float
    decided_by: str
    degraded: bool
    goal: WordedGoalDict
    hysteresis_points: float
    kept: str
    never_used: list[str]
    points_per_doubling: float
    scorer: ScorerDict
    threshold: float


class ScoreDict(ReplayedScoreDict):
    """An explained score: base_points plus the points of the reasons plus rest_points is points."""

    beyond_history: str | None
    closed_at: str | None
    newest_activity_age_s: float | None
    stage: str | None
    threshold: float


class ReceiptDict(ScoreEndDict):
    """A past score; base_points plus the points of all reasons is points."""

    as_of: str
    base_points: float
    beyond_history: str | None
    chance: str | None
    closed_at: str | None
    degraded: bool
    lead_id: str
    newest_activity_at: str | None
    probability: float | None
    reasons: list[ReasonDict]
    receipt_id: str
    role: Literal["champion", "shadow"]
    stage: str | None
    threshold: float


class ScoreChangeDict(TypedDict):
    """What changed: before.points plus the points of all changes is after.points."""

    after: ScoreEndDict
    as_of: str
    before: ScoreEndDict
    beyond_history: str | None
    changes: list[ReasonDict]
    closed_at: str | None
    lead_id: str
    points: float
    says: str
    since: str
    stage: str | None


class ModelDict(TypedDict):
    """Which scorer answers."""

    bands: BandsDict
    card: ModelCardDict | None
    champion: ScorerInForceDict | None
    degraded: bool
    features: int
    goal: GoalDict
    hysteresis_points: float
    problem: str | None
    scorer: ScorerDict
    shadow: ShadowDict | None
    signature: SignatureDict | None
    standing: ColdStartDict | None


class DossierDict(TypedDict):
    """All that is held about a lead, and the logic of its score."""

    as_of: str
    held: dict[str, list[dict[str, Any]]]
    ids: list[str]
    lead_id: str
    logic: ScoreLogicDict
    says: str
    score: ScoreDict | None


class ReplayDict(TypedDict):
    """A receipt computed again."""

    again: ReplayedScoreDict | None
    changed_by_erasure: list[str]
    differences: list[str]
    equal: bool
    given: ReceiptDict
    receipt_id: str
