"""
Rolling origins: the same training as if it had been run on earlier days, each evaluated on the weeks that came next.

The last origin is the training set itself. Each earlier one ends where the next one's test begins, so that no row is
evaluated twice, and is divided by the same rule. How well a model does on one test block alone may be luck.
"""

from dataclasses import replace
from typing import Any

import pandas as pd

from training.dataset.dataset import Dataset
from training.dataset.dataset_draft import block_counts, training_rate
from training.dataset.split import BLOCKS, PURGED, Plan, Span, plan_blocks
from training.errors import HistoryError

ORIGINS = 3


def plan_origins(rows: pd.DataFrame, *, horizon: int, times: int = ORIGINS) -> tuple[Plan, ...]:
    """
    Plan the origins, oldest first.

    Args:
        rows: the mature rows with ``as_of`` and ``label``.
        horizon: of the goal [us].
        times: how many are wanted; the result has fewer where the history is too short for them.

    Raises:
        HistoryError: it is too short for a single one.
    """
    plans = [_plan(rows, horizon)]
    while len(plans) < times:
        try:
            plans.append(_plan(rows[rows["as_of"] < plans[-1].test.start], horizon))
        except HistoryError:
            break
    return tuple(reversed(plans))


def _plan(rows: pd.DataFrame, horizon: int) -> Plan:
    return plan_blocks(rows["as_of"].to_numpy(), rows["label"].to_numpy(), horizon=horizon)


def rolling_origins(dataset: Dataset, *, times: int = ORIGINS) -> tuple[Dataset, ...]:
    """
    Return the training set as it would have been divided at each origin, oldest first; the last is the set itself.

    The features are those derived for the last origin. A feature of which nothing was known at an earlier one is
    constant there, and no tree splits on a constant.
    """
    mature = dataset.block(*BLOCKS, PURGED, columns=("as_of", "label"))
    plans = plan_origins(mature, horizon=dataset.horizon_us, times=times)
    return (*(at_origin(dataset, plan) for plan in plans[:-1]), dataset)


def on_all_rows(dataset: Dataset) -> Dataset:
    """Return the training set with every row whose outcome is known as a train row: what serves is fitted on it."""
    plan = dataset.plan
    whole = Plan(train=Span(plan.train.start, plan.test.end), test=Span(plan.test.end, plan.test.end))
    drawn = dataset.block(*BLOCKS, PURGED)
    rows = pd.concat([drawn.assign(block="train"), dataset.recent])
    return replace(dataset, rows=rows, manifest={**dataset.manifest, **_divided(rows, whole)})


def at_origin(dataset: Dataset, plan: Plan) -> Dataset:
    """
    Divide the rows of a training set by another plan, as if nothing after its test were known.

    Only the rows from which grades are cut stay those of the last weeks; no number of an origin depends on grades.
    """
    drawn = dataset.block(*BLOCKS, PURGED)
    drawn = drawn[drawn["as_of"] < plan.test.end]
    rows = pd.concat([drawn.assign(block=plan.blocks(drawn["as_of"].to_numpy())), dataset.recent])
    manifest = {**dataset.manifest, **_divided(rows, plan), "cutoff_us": plan.test.end}
    return replace(dataset, rows=rows, manifest=manifest)


def _divided(rows: pd.DataFrame, plan: Plan) -> dict[str, Any]:
    """Return what the manifest says of a division into blocks."""
    return {"plan": plan.as_json(), **block_counts(rows), "base_rate": training_rate(rows)}
