"""
Distillation: a model approximated by a few point rules.

The rules are fitted to a mixture of the model's probabilities and the outcomes: the more leads succeeded, the more the
outcomes count. They then get their probability, grades and threshold from history as any point rules do.

Source: Hinton, Vinyals and Dean 2015, Distilling the knowledge in a neural network (soft targets beside hard ones).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.instants import iso
from data.words.playbook import Business, Playbook
from data.words.point_rules import ActivityRule, AttributeRule, Rule, ScorecardRules
from models.conversion import ConversionModel
from models.receipt import AVERAGE_POINTS, POINTS_PER_LOGIT, ScorerId
from models.scorecard import Scorecard
from training.dataset.dataset import SEED, Dataset
from training.dataset.feature_values import values_of
from training.distillation.candidate_rules import CandidateRule, candidates
from training.distillation.rule_selection import RuleSelection, SelectionProblem
from training.distillation.rule_yaml import performance_lines, write_rules
from training.fitting.minimum_data import leads_by_outcome
from training.fitting.scorecard_fit import calibrated_rules
from training.statistics.scorer_metrics import ScorerEvaluation

NAME = "learned rules"
MOST_ROWS = 20_000
"""More rows make the rules slower to find and no better."""

TRUSTED_AS = 1_000
"""The model's probabilities count as much as the outcomes of so many successful leads."""

_LEAST_POINTS = 0.6
"""A rule with fewer points is left out, as rounding would leave it none."""

_MOST_POINTS = 1_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LearnedRules:
    """
    Point rules that were distilled from a model.

    Attributes:
        rules: a valid ``scorecard.yaml``.
        scorecard: the rules compiled, with probability, grades and threshold from history.
        model: the model they were learned from.
        about: sentences on the data they were learned from.
    """

    rules: ScorecardRules
    scorecard: Scorecard
    model: ScorerId
    about: tuple[str, ...]

    def to_yaml(self, *, scorers: Sequence[ScorerEvaluation] = ()) -> str:
        """
        Write them as the ``scorecard.yaml`` of a playbook, with comments for its readers.

        Args:
            scorers: these rules and others on the same later leads, for the comment.
        """
        compared = ("In later weeks, which none of them had seen:", *performance_lines(scorers)) if scorers else ()
        return write_rules(self.rules, about=(*_origin(self.model), *self.about, *compared, *_USE))


def distil(model: ConversionModel, dataset: Dataset, playbook: Playbook, *, seed: int = SEED) -> LearnedRules | None:
    """
    Distil a model into at most 15 point rules with whole points, on features that the training set holds.

    Args:
        model: its probabilities are what the rules are fitted to.
        dataset: its train rows, and its recent rows for the bands.
        playbook: the playbook's words, capacity and routing.
        seed: of the draw of rows where there are many.

    Returns:
        The rules, calibrated; None where the model scores every lead the same, or no rule can express its differences.
    """
    learnt_from = dataset.block("train")
    rows = _sample(learnt_from, seed=seed)
    target = _target(model, dataset, rows, succeeded=leads_by_outcome(learnt_from)[0])
    weight = rows["weight"].to_numpy(dtype=np.float64)
    rule_candidates = candidates(dataset, rows, playbook.business, target=target)
    if not rule_candidates:
        return None
    problem = SelectionProblem(rule_candidates, target, weight)
    chosen = problem.select(least_weight=_LEAST_POINTS / POINTS_PER_LOGIT)
    if not chosen.members:
        return None
    members = [rule_candidates[index] for index in chosen.members]
    points, base = _whole_points(members, chosen, base_rate=dataset.base_rate, weight=weight)
    rules = ScorecardRules(name=NAME, base_points=base, rules=_rules(members, points))
    card = calibrated_rules(rules, dataset, playbook=playbook)
    rules = rules.model_copy(update={"threshold": float(_within(math.ceil(card.bands.threshold)))})
    return LearnedRules(rules, replace(card, rules=rules), model.id, tuple(_about(dataset, playbook.business, rows)))


def _sample(rows: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the rows, or a random sample of as many as are needed, in their order."""
    if len(rows) <= MOST_ROWS:
        return rows
    return rows.iloc[np.sort(np.random.default_rng(seed).choice(len(rows), MOST_ROWS, replace=False))]


def _target(model: ConversionModel, dataset: Dataset, rows: pd.DataFrame, *, succeeded: int) -> Floats:
    """Return what the rules are fitted to, (n,): the model's probability, corrected by the outcome."""
    probability = model.score_many(values_of(model.catalog, rows, dataset=dataset)).probabilities
    trust = TRUSTED_AS / (TRUSTED_AS + succeeded)
    return np.asarray(trust * probability + (1 - trust) * rows["label"].to_numpy(dtype=np.float64))


def _whole_points(
    members: Sequence[CandidateRule], chosen: RuleSelection, *, base_rate: float, weight: Floats
) -> tuple[list[int], int]:
    """
    Round the weights to whole points, 10 of which double the odds; average odds get the points that a model gives them.

    The base compensates for what rounding takes from the points of all rows on average.
    """
    exact = chosen.beta[1:] * POINTS_PER_LOGIT
    points = np.rint(exact)
    columns = np.stack([member.column for member in members], axis=1)
    lost = float(np.average(columns @ (exact - points), weights=weight))
    even = math.log(base_rate / (1 - base_rate))
    base = AVERAGE_POINTS + POINTS_PER_LOGIT * (float(chosen.beta[0]) - even) + lost
    return [int(each) for each in points], _within(round(base))


def _within(points: int) -> int:
    return min(_MOST_POINTS, max(-_MOST_POINTS, points))


def _rules(members: Sequence[CandidateRule], points: Sequence[int]) -> tuple[Rule, ...]:
    """Sort activities first, then attributes, then silence; in each, rules in favour of a lead before those against."""
    rules = [
        member.rule.model_copy(update={"points": float(each)}) for member, each in zip(members, points, strict=True)
    ]
    return tuple(sorted(rules, key=_sort_key))


def _sort_key(rule: Rule) -> tuple[int, bool, float]:
    match rule:
        case ActivityRule(at_most=cap):
            return 0, rule.points < 0, -abs(rule.points) * (cap or 1)
        case AttributeRule():
            return 1, rule.points < 0, -abs(rule.points)
        case _:
            return 2, rule.points < 0, -abs(rule.points)


def _about(dataset: Dataset, business: Business, rows: pd.DataFrame) -> Iterator[str]:
    """Yield sentences on the data the rules were learned from, and on what a point is worth."""
    train, goal = dataset.plan.train, business.goal
    yield (
        f"Learned on {len(rows):,} snapshots of {rows['lead_id'].nunique():,} leads, "
        f"{iso(train.start)[:10]} to {iso(train.end)[:10]}."
    )
    yield f"Goal: {business.stages[goal.stage]} within {goal.horizon_days:g} days; {dataset.base_rate:.1%} reached it."
    yield "10 points more are twice the odds; 50 points are those of an average lead."


def _origin(model: ScorerId) -> Iterator[str]:
    fingerprint = f", fingerprint {model.fingerprint[:8]}" if model.fingerprint else ""
    yield f"Point rules learned from the model {model.name}{fingerprint}: the best approximation by a few rules."


_USE = (
    "How to read a rule: the points count for each such activity, up to at_most times, within the last within_days",
    "days, or fading to half in half_life_days; for an attribute, or for silence, they count once.",
    "To use them, replace the playbook's scorecard.yaml with this file; they need no model to score. To compare them",
    "with your own rules first, put the file into the playbook's folder scorecards. Change what you know better.",
)
