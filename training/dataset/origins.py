"""
Rolling origins: the same training as if it had been run on earlier days, each evaluated on the weeks that came next.

The last origin is the training set itself. Each earlier one ends where the next one's test begins, so that no row is
evaluated twice, and is divided by the same rule. How well a model does on one test block alone may be luck.
"""

from dataclasses import replace

import numpy as np

from data.instants import DAY_US
from training.dataset.dataset import RECENT_DAYS, SEED, Dataset
from training.dataset.split import Plan, plan_blocks, split
from training.errors import HistoryError

ORIGINS = 3


def plan_origins(first: int, last: int, *, horizon: int, times: int = ORIGINS) -> tuple[Plan, ...]:
    """
    Plan the origins, oldest first.

    Args:
        first: the first mature ``as_of`` [us since 1970 UTC].
        last: the last one.
        horizon: of the goal [us].
        times: how many are wanted; the result has fewer where the history is too short for them.

    Raises:
        HistoryError: it is too short for a single one.
    """
    plans = [plan_blocks(first, last, horizon=horizon)]
    while len(plans) < times:
        try:
            plans.append(plan_blocks(first, plans[-1].test.start - 1, horizon=horizon))
        except HistoryError:
            break
    return tuple(reversed(plans))


def rolling_origins(dataset: Dataset, *, times: int = ORIGINS, seed: int = SEED) -> tuple[Dataset, ...]:
    """
    Return the training set as it would have been divided at each origin, oldest first; the last is the set itself.

    The features are those derived for the last origin. A feature of which nothing was known at an earlier one is
    constant there, and no tree splits on a constant.
    """
    first, last = dataset.manifest["mature_span_us"]
    plans = plan_origins(first, last, horizon=dataset.horizon_us, times=times)
    return (*(at_origin(dataset, plan, seed=seed) for plan in plans[:-1]), dataset)


def at_origin(dataset: Dataset, plan: Plan, *, seed: int = SEED) -> Dataset:
    """Divide the rows of a training set by another plan, as if nothing after its test were known."""
    rows = dataset.rows[(dataset.rows["as_of"] < plan.test.end) & dataset.rows["label"].notna()]
    parts = split(rows["as_of"].to_numpy(), rows["group"], plan, seed=seed)
    rows = rows.assign(block=parts.block, weight=parts.weight)
    in_training = plan.train.holds(rows["as_of"].to_numpy())
    manifest = {
        **dataset.manifest,
        "plan": plan.as_json(),
        "blocks": parts.counts,
        "positives": {name: int(rows["label"][parts.block == name].sum()) for name in parts.counts},
        "base_rate": float(np.mean(rows["label"].to_numpy()[in_training])) if in_training.any() else float("nan"),
        "recent_from_us": plan.test.end - RECENT_DAYS * DAY_US,
        "cutoff_us": plan.test.end,
    }
    return replace(dataset, rows=rows, manifest=manifest)
