"""How fast every metric gets its interval, against resampling rows and asking scikit-learn."""

import time

import numpy as np
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from training.statistics.bootstrap import resamples
from training.statistics.scoring_metrics import LIFTS, SEED, EvaluationRows, best_shares, called, evaluate

ROWS, ACCOUNTS, RESAMPLES = 100_000, 20_000, 1_000
ALLOWED_S = 10.0
"""What all metrics of a scorer may take for so many rows and resamples."""

_SAMPLED = 10
_CAPACITY, _BASE = 10.0, 0.14


def bootstrap_vs_scikit_learn():
    """
    Judge one scorer with intervals for every metric, and do the same by copying the rows of the drawn accounts.

    Ours is all of ``evaluate``: sorting, resampling, and the noise of the calibration error. Theirs is timed on ten
    resamples, whose times hardly differ, and leaves out the slope and that noise, which would take it far longer.

    Returns:
        {"bench", "unit", "ours", "against", "theirs", "ratio"}; a ratio above 1 means ours is faster.
    """
    probability, judged = _scored()
    started = time.perf_counter()
    numbers = evaluate(probability, judged, base_rate=_BASE, capacity_per_day=_CAPACITY, resamples=RESAMPLES)
    ours = (time.perf_counter() - started) / RESAMPLES
    if ours * RESAMPLES > ALLOWED_S:
        print(f"{ROWS:,} rows took {ours * RESAMPLES:.1f} s, expected at most {ALLOWED_S:g} s")
    tops = _tops(probability, judged)
    whole = _by_copying(probability, judged, np.ones(judged.groups), tops=tops)
    np.testing.assert_allclose([getattr(numbers, name).value for name in whole], list(whole.values()), rtol=1e-9)
    drawn = list(resamples(judged.groups, _SAMPLED, seed=SEED))
    started = time.perf_counter()
    for counts in drawn:
        _by_copying(probability, judged, counts, tops=tops)
    theirs = (time.perf_counter() - started) / _SAMPLED
    return {
        "bench": "bootstrap_vs_scikit_learn",
        "unit": "resamples/s",
        "ours": 1 / ours,
        "against": f"scikit-learn on copies of {ROWS:,} rows; our {RESAMPLES:,} took {ours * RESAMPLES:.1f} s",
        "theirs": 1 / theirs,
        "ratio": theirs / ours,
    }


def _scored():
    """Make rows of accounts that succeed together, with chances that are right."""
    chance = np.random.default_rng(7)
    account = chance.integers(ACCOUNTS, size=ROWS)
    account[:ACCOUNTS] = np.arange(ACCOUNTS)
    probability = chance.beta(1, 6, ROWS)
    label = (chance.random(ACCOUNTS)[account] < probability).astype(float)
    weight = chance.choice([1.0, 1.7, 3.3], ROWS)
    amount = label * chance.lognormal(9, 1, ROWS)
    return probability, EvaluationRows(label, weight, account, chance.integers(90, size=ROWS), amount)


def _tops(probability, judged):
    """Decide once, as ours does, how much of each row is called, and is in the best 5, 10 and 20 %."""
    shares = best_shares(probability, judged, shares=[share / 100 for share in LIFTS])
    return {"called": called(probability, judged, capacity_per_day=_CAPACITY), **dict(zip(LIFTS, shares, strict=True))}


def _by_copying(probability, judged, counts, *, tops):
    """Copy the rows of each account as often as it was drawn; scikit-learn computes what it can, numpy the rest."""
    rows = np.repeat(np.arange(ROWS), counts[judged.group].astype(np.int64))
    score, label, weight = probability[rows], judged.label[rows], judged.weight[rows]
    rate, taken = np.average(label, weights=weight), tops["called"][rows]
    base = brier_score_loss(label, np.full(len(rows), _BASE), sample_weight=weight)
    return {
        "auc": roc_auc_score(label, score, sample_weight=weight),
        "pr_auc": average_precision_score(label, score, sample_weight=weight),
        "log_loss": log_loss(label, score, sample_weight=weight),
        "brier_skill": 1 - brier_score_loss(label, score, sample_weight=weight) / base,
        "base_rate": rate,
        "observed_over_expected": rate / np.average(score, weights=weight),
        "precision_at_capacity": np.average(label, weights=taken),
        "recall_at_capacity": (taken * label).sum() / (weight * label).sum(),
        "value_at_capacity": np.average(judged.amount[rows], weights=taken),
        **{f"lift_at_{share}": np.average(label, weights=tops[share][rows]) / rate for share in LIFTS},
    }


if __name__ == "__main__":
    print(bootstrap_vs_scikit_learn())
