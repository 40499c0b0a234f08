"""
The model as MLflow serves it.

MLflow runs this file itself ("models from code"), so nothing is pickled. It reads the bundle that lies beside it among
the model's artefacts, and needs neither LightGBM nor the training code.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from numpy.typing import NDArray

from features.catalog import Catalog
from models.bands import Bands
from models.bundle import load_bundle
from models.conversion import ConversionModel
from models.receipt import displayed
from models.scorer import ScoreArrays

Answer = NDArray[np.int64] | NDArray[np.float64] | pd.DataFrame
"""Classes, the chances of both classes, or a frame of whole scores."""


class ServedModel(PythonModel):
    """A bundle that answers a frame of features as a classifier does, or with whole scores."""

    _model: ConversionModel

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle with all its checks."""
        self._model = load_bundle(Path(context.artifacts["bundle"]))

    def predict(  # the name and the arguments are MLflow's
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> Answer:
        """
        Score rows of features.

        Args:
            context: not needed any more.
            model_input: (n) rows with the catalog's columns; what is missing is null.
            params: ``predict_method``, as scikit-learn calls its methods: ``predict`` if there is none.

        Returns:
            ``predict``: (n,) 1 for a lead that would be handed over, else 0. ``predict_proba``: (n, 2) the chances of 0
            and of 1. ``scores``: (n, 4) ``probability``, ``points``, ``score``, ``grade``.

        Raises:
            MlflowException: another method is named.
        """
        del context
        method = (params or {}).get("predict_method", "predict")
        if method not in _ANSWERS:
            message = f"predict_method is {method!r}, expected one of {', '.join(_ANSWERS)}: name one of them."
            raise MlflowException.invalid_parameter_value(message)
        scored = self._model.score_many(typed(model_input, self._model.catalog))
        return _ANSWERS[method](scored, self._model.bands)


def _classes(scored: ScoreArrays, bands: Bands) -> NDArray[np.int64]:
    return (scored.points >= bands.threshold).astype(np.int64)


def _chances(scored: ScoreArrays, _bands: Bands) -> NDArray[np.float64]:
    return np.column_stack([1 - scored.probabilities, scored.probabilities])


def _scores(scored: ScoreArrays, bands: Bands) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "probability": scored.probabilities,
            "points": scored.points,
            "score": np.array([displayed(points) for points in scored.points.tolist()], dtype=np.int64),
            "grade": bands.grades(scored.points),
        }
    )


_ANSWERS: Mapping[str, Callable[[ScoreArrays, Bands], Answer]] = {
    "predict": _classes,
    "predict_proba": _chances,
    "scores": _scores,
}


def typed(rows: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """Convert each feature to the type the model expects: numbers as float64, categories as text or None."""
    columns = {}
    for feature in catalog.features:
        given = rows[feature.name] if feature.name in rows else pd.Series([None] * len(rows), index=rows.index)
        if feature.is_category:
            columns[feature.name] = pd.Series([_text(value) for value in given], index=rows.index, dtype=object)
        else:
            columns[feature.name] = pd.to_numeric(given).astype(np.float64)
    return pd.DataFrame(columns, index=rows.index)


def _text(value: object) -> str | None:
    missing = value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA
    return None if missing else str(value)


mlflow.models.set_model(ServedModel())
