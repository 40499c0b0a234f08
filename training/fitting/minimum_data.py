"""
The cold-start stages: rules alone, then a small model beside them, then a full model.

Every threshold on the way is defined here. It counts leads of the training period, not snapshots, as a lead's snapshots
repeat one story.

Source: Dynamics 365 predictive lead scoring asks for 40 qualified and 40 disqualified leads; 500 is where the interval
of an AUC of 0.80 becomes narrow enough to tell models apart (Hanley and McNeil 1982: half-width 0.023).
"""

import pandas as pd

from data.instants import iso
from models.cold_start import ColdStartStage
from training.dataset.dataset import Dataset
from training.dataset.split import BLOCKS, PURGED
from training.errors import FewLeadsError

FEWEST = 40
"""With fewer leads with, or without, success only the rules score."""

FEWEST_IN_TEST = 5
"""With fewer in the test weeks, the evaluation would depend on single leads."""

FEWEST_ACCOUNTS = 10
"""With fewer accounts of either kind, a fold of them could be empty."""

FULL = 500
"""With so many successes the model is a full one; a smaller one may serve only where it beats the rules."""

_BLOCKS = {"train": "training period", "test": "test period"}


def leads_by_outcome(rows: pd.DataFrame) -> tuple[int, int]:
    """Count the leads that reached the goal and those that did not."""
    succeeded = rows.groupby("lead_id")["label"].max()
    positives = int(succeeded.sum())
    return positives, len(succeeded) - positives


def leads_of_block(dataset: Dataset, name: str) -> tuple[int, int]:
    """Count the leads of a block that reached the goal and those that did not."""
    return leads_by_outcome(dataset.block(name, columns=("lead_id", "label")))


def require_enough_leads(dataset: Dataset) -> None:
    """
    Refuse a training set without enough leads of both kinds to learn from, or without some of both to be tested on.

    Raises:
        FewLeadsError: fewer than 40 leads succeeded or failed in the training period, or fewer than 5 in the
            test period.
    """
    crowded = dataset.largest_group.says
    for name, needed in (("train", FEWEST), ("test", FEWEST_IN_TEST)):
        _require(leads_of_block(dataset, name), needed, block=_BLOCKS[name], why=crowded or _wrong_weeks(dataset))
    accounts = _accounts_by_outcome(dataset.block("train", columns=("group", "label")))
    _require(accounts, FEWEST_ACCOUNTS, block=_BLOCKS["train"], why=crowded, counted="different accounts with leads")


def _accounts_by_outcome(rows: pd.DataFrame) -> tuple[int, int]:
    """Count the accounts with rows of success, and those with rows without; many have both."""
    succeeded, failed = (int(rows.loc[rows["label"] == label, "group"].nunique()) for label in (1, 0))
    return succeeded, failed


def _wrong_weeks(dataset: Dataset) -> str:
    """Return in which weeks leads count where the history has enough of both kinds; empty where it has not."""
    succeeded, failed = leads_by_outcome(dataset.block(*BLOCKS, PURGED, columns=("lead_id", "label")))
    if min(succeeded, failed) < FEWEST + FEWEST_IN_TEST:
        return ""
    train, test = (
        f"{iso(span.start)[:10]} to {iso(span.end)[:10]}" for span in (dataset.plan.train, dataset.plan.test)
    )
    return (
        f"the whole history has {succeeded:,} and {failed:,}, but the training period is {train} and the test period "
        f"{test}. Bring a longer history or shorten goal.horizon_days."
    )


def _require(counts: tuple[int, int], needed: int, *, block: str, why: str, counted: str = "leads") -> None:
    positives, negatives = counts
    if min(positives, negatives) < needed:
        raise FewLeadsError(
            block=block, positives=positives, negatives=negatives, needed=needed, why=why, counted=counted
        )


def cold_start_stage(dataset: Dataset) -> ColdStartStage:
    """Return which stage a training set is enough for, and what the next one needs."""
    succeeded, failed = leads_of_block(dataset, "train")
    stage = dataset.manifest["goal"]["stage"]
    try:
        require_enough_leads(dataset)
    except FewLeadsError as few:
        missing = str(few).removesuffix(".") if _wrong_weeks(dataset) else ""
        return ColdStartStage("rules only", succeeded, failed, missing or _missing(few, succeeded, failed, stage=stage))
    if succeeded < FULL:
        return ColdStartStage(
            "small model", succeeded, failed, f"{FULL - succeeded:,} more leads that reach {stage} make a full model"
        )
    return ColdStartStage("full model", succeeded, failed, "")


def _missing(few: FewLeadsError, succeeded: int, failed: int, *, stage: str) -> str:
    """Describe what is missing for a first small model."""
    lacking = [
        f"{FEWEST - count:,} more leads that {words}"
        for count, words in ((succeeded, f"reach {stage}"), (failed, f"do not reach {stage}"))
        if count < FEWEST
    ]
    return f"{' and '.join(lacking)} make a small model" if lacking else str(few).removesuffix(".")
