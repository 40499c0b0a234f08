"""
The model as MLflow serves it.

MLflow runs this file itself ("models from code"), so nothing is pickled. It reads the bundle that lies beside it among
the model's artefacts, and needs neither LightGBM nor the training code.
"""

import math
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from features.catalog import Catalog
from models.bundle import load_bundle
from models.conversion import ConversionModel
from models.receipt import displayed


class ServedModel(PythonModel):
    """A bundle that answers a frame of features with a frame of scores."""

    _model: ConversionModel

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle with all its checks."""
        self._model = load_bundle(Path(context.artifacts["bundle"]))

    def predict(  # the name and the arguments are MLflow's
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """
        Score rows of features.

        Args:
            context: not needed any more.
            model_input: (n) rows with the catalog's columns; what is missing is null.
            params: none are known.

        Returns:
            (n, 4): ``probability``, ``points``, ``score``, ``grade``.
        """
        del context, params
        scored = self._model.score_many(typed(model_input, self._model.catalog))
        return pd.DataFrame(
            {
                "probability": scored.probabilities,
                "points": scored.points,
                "score": np.array([displayed(points) for points in scored.points.tolist()], dtype=np.int64),
                "grade": self._model.bands.grades(scored.points),
            }
        )


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
