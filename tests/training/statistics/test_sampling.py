"""A draw depends on its name and its purpose, and on nothing else."""

import numpy as np
import pandas as pd

from training.statistics.sampling import uniforms, uniforms_by_time


def test_a_name_draws_the_same_whoever_else_is_there():
    assert uniforms(["x", "y"], "block", seed=3)[1] == uniforms(["y"], "block", seed=3)[0]


def test_purposes_and_seeds_are_independent():
    names = [str(number) for number in range(2_000)]
    first = uniforms(names, "block", seed=1)
    for other in (uniforms(names, "stop", seed=1), uniforms(names, "block", seed=2)):
        assert abs(np.corrcoef(first, other)[0, 1]) < 0.1


def test_draws_are_spread_evenly_over_names_and_days():
    names = pd.Series([f"lead {number}" for number in range(100)] * 100)
    drawn = uniforms_by_time(names, np.repeat(np.arange(100), 100), "moment", seed=1)
    assert np.abs(np.histogram(drawn, bins=10, range=(0, 1))[0] / 1_000 - 1).max() < 0.12
    assert drawn.min() >= 0
    assert drawn.max() < 1
