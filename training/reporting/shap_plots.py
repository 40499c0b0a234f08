"""Plots by shap of a training run: what moves the model. Every other picture is a chart of training.reporting."""

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import shap
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from data.progress import Progress, silent, tracked
from data.words.playbook import Business
from features.feature_labels import feature_label, reason_label
from models.conversion import ConversionModel
from models.scorer import ScoreArrays
from training.statistics.scoring_metrics import SEED

mpl.use("Agg")

_SAMPLE = 2_000
_SHOWN = 15
_INK, _QUIET = "#1b2430", "#9ca3af"

Floats = NDArray[np.float64]


def draw_all(
    place: Path,
    model: ConversionModel,
    test: pd.DataFrame,
    *,
    business: Business,
    progress: Progress = silent,
) -> list[Path]:
    """
    Draw every plot that shap makes of a run.

    Args:
        place: an existing folder.
        model: what was trained.
        test: (n) rows with its features.
        business: knows the words.
        progress: receives how many are drawn.

    Returns:
        The files, PNG.
    """
    rows = test.sample(min(_SAMPLE, len(test)), random_state=SEED)
    figures: dict[str, Callable[[], Figure]] = {
        "shap_beeswarm.png": lambda: beeswarm_figure(model, rows, business),
        "shap_bar.png": lambda: bar_figure(model.score_many(rows), business),
    }
    with mpl.rc_context({"font.size": 10, "axes.edgecolor": _QUIET, "text.color": _INK, "axes.labelcolor": _INK}):
        for name in tracked(list(figures), "drawing plots", progress):
            figures[name]().savefig(place / name, dpi=130)
    return [place / name for name in figures]


def beeswarm_figure(model: ConversionModel, rows: pd.DataFrame, business: Business) -> Figure:
    """Draw how each feature moved the points of single leads, by shap."""
    matrix = model.encoding.frame(rows)
    names = [feature_label(feature, business) for feature in model.catalog.features]
    explanation = shap.Explanation(
        model.moved(matrix), model.base_points, data=_colours(matrix, model), feature_names=names
    )
    figure, axes = _one_axes(width=11.0, height=6.5)
    shap.plots.beeswarm(
        explanation, max_display=_SHOWN, show=False, ax=axes, plot_size=None, group_remaining_features=False
    )
    axes.set_xlabel("points moved (10 points double the odds)")
    axes.tick_params(labelsize=9)
    figure.suptitle("What moved single leads: each dot is one lead, grey where values have no order", x=0.01, ha="left")
    return figure


def _colours(matrix: Floats, model: ConversionModel) -> NDArray[np.object_]:
    """Return what colours the dots: values, but text for categories, which shap leaves grey: codes have no order."""
    values = matrix.astype(object)
    values[:, [feature.is_category for feature in model.catalog.features]] = "category"
    return values


def bar_figure(scored: ScoreArrays, business: Business) -> Figure:
    """Draw how far each reason moves the points on average, by shap."""
    names = [reason_label(code, business) for code in scored.codes]
    bases = np.full(len(scored.points), scored.base_points)
    explanation = shap.Explanation(scored.reasons, bases, feature_names=names)
    figure, axes = _one_axes(width=8.5, height=6.0)
    shap.plots.bar(explanation, max_display=_SHOWN, show=False, ax=axes)
    axes.set_xlabel("points moved on average, up or down")
    axes.tick_params(labelsize=9)
    figure.suptitle("What counts most over all leads", x=0.01, ha="left")
    return figure


def _one_axes(*, width: float = 6.8, height: float = 5.2) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
