"""What a fit results in, whatever the family: a model that serves, and what its judges need to know of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import lightgbm
import numpy as np
import pandas as pd

from data.words.playbook import Playbook
from features.catalog import Catalog
from features.history.over_history import known_values
from models.booster import trees_of
from models.bundle import GoldenRow
from models.conversion import ConversionModel, Encoding
from models.receipt import AVERAGE_POINTS, points_of
from models.scorecard import Scorecard
from training.dataset.dataset import Dataset
from training.fitting.boosting import Floats, margins_of
from training.fitting.calibration_choice import CalibrationChoice
from training.fitting.hyperparameters import explanation_steps
from training.fitting.thresholds import solve_bands

Family = Literal["trees", "regression"]

_GOLDEN = 16
_OUTCOMES = ("lead_id", "group", "as_of", "label", "weight", "amount")


@dataclass(frozen=True, eq=False)
class FittedModel:
    """
    The result of fitting.

    Attributes:
        family: of the model: boosted trees, or a logistic regression, whose terms are written as trees too.
        model: calibrated, with grades and threshold; its bundle has not been saved yet.
        scorecard: the point rules with probability, grades and threshold from history.
        booster: the model's trees were read from it.
        fitted_rows: how many train rows it was fitted on.
        rows: the n train rows it was calibrated on, without their features.
        out_of_fold: (n,) the probability of each of them by a fit that has not seen its account.
        parameters: of the fitting.
        golden: rows whose receipts are saved in the bundle.
        calibrated: which calibration was chosen, and why.
        directions: feature of the model → 1 where the score may only rise with it, -1 where it may only fall.
        features_tried: how many features there were before those that do not earn their place were left out.
        steps: conditions that an explanation of one row evaluates.
    """

    family: Family
    model: ConversionModel
    scorecard: Scorecard
    booster: lightgbm.Booster
    fitted_rows: int
    rows: pd.DataFrame
    out_of_fold: Floats
    parameters: Mapping[str, Any]
    golden: tuple[GoldenRow, ...]
    calibrated: CalibrationChoice
    directions: Mapping[str, int]
    features_tried: int
    steps: int

    def probabilities(self, rows: pd.DataFrame) -> Floats:
        """Return the chances of rows, (n,), without their reasons."""
        return self.calibrated.chosen.probabilities(margins_of(self.booster, self.model.encoding, rows))


@dataclass(frozen=True, eq=False, kw_only=True)
class Fit:
    """
    What a family fits, before grades are cut.

    Attributes:
        family: which one.
        booster: its raw score is the margin.
        encoding: of the booster's columns.
        fitted_rows: how many train rows it was fitted on.
        rows: the n train rows with margins.
        margins: (n,) of each of them, by a fit that has not seen its account.
        calibrated: from margins to chances.
        parameters: of the fitting.
        wished: feature → direction, from the playbook.
    """

    family: Family
    booster: lightgbm.Booster
    encoding: Encoding
    fitted_rows: int
    rows: pd.DataFrame
    margins: Floats
    calibrated: CalibrationChoice
    parameters: Mapping[str, Any]
    wished: Mapping[str, int]


def finished(fit: Fit, dataset: Dataset, playbook: Playbook, *, scorecard: Scorecard) -> FittedModel:
    """
    Cut grades and threshold, and choose the golden rows.

    Args:
        fit: what was fitted to the train rows.
        dataset: those rows, and the rows of the last weeks.
        playbook: capacity and routing.
        scorecard: the point rules, fitted to the same rows.
    """
    trees, encoding, calibration = trees_of(fit.booster), fit.encoding, fit.calibrated.chosen
    base_odds = dataset.base_rate / (1 - dataset.base_rate)
    log_odds = calibration.logits(margins_of(fit.booster, encoding, dataset.recent))
    points = points_of(log_odds, base_odds=base_odds)
    capacity, routing = playbook.business.capacity_per_day, playbook.routing
    bands = solve_bands(dataset.recent, points, routing=routing, capacity_per_day=capacity, average=AVERAGE_POINTS)
    name = f"leadscore-{playbook.business.name}"
    return FittedModel(
        family=fit.family,
        model=ConversionModel(name, encoding, trees, calibration, base_odds, bands),
        scorecard=scorecard,
        booster=fit.booster,
        fitted_rows=fit.fitted_rows,
        rows=fit.rows[[name for name in _OUTCOMES if name in fit.rows]],
        out_of_fold=calibration.probabilities(fit.margins),
        parameters=fit.parameters,
        golden=golden_rows(dataset, encoding.catalog),
        calibrated=fit.calibrated,
        directions={name: sign for name, sign in fit.wished.items() if name in encoding.catalog.names},
        features_tried=len(dataset.catalog.features),
        steps=explanation_steps(trees),
    )


def golden_rows(dataset: Dataset, catalog: Catalog) -> tuple[GoldenRow, ...]:
    """Return rows spread evenly over the train rows, with their values in catalog order."""
    train = dataset.block("train")
    chosen = train.iloc[np.unique(np.linspace(0, len(train) - 1, _GOLDEN).round().astype(int))]
    values = known_values(chosen[catalog.names])
    return tuple(map(GoldenRow, chosen["lead_id"].tolist(), chosen["as_of"].tolist(), values))
