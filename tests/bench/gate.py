"""
How often the promotion gate is right, in simulated worlds of which the truth is known.

A world is what a gate sees: leads of accounts, several snapshots each, some 400 of them with success; outcomes of a
lead's snapshots, and of its colleagues, depend on each other. One scorer knows each snapshot's true chance. The others
see the true log-odds through noise that stays with a lead, as a model's mistakes do, and are calibrated; the noise is
so large that their expected log loss is 2 % above the true chances'.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from training.registry.gate_decision import GateDecision
from training.registry.promotion_gate import GateCandidate, evaluate_challenger
from training.statistics.reliability import logistic_fit
from training.statistics.scoring_metrics import EvaluationRows

Floats = NDArray[np.float64]
WORLDS = 200
POSITIVES = 400
WORSE_BY = 0.02
CALLS_PER_DAY = 10.0
ALIKE = 0.95
_DAYS = 60
_AVERAGE = -3.4
_SEED = 5


@dataclass(frozen=True, eq=False)
class Scene:
    """Snapshots of one world: the true log-odds of each, and what they belong to; (n,) each."""

    margin: Floats
    group: NDArray[np.int64]
    lead: NDArray[np.int64]

    def noise(self, chance: np.random.Generator) -> Floats:
        """Draw mistakes with a variance of 1 that mostly stay with a lead."""
        of_leads = chance.normal(size=int(self.lead.max()) + 1)[self.lead]
        return np.sqrt(0.8) * of_leads + np.sqrt(0.2) * chance.normal(size=len(self.lead))


@dataclass(frozen=True, slots=True)
class Seen:
    """How a scorer sees the true log-odds: with so much noise, then calibrated."""

    noise: float
    slope: float
    offset: float

    def chances(self, scene: Scene, mistakes: Floats) -> Floats:
        """Return the probabilities of a scorer with such mistakes, (n,)."""
        return np.asarray(expit(self.slope * (scene.margin + self.noise * mistakes) + self.offset))


TRUTH, RULES = Seen(0.0, 1.0, 0.0), Seen(1.0, 1.0, 0.0)


def gate_rejects_worse():
    """
    Count how often a challenger is refused whose log loss is 2 % worse than the champion's.

    Returns:
        {"bench", "unit", "ours", "against", "theirs", "ratio"}; a ratio of 1 or more means that it is strict enough.
    """
    started = time.perf_counter()
    rulings = rulings_of(TRUTH, worse(), worlds=WORLDS)
    refused = 100 - _share(rulings, _may)
    return {
        "bench": "gate_rejects_worse",
        "unit": "of 100 worlds",
        "ours": refused,
        "against": f"at least 95; {WORLDS} worlds with {POSITIVES} positives, {_seconds(started)}",
        "theirs": 95.0,
        "ratio": refused / 95,
    }


def gate_calls_identical_better():
    """
    Count how often one of two equally good models is called better; and, in words, whom else the gate lets through.

    Returns:
        {"bench", "unit", "ours", "against", "theirs", "ratio"}; a ratio of 1 or more means that it seldom is.
    """
    started = time.perf_counter()
    equal = rulings_of(worse(), worse(), worlds=WORLDS)
    alike = rulings_of(worse(), worse(), worlds=WORLDS, shared=ALIKE)
    ahead = rulings_of(worse(), TRUTH, worlds=WORLDS)
    called = _share(equal, _is_better)
    said = (
        f"at most 5; an equal one may serve in {_share(equal, _may):.0f} of 100, in {_share(alike, _may):.0f} if it "
        f"shares {ALIKE:.0%} of the champion's mistakes, one 2 % better in {_share(ahead, _may):.0f} "
        f"(and is called better in {_share(ahead, _is_better):.0f}); {3 * WORLDS} worlds, {_seconds(started)}"
    )
    return {
        "bench": "gate_calls_identical_better",
        "unit": "of 100 worlds",
        "ours": called,
        "against": said,
        "theirs": 5.0,
        "ratio": 5 / max(called, 0.5),
    }


def rulings_of(
    champion: Seen, challenger: Seen, *, worlds: int, shared: float = 0.0, seed: int = _SEED
) -> list[GateDecision]:
    """Judge two scorers at the gate in many worlds; a share of the variance of their mistakes is the same."""
    chances = (np.random.default_rng([seed, at]) for at in range(worlds))
    return [_ruling(champion, challenger, shared, chance) for chance in chances]


def _ruling(champion: Seen, challenger: Seen, shared: float, chance: np.random.Generator) -> GateDecision:
    scene = scene_of(_accounts(), chance)
    label = (_ranks(scene, chance) < expit(scene.margin)).astype(np.float64)
    day = chance.integers(_DAYS, size=len(label))
    judged = EvaluationRows(label=label, weight=np.ones(len(label)), group=scene.group, day=day)
    theirs, own, of_rules = (scene.noise(chance) for _ in range(3))
    ours = np.sqrt(shared) * theirs + np.sqrt(1 - shared) * own
    return evaluate_challenger(
        GateCandidate("version 2", "2", challenger.chances(scene, ours)),
        GateCandidate("version 1", "1", champion.chances(scene, theirs)),
        rules=(GateCandidate("the point rules", "rules", RULES.chances(scene, of_rules)),),
        rows=judged,
        capacity_per_day=CALLS_PER_DAY,
        small=False,
    )


def scene_of(accounts: int, chance: np.random.Generator) -> Scene:
    """Draw accounts with 1 to 6 leads, leads with 1 to 10 snapshots, and the log-odds of each."""
    account = np.repeat(np.arange(accounts), chance.integers(1, 7, size=accounts))
    lead = np.repeat(np.arange(len(account)), np.minimum(chance.geometric(0.3, size=len(account)), 10))
    group = account[lead]
    of_account = 0.6 * chance.normal(size=accounts)[group]
    of_lead = 1.0 * chance.normal(size=len(account))[lead]
    return Scene(_AVERAGE + of_account + of_lead + 0.5 * chance.normal(size=len(lead)), group, lead)


def _ranks(scene: Scene, chance: np.random.Generator) -> Floats:
    """Draw a uniform number for each snapshot: alike within a lead, and somewhat within an account."""
    of_account = chance.normal(size=int(scene.group.max()) + 1)[scene.group]
    of_lead = chance.normal(size=int(scene.lead.max()) + 1)[scene.lead]
    own = chance.normal(size=len(scene.lead))
    return np.asarray(ndtr(np.sqrt(0.1) * of_account + np.sqrt(0.6) * of_lead + np.sqrt(0.3) * own))


@cache
def _accounts() -> int:
    """Return how many accounts are needed for 400 successful snapshots to be expected."""
    many = 10_000
    expected = expit(scene_of(many, np.random.default_rng(_SEED)).margin).sum()
    return round(many * POSITIVES / expected)


@cache
def worse() -> Seen:
    """Return the calibrated scorer whose expected log loss is 2 % above that of the true chances."""
    low, high = 0.0, 2.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(calibrated(middle)) < WORSE_BY else (low, middle)
    return calibrated(high)


@cache
def calibrated(noise: float) -> Seen:
    """Calibrate a scorer on a large population."""
    scene, mistakes = _population()
    truth = expit(scene.margin)
    slope, offset = logistic_fit(scene.margin + noise * mistakes, truth, weight=np.ones(len(truth)))
    return Seen(noise, slope, offset)


def excess(seen: Seen) -> float:
    """Return a scorer's expected log loss over that of the true chances, minus 1."""
    scene, mistakes = _population()
    truth = expit(scene.margin)
    said = expit(seen.slope * (scene.margin + seen.noise * mistakes) + seen.offset)
    ours, best = (-(truth * np.log(one) + (1 - truth) * np.log1p(-one)).mean() for one in (said, truth))
    return float(ours / best - 1)


@cache
def _population() -> tuple[Scene, Floats]:
    chance = np.random.default_rng(_SEED + 1)
    scene = scene_of(10_000, chance)
    return scene, scene.noise(chance)


def _may(ruling: GateDecision) -> bool:
    return ruling.allowed


def _is_better(ruling: GateDecision) -> bool:
    return ruling.better


def _share(rulings: list[GateDecision], true: Callable[[GateDecision], bool]) -> float:
    """Count in how many of 100 rulings something is true."""
    return 100 * sum(map(true, rulings)) / len(rulings)


def _seconds(started: float) -> str:
    return f"{time.perf_counter() - started:.0f} s"


if __name__ == "__main__":
    print(gate_rejects_worse())
    print(gate_calls_identical_better())
