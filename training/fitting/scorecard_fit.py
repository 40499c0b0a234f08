"""Scorecard fit: point rules get a probability, grades and a threshold from history."""

import numpy as np
import pandas as pd

from data.importing.warehouse import Warehouse
from data.words.playbook import Playbook
from data.words.point_rules import ScorecardRules
from models.scorecard import Scorecard, compile_scorecard
from training.dataset.dataset import Dataset
from training.dataset.feature_values import values_of
from training.fitting.recency import fit_line
from training.fitting.thresholds import solve_bands


def fit_scorecard(dataset: Dataset, playbook: Playbook) -> Scorecard:
    """Calibrate the playbook's own point rules on the train rows, as the model is."""
    return calibrated_rules(playbook.scorecard, dataset, playbook=playbook)


def calibrated_rules(
    rules: ScorecardRules, dataset: Dataset, *, playbook: Playbook, warehouse: Warehouse | None = None
) -> Scorecard:
    """
    Calibrate point rules, with grades and a threshold, on the rows that the playbook's own rules are calibrated on.

    Args:
        rules: such as one of the playbook's rivals.
        dataset: its train rows, and its rows of the last weeks.
        playbook: capacity and routing.
        warehouse: the history, for features that the training set does not hold.

    Raises:
        LookupError: a rule needs such a feature, and there is no history.
    """
    card = compile_scorecard(rules, playbook.business)
    rows, recent = dataset.block("train"), dataset.recent
    both = values_of(card.catalog, _union(rows, recent), dataset=dataset, warehouse=warehouse)
    points = pd.Series(card.score_many(both).points, index=both.index)
    scored, lately = (np.asarray(points[some.index], dtype=np.float64) for some in (rows, recent))
    calibration = fit_line(scored, rows, horizon_us=dataset.horizon_us)
    even = float(np.log(dataset.base_rate / (1 - dataset.base_rate)))
    average = (even - calibration.offset) / calibration.slope if calibration.slope > 0 else float(np.mean(lately))
    capacity = playbook.business.capacity_per_day
    bands = solve_bands(recent, lately, routing=playbook.routing, capacity_per_day=capacity, average=average)
    return card.calibrated(calibration, bands)


def _union(rows: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    """Combine rows of one training set, each once."""
    return pd.concat([rows, more[~more.index.isin(rows.index)]])
