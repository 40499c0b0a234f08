"""
Which family of models serves: the simplest that is within noise of the best.

A logistic regression is the simpler one. Trees serve where their log loss, over the test weeks of all origins, is lower
by more than one standard error.

Source: the rule of one standard error, Breiman, Friedman, Olshen and Stone 1984, Classification and Regression Trees,
section 3.4.3.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from training.evaluation.training_summary import FamilyChoice
from training.fitting.families import NAMES
from training.fitting.fitted_model import Family
from training.statistics.bootstrap import Floats, Ratios, interval, spread
from training.statistics.scoring_metrics import SEED, EvaluationRows, losses


def choose_family(tests: Sequence[pd.DataFrame], chances: Sequence[dict[Family, Floats]]) -> FamilyChoice:
    """
    Choose between trees and regression.

    Args:
        tests: the test rows of each origin.
        chances: the probabilities of these rows by each family.
    """
    rows = EvaluationRows.of(pd.concat([each[["label", "weight", "group", "as_of"]] for each in tests]))
    found: dict[Family, Floats] = {
        family: losses(np.concatenate([each[family] for each in chances]), rows.label) for family in NAMES
    }
    log_loss = {family: float(np.average(each, weights=rows.weight)) for family, each in found.items()}
    less = rows.weight * (found["trees"] - found["regression"])
    ratios = Ratios.of({"difference": (less, rows.weight)}, rows.group)
    resampled, value = spread(ratios.at, rows.groups, seed=SEED)[:, 0], log_loss["trees"] - log_loss["regression"]
    error = float(np.std(resampled))
    family: Family = "trees" if value < -error else "regression"
    says = _says(family, log_loss, value=value, error=error, origins=len(tests))
    difference = interval(resampled, value)
    return FamilyChoice(family=family, log_loss=log_loss, difference=difference, standard_error=error, says=says)


def _says(family: Family, log_loss: dict[Family, float], *, value: float, error: float, origins: int) -> str:
    """
    Put the choice into words.

    >>> _says("trees", {"trees": 0.15, "regression": 0.16}, value=-0.01, error=0.002, origins=3)[:69]
    'Boosted trees serve: over the test weeks of 3 periods their log loss '
    """
    periods = "the test weeks" if origins == 1 else f"the test weeks of {origins} periods"
    trees, regression = f"{log_loss['trees']:.4f}", f"{log_loss['regression']:.4f}"
    noise = f"one standard error ({error:.4f})"
    if family == "trees":
        return (
            f"Boosted trees serve: over {periods} their log loss is {trees} and that of a logistic regression "
            f"{regression}, higher by more than {noise}."
        )
    found = (
        f"A logistic regression serves: over {periods} its log loss is {regression} and that of boosted trees {trees}"
    )
    if value > error:
        return f"{found}, higher by more than {noise}."
    return f"{found}, which is within {noise}: of two that cannot be told apart the simpler one serves."
