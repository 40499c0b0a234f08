"""
The cold-start ladder: rules alone, then a small model beside them, then a full model.

Every threshold on the way stands here. Counted are leads of the training period, not snapshots, for these repeat one
story.

Source: Dynamics 365 predictive lead scoring asks for 40 qualified and 40 disqualified leads; 500 is where the interval
of an AUC of 0.80 becomes narrow enough to tell models apart (Hanley and McNeil 1982: half-width 0.023).
"""

import pandas as pd

from models.cold_start import ColdStartStage
from training.dataset.dataset import Dataset
from training.errors import FewLeadsError

FEWEST = 40
"""Below so many leads with, or without, success only the rules score."""

FEWEST_IN_BLOCK = 5
"""Below so many in any one block, stopping, calibration or judging would rest on single leads."""

FULL = 500
"""From so many successes on the model is a full one; a smaller one may serve only where it beats the rules."""

_BLOCKS = {
    "train": "train block",
    "stop": "stop block (for early stopping)",
    "calibrate": "calibrate block",
    "test": "test block",
}


def leads_by_outcome(rows: pd.DataFrame) -> tuple[int, int]:
    """Count the leads that reached the goal and those that did not."""
    succeeded = rows.groupby("lead_id")["label"].max()
    positives = int(succeeded.sum())
    return positives, len(succeeded) - positives


def leads_of_blocks(dataset: Dataset, *names: str) -> tuple[int, int]:
    """Count the leads of some blocks that reached the goal and those that did not."""
    return leads_by_outcome(dataset.block(*names, columns=("lead_id", "label")))


def demand_enough(dataset: Dataset) -> None:
    """
    Demand leads of both kinds to learn from, and some of both in every block.

    Raises:
        FewLeadsError: fewer than 40 leads succeeded or failed in the training period, or fewer than 5 in a block.
    """
    why = dataset.largest_group.says
    _demand(leads_of_blocks(dataset, "train", "stop"), FEWEST, block="training period", why=why)
    for name, words in _BLOCKS.items():
        _demand(leads_of_blocks(dataset, name), FEWEST_IN_BLOCK, block=words, why=why)


def _demand(found: tuple[int, int], needed: int, *, block: str, why: str) -> None:
    positives, negatives = found
    if min(positives, negatives) < needed:
        raise FewLeadsError(block=block, positives=positives, negatives=negatives, needed=needed, why=why)


def standing_of(dataset: Dataset) -> ColdStartStage:
    """Say which rung a training set is enough for, and what the next one needs."""
    succeeded, failed = leads_of_blocks(dataset, "train", "stop")
    stage = dataset.manifest["goal"]["stage"]
    try:
        demand_enough(dataset)
    except FewLeadsError as few:
        return ColdStartStage("rules only", succeeded, failed, _to_a_model(few, succeeded, failed, stage=stage))
    if succeeded < FULL:
        return ColdStartStage(
            "small model", succeeded, failed, f"{FULL - succeeded:,} more leads that reach {stage} make a full model"
        )
    return ColdStartStage("full model", succeeded, failed, "")


def _to_a_model(few: FewLeadsError, succeeded: int, failed: int, *, stage: str) -> str:
    """Say what a first small model needs."""
    lacking = [
        f"{FEWEST - count:,} more leads that {words}"
        for count, words in ((succeeded, f"reach {stage}"), (failed, f"do not reach {stage}"))
        if count < FEWEST
    ]
    return f"{' and '.join(lacking)} make a small model" if lacking else str(few).removesuffix(".")
