"""Pictures say nothing that the numbers do not."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from features.feature_labels import feature_label
from models.bundle import load_bundle
from training.dataset.storage import load_dataset
from training.reporting.shap_plots import beeswarm_figure

ROWS = 300


@pytest.fixture(scope="module")
def model(trained):
    return load_bundle(trained.bundle)


def test_values_without_an_order_have_no_colour(world, model):
    """The code of a category is no amount: every dot of its row is grey, where a number's dots are coloured."""
    kept = next((world.home.tables("demo") / "training").iterdir())
    rows = load_dataset(kept)[0].query("block == 'test'").head(ROWS)
    axes = beeswarm_figure(model, rows, world.playbook.business).axes[0]
    captions = {feature_label(one, world.playbook.business) for one in model.catalog.features if one.is_category}
    shown = [label.get_text() for label in axes.get_yticklabels()]
    grey = [dots for dots in axes.collections if len(dots.get_offsets()) == ROWS and _grey(dots)]
    places = {round(float(np.median(np.asarray(dots.get_offsets())[:, 1]))) for dots in grey}
    expected = {at for at, name in enumerate(shown) if name in captions}
    assert expected
    assert expected <= places
    assert len(places) < len(shown)


def _grey(dots):
    return {to_hex(colour) for colour in dots.get_facecolors()} == {"#777777"}
