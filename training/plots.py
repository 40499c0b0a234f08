"""Plots of a training run: is it calibrated, what does it gain, what moves it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
import matplotlib.ticker
import numpy as np
import pandas as pd
import shap
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from data.playbook import Playbook
from data.progress import Progress, silent
from models.conversion import ConversionModel
from models.receipt import POINTS_PER_LOGIT
from models.scorer import Scored
from models.shapley import ShapleyTables
from training.captions import caption, group_caption
from training.comparison import Contender
from training.evaluation import SEED, Judged
from training.reliability import curve

mpl.use("Agg")

_SAMPLE = 2_000
_SHOWN = 15
_INK, _QUIET, _BAND = "#1f2937", "#9ca3af", "#e5e7eb"
_COLOURS = ("#2563eb", "#d97706", "#059669")

Floats = NDArray[np.float64]


def draw_all(
    place: Path,
    model: ConversionModel,
    test: pd.DataFrame,
    *,
    contenders: Sequence[Contender],
    judged: Judged,
    playbook: Playbook,
    progress: Progress = silent,
) -> list[Path]:
    """
    Draw every plot of a run.

    Args:
        place: an existing folder.
        model: what was trained.
        test: (n) rows with its features.
        contenders: the scorers to show; the model first.
        judged: the same rows.
        playbook: knows the words.
        progress: hears how many are drawn.

    Returns:
        The files, PNG.
    """
    rows = test.sample(min(_SAMPLE, len(test)), random_state=SEED)
    figures: dict[str, Callable[[], Figure]] = {
        "calibration.png": lambda: calibration_figure(contenders[0].probability, judged),
        "gain.png": lambda: gain_figure(contenders, judged),
        "shap_beeswarm.png": lambda: beeswarm_figure(model, rows, playbook),
        "shap_bar.png": lambda: bar_figure(model.score_many(rows), playbook),
    }
    drawn = []
    with mpl.rc_context({"font.size": 10, "axes.edgecolor": _QUIET, "text.color": _INK, "axes.labelcolor": _INK}):
        for at, (name, draw) in enumerate(figures.items()):
            progress("drawing plots", at, len(figures))
            drawn.append(_saved(draw(), place / name))
    progress("drawing plots", len(figures), len(figures))
    return drawn


def calibration_figure(probability: Floats, judged: Judged) -> Figure:
    """Draw predicted against observed, with the band that a perfectly calibrated model would stay in."""
    told = curve(probability, judged.label, weight=judged.weight, group=judged.group, seed=SEED)
    figure, axes = _one_axes()
    most = max(float(told.predicted.max()), float(told.observed.max()), float(told.high.max())) * 1.08
    axes.plot([0, most], [0, most], color=_QUIET, linewidth=1, linestyle="--", label="exactly as predicted")
    axes.fill_between(told.predicted, told.low, told.high, color=_BAND, label="noise of a perfect model (95 %)")
    axes.plot(told.predicted, told.observed, color=_COLOURS[0], marker="o", label="this model")
    axes.set(xlim=(0, most), ylim=(0, most), xlabel="predicted chance", ylabel="share that reached the goal")
    axes.set_title(f"Calibration: error {told.error:.3f}, noise up to {told.noise_95:.3f}", loc="left")
    axes.legend(frameon=False, loc="upper left")
    _in_percent(axes)
    return figure


def gain_figure(contenders: Sequence[Contender], judged: Judged) -> Figure:
    """Draw which share of all successes is found when the best leads are called first."""
    figure, axes = _one_axes()
    axes.plot([0, 1], [0, 1], color=_QUIET, linewidth=1, linestyle="--", label="in any order")
    for contender, colour in zip(contenders, _COLOURS, strict=False):
        reached, found = gain(contender.probability, judged)
        axes.plot(reached, found, color=colour, label=contender.name)
    axes.set(
        xlim=(0, 1), ylim=(0, 1), xlabel="share of leads called, best first", ylabel="share of all successes found"
    )
    axes.set_title("Gain: how much of the success sits at the top of the list", loc="left")
    axes.legend(frameon=False, loc="lower right")
    _in_percent(axes)
    return figure


def gain(probability: Floats, judged: Judged) -> tuple[Floats, Floats]:
    """Give the share of rows called and the share of successes found, both rising from 0 to 1."""
    tie = np.random.default_rng(SEED).permutation(len(probability))
    order = np.lexsort((tie, -probability))
    weight = judged.weight[order]
    hits = weight * judged.label[order]
    called, found = np.cumsum(weight) / weight.sum(), np.cumsum(hits) / max(hits.sum(), 1e-300)
    return np.r_[0.0, called], np.r_[0.0, found]


def beeswarm_figure(model: ConversionModel, rows: pd.DataFrame, playbook: Playbook) -> Figure:
    """Draw how each feature moved the points of single leads, by shap."""
    matrix = model.encoding.frame(rows)
    to_points = POINTS_PER_LOGIT * model.calibration.slope
    moved = ShapleyTables.of(model.trees).contributions(matrix) * to_points
    names = [caption(feature, playbook) for feature in model.catalog.features]
    explanation = shap.Explanation(moved, model.base_points, data=_colours(matrix, model), feature_names=names)
    figure, axes = _one_axes(width=11.0, height=6.5)
    shap.plots.beeswarm(
        explanation, max_display=_SHOWN, show=False, ax=axes, plot_size=None, group_remaining_features=False
    )
    axes.set_xlabel("points moved (10 points double the odds)")
    axes.tick_params(labelsize=9)
    figure.suptitle("What moved single leads: each dot is one lead, grey where values have no order", x=0.01, ha="left")
    return figure


def _colours(matrix: Floats, model: ConversionModel) -> NDArray[np.object_]:
    """Give what colours the dots: the values, but text for categories, which shap leaves grey: codes have no order."""
    values = matrix.astype(object)
    values[:, [feature.is_category for feature in model.catalog.features]] = "category"
    return values


def bar_figure(scored: Scored, playbook: Playbook) -> Figure:
    """Draw how far each reason moves the points on average, by shap."""
    names = [group_caption(code, playbook) for code in scored.codes]
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


def _in_percent(axes: Axes) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(matplotlib.ticker.PercentFormatter(1.0, decimals=None))


def _saved(figure: Figure, path: Path) -> Path:
    figure.savefig(path, dpi=130)
    return path
