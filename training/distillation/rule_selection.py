"""Selection: the few rules that together come closest to a target, each with the sign that it has by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from training.distillation.candidate_rules import CandidateRule
from training.statistics.logistic import newton_fit
from training.statistics.reliability import logits

MOST_RULES = 15
MOST_ON_A_TOPIC = 2
LEAST_GAIN = 0.01
"""A further rule must lower the loss by at least this share of what the rules before it achieved together."""

_NEW = 0.02
"""A rule repeats the chosen ones if they explain all but this share of it."""

_RIDGE = 1e-6
_TINY = 1e-12

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RuleSelection:
    """
    Some of the candidates, fitted together.

    Attributes:
        members: positions of k candidates.
        beta: (k + 1,) offset, then the weight of each [log-odds].
        margin: (n,) log-odds of each row.
        loss: mean cross-entropy of the target.
    """

    members: tuple[int, ...]
    beta: Floats
    margin: Floats
    loss: float


@dataclass(frozen=True, eq=False)
class SelectionProblem:
    """
    The candidates to choose from, and the target to match.

    Args:
        candidates: m rules with their columns, one at least.
        target: (n,) probability to approximate.
        weight: (n,) of each row.
    """

    candidates: Sequence[CandidateRule]
    target: Floats
    weight: Floats

    def select(self, most: int = MOST_RULES, *, least_weight: float = 0.0) -> RuleSelection:
        """
        Add one rule at a time, always the most promising one, and refit all of them.

        A rule whose points change sign beside the others is not taken.

        Args:
            most: so many rules at most.
            least_weight: rules that end up below it [log-odds] are left out.
        """
        chosen = self.fitted(())
        loss_without_rules, refused = chosen.loss, np.zeros(len(self.candidates), dtype=np.bool_)
        while len(chosen.members) < most:
            # Fitting every candidate would take minutes: a score test ranks them all, and only the best is fitted.
            gains = np.where(refused, 0.0, self._gains(chosen))
            best = int(np.argmax(gains))
            extended = self.fitted((*chosen.members, best), start=np.append(chosen.beta, 0.0))
            if gains[best] <= _TINY or chosen.loss - extended.loss <= LEAST_GAIN * (loss_without_rules - chosen.loss):
                break
            # A rule that only corrects another one would read as nonsense: "asked for a demo: -3 points".
            refused[best] = not self._keeps_signs(extended)
            chosen = chosen if refused[best] else extended
        return self._without_small(chosen, least_weight)

    def fitted(self, members: tuple[int, ...], *, start: Floats | None = None) -> RuleSelection:
        """Fit the weights of some candidates together."""
        design = self._design(members)
        beta = np.append(self._even, np.zeros(len(members))) if start is None else start
        ridge = np.full(len(beta), _RIDGE * self.weight.sum())
        beta = newton_fit(design, self.target, weight=self.weight, ridge=ridge, start=beta)
        margin = design @ beta
        return RuleSelection(members, beta, margin, cross_entropy(margin, self.target, weight=self.weight))

    def _without_small(self, chosen: RuleSelection, least_weight: float) -> RuleSelection:
        """Remove the rule with the smallest weight, in the direction of its sign, until none is too small."""
        while chosen.members:
            weights = chosen.beta[1:] * self._signs[list(chosen.members)]
            smallest = int(np.argmin(weights))
            if weights[smallest] >= least_weight:
                break
            # One at a time: without it the others are fitted anew, and may have grown.
            rest = (*chosen.members[:smallest], *chosen.members[smallest + 1 :])
            chosen = self.fitted(rest, start=np.delete(chosen.beta, 1 + smallest))
        return chosen

    def _gains(self, chosen: RuleSelection) -> Floats:
        """
        Predict by how much the loss would fall if a candidate joined, (m,); 0 where it may not.

        Source: Rao 1948, the score test: a step of Newton's method along one more column, the others following.
        """
        # Single precision halves the time of the large products; the gains only rank candidates.
        chance = np.exp(-np.logaddexp(0.0, -chosen.margin))
        pull = self._columns.T @ (self.weight * (self.target - chance)).astype(np.float32)
        curved = (self.weight * chance * (1 - chance)).astype(np.float32)
        design = self._design(chosen.members).astype(np.float32)
        across = self._columns.T @ (design * curved[:, None])
        among = np.linalg.pinv((design * curved[:, None]).T @ design)
        alone = self._squares.T @ curved
        # The curvature along a column, less what the chosen columns explain of it (the Schur complement).
        left = alone - np.einsum("mk,mk->m", across @ among, across)
        joins = self._may_join(chosen) & (left > _NEW * alone) & (np.sign(pull) == self._signs)
        gains = np.where(joins, pull**2 / (2 * np.maximum(left, _TINY)), 0.0)
        return np.asarray(gains / self.weight.sum(), dtype=np.float64)

    def _may_join(self, chosen: RuleSelection) -> NDArray[np.bool_]:
        """Exclude a third rule on a topic, one that contradicts the first on its topic, and overlapping conditions."""
        joins = np.ones(len(self.candidates), dtype=np.bool_)
        members = np.array(chosen.members, dtype=np.int64)
        for member in chosen.members:
            same = self._topics == self._topics[member]
            if same[members].sum() >= MOST_ON_A_TOPIC:
                joins[same] = False
            elif self.candidates[member].topic[0] == "attribute":
                joins[same] &= self._columns[:, same].T @ self._columns[:, member] == 0
            else:
                joins[same] &= self._signs[same] == self._signs[member]
            joins[member] = False
        return joins

    def _keeps_signs(self, chosen: RuleSelection) -> bool:
        return bool(np.all(np.sign(chosen.beta[1:]) == self._signs[list(chosen.members)]))

    def _design(self, members: tuple[int, ...]) -> Floats:
        """Return a column of ones and the columns of some candidates, (n, k + 1)."""
        ones = np.ones((len(self.target), 1))
        return np.hstack([ones, self._columns[:, list(members)]])

    @cached_property
    def _even(self) -> Floats:
        """The log-odds of the mean target, (1,)."""
        return logits(np.array([np.average(self.target, weights=self.weight)]))

    @cached_property
    def _columns(self) -> NDArray[np.float32]:
        return np.stack([candidate.column for candidate in self.candidates], axis=1)

    @cached_property
    def _squares(self) -> NDArray[np.float32]:
        return np.asarray(self._columns**2)

    @cached_property
    def _signs(self) -> NDArray[np.float32]:
        """Whether leads that a rule applies to reach the goal more often than others (1), or less often (-1)."""
        apart = self.weight * (self.target - np.average(self.target, weights=self.weight))
        return np.asarray(np.sign(self._columns.T @ apart.astype(np.float32)))

    @cached_property
    def _topics(self) -> NDArray[np.int64]:
        codes: dict[object, int] = {}
        return np.array([codes.setdefault(candidate.topic, len(codes)) for candidate in self.candidates])


def cross_entropy(margin: Floats, target: Floats, *, weight: Floats) -> float:
    """
    Return the mean cross-entropy of probabilities, as log-odds, from target probabilities; lower is closer.

    >>> round(cross_entropy(np.zeros(2), np.array([0.5, 1.0]), weight=np.ones(2)), 3)
    0.693
    """
    return float(np.average(np.logaddexp(0.0, margin) - target * margin, weights=weight))
