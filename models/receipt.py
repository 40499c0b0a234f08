"""The receipt: an explained score that adds up, the same for point rules and for the learned model."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from data.instants import iso

AVERAGE_POINTS = 50.0
POINTS_PER_DOUBLING = 10.0
POINTS_PER_LOGIT = POINTS_PER_DOUBLING / math.log(2)

LEAST_TOLD = 0.5
"""Points of a reason below which it has no line of its own where all are listed."""

_NEVER = "never "
_NEVER_NAMED = 3

Grade = Literal["A", "B", "C", "D"]
Kind = Literal["rules", "model"]


@dataclass(frozen=True, slots=True)
class ScorerId:
    """Which scorer made a receipt; the fingerprint covers every number in it."""

    kind: Kind
    name: str
    version: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of a receipt: what it is about, in words, and its points."""

    code: str
    says: str
    points: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """
    The score of one lead at one instant, with everything that led to it.

    ``base_points`` plus the points of all reasons plus ``rest_points`` is ``points`` to 1e-9. A receipt with all
    its reasons has no rest. ``probability`` is None only for point rules that no history has calibrated yet.

    ``stretch`` is None if a reason's points are the same for every lead with that reason. Under a nonlinear calibration
    it is the factor, 0 or more, by which this lead's reasons were multiplied so that they add up to its points:
    calibrated log-odds per unit of the trees' log-odds. Then the points of one reason may differ between leads that
    differ in other reasons.
    """

    lead_id: str
    as_of: int
    points: float
    base_points: float
    probability: float | None
    grade: Grade
    reasons: tuple[Reason, ...]
    scorer: ScorerId
    rest_points: float = 0.0
    stretch: float | None = None

    @property
    def score(self) -> int:
        """The points as shown: rounded, between 0 and 100."""
        return displayed(self.points)

    def told(self, *, is_whole: bool) -> "Receipt":
        """
        Return the receipt as people are told it: what never happened is one line, and its points add up as before.

        Args:
            is_whole: whether all reasons are wanted; then those below half a point are one line, too.
        """
        told = told_reasons(self.reasons)
        return replace(self, reasons=folded_small(told) if is_whole else told)

    def as_json(
        self, reasons: int | None = None, *, degraded: bool = False, newest_activity_at: int | None = None
    ) -> dict[str, Any]:
        """
        Return the receipt as JSON values; `told` first makes it one that people read.

        Args:
            reasons: how many to show, the largest first; None shows all.
            degraded: whether a simpler scorer replaced the model.
            newest_activity_at: the newest activity that the score knows of [us since 1970 UTC].
        """
        shown = self.reasons if reasons is None else self.reasons[:reasons]
        return {
            "lead_id": self.lead_id,
            "as_of": iso(self.as_of),
            "score": self.score,
            "points": self.points,
            "base_points": self.base_points,
            "probability": self.probability,
            "chance": chance(self.probability),
            "grade": self.grade,
            "reasons": [{"code": reason.code, "says": reason.says, "points": reason.points} for reason in shown],
            "rest_points": math.fsum([self.rest_points, *(reason.points for reason in self.reasons[len(shown) :])]),
            "stretch": self.stretch,
            "scorer": scorer_json(self.scorer),
            "degraded": degraded,
            "newest_activity_at": None if newest_activity_at is None else iso(newest_activity_at),
        }


def scorer_json(scorer: ScorerId) -> dict[str, str]:
    """Return the scorer as JSON."""
    return {
        "kind": scorer.kind,
        "name": scorer.name,
        "version": scorer.version,
        "fingerprint": scorer.fingerprint,
    }


def points_of(logits: NDArray[np.float64], *, base_odds: float) -> NDArray[np.float64]:
    """
    Convert calibrated log-odds, ndarray of shape (n,), to points; ``base_odds`` are 50 points.

    >>> points_of(np.log([0.05, 0.1, 0.4]), base_odds=0.1).round(9).tolist()
    [40.0, 50.0, 70.0]
    """
    return np.asarray(AVERAGE_POINTS + POINTS_PER_LOGIT * (logits - np.log(base_odds)))


def displayed(points: float) -> int:
    """
    Round points to the score that people see.

    >>> displayed(49.6), displayed(-12.0), displayed(131.0)
    (50, 0, 100)
    """
    return min(100, max(0, round(points)))


def by_size(reasons: list[Reason]) -> tuple[Reason, ...]:
    """Sort reasons by the size of their points, ties by code, so that the order is stable."""
    return tuple(sorted(reasons, key=lambda reason: (-abs(reason.points), reason.code)))


def told_reasons(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """
    Return reasons as people are told: what never happened is one line at most; points add up as before.

    >>> told_reasons([Reason("a", "never met us", -3), Reason("b", "is a manager", 2), Reason("c", "never wrote", -1)])
    (Reason(code='never', says='never met us or wrote', points=-4.0), Reason(code='b', says='is a manager', points=2))
    """
    told = list(reasons)
    never = [reason for reason in told if reason.says.startswith(_NEVER)]
    if len(never) <= 1:
        return tuple(told)
    rest = [reason for reason in told if reason not in never]
    names = [reason.says.removeprefix(_NEVER) for reason in never]
    more = [f"{len(names) - _NEVER_NAMED} more"] if len(names) > _NEVER_NAMED + 1 else names[_NEVER_NAMED:]
    listed = [*names[:_NEVER_NAMED], *more]
    says = f"{_NEVER}{', '.join(listed[:-1])} or {listed[-1]}"
    return by_size([*rest, Reason("never", says, math.fsum(reason.points for reason in never))])


def folded_small(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """
    Fold the reasons below half a point into one line at the end; points add up as before.

    >>> folded_small([Reason("a", "met us", 3), Reason("b", "is in Poland", 0.3), Reason("c", "reads", -0.2)])[1]
    Reason(code='rest', says='2 more reasons below half a point', points=0.09999999999999998)
    """
    small = [reason for reason in reasons if abs(reason.points) < LEAST_TOLD]
    if len(small) <= 1:
        return tuple(reasons)
    told = [reason for reason in reasons if abs(reason.points) >= LEAST_TOLD]
    says = f"{len(small):,} more reasons below half a point"
    return (*told, Reason("rest", says, math.fsum(reason.points for reason in small)))


def changes(before: Receipt, after: Receipt) -> tuple[Reason, ...]:
    """
    Return what changed between two receipts of one lead by the same scorer, in points that add up.

    Returns:
        One reason per code whose points moved, with the words of the later receipt where it has them;
        their points sum to ``after.points - before.points`` to 1e-9.
    """
    earlier = {reason.code: reason for reason in before.reasons}
    later = {reason.code: reason for reason in after.reasons}
    moved = []
    if after.base_points != before.base_points:
        moved.append(Reason("base", "another starting point", after.base_points - before.base_points))
    for code in dict.fromkeys([*later, *earlier]):
        points = (later[code].points if code in later else 0.0) - (earlier[code].points if code in earlier else 0.0)
        if points:
            says = later[code].says if code in later else f"no longer: {earlier[code].says}"
            moved.append(Reason(code, says, points))
    return by_size(moved)


@overload
def chance(probability: float) -> str: ...


@overload
def chance(probability: float | None) -> str | None: ...


def chance(probability: float | None) -> str | None:
    """
    Return a probability as people say it; None where there is none.

    >>> chance(0.083), chance(0.5), chance(0.72), chance(0.00001)
    ('about 1 in 12', 'about 1 in 2', 'about 7 in 10', 'less than 1 in 1,000')
    """
    if probability is None:
        return None
    if probability < 0.001:  # noqa: PLR2004 - below this the number says nothing more
        return "less than 1 in 1,000"
    if probability <= 0.55:  # noqa: PLR2004 - above this "1 in 2" would be wrong
        return f"about 1 in {max(2, round(1 / probability)):,}"
    tenths = round(probability * 10)
    return "more than 9 in 10" if tenths > 9 else f"about {tenths} in 10"  # noqa: PLR2004
