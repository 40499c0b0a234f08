"""Colours that everyone can read and tell apart, in light, in dark, and on grey paper."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.reporting.palette import DARK, LIGHT, MOST_SERIES, series_of
from training.statistics.scorer_metrics import ScorerName

WORDS = ("ink", "quiet", "model", "rules", "learned", "baseline", "good", "bad", "care")
KINDS = ("model", "rules", "learned rules", "baseline")
ENTRIES = st.lists(
    st.tuples(st.sampled_from("abcdefghij"), st.sampled_from(KINDS)), max_size=12, unique_by=lambda pair: pair[0]
).map(lambda pairs: [ScorerName(name=name, kind=kind) for name, kind in pairs])

# Machado, Oliveira and Fernandes 2009: how linear RGB looks to people without one kind of cone.
DEUTERANOPIA = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
PROTANOPIA = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]


def linear(colour):
    """Give the linear RGB of a hex colour."""
    channels = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def luminance(colour):
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    """Give the contrast ratio of WCAG 2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def lab(rgb):
    """Give CIE L*a*b* of linear RGB under D65."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(rgb, 0, 1)
    f = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "shade"])
def test_words_in_every_colour_can_be_read(colours, ground):
    poor = {name: contrast(colours[name], colours[ground]) for name in WORDS}
    assert {name: ratio for name, ratio in poor.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("sight", [np.eye(3), DEUTERANOPIA, PROTANOPIA], ids=["all cones", "no green", "no red"])
def test_kinds_of_scorers_can_be_told_apart_by_everyone(colours, sight):
    names = ("model", "rules", "learned", "baseline")
    seen = {name: lab(np.asarray(sight) @ linear(colours[name])) for name in names}
    apart = {pair: float(np.linalg.norm(seen[pair[0]] - seen[pair[1]])) for pair in itertools.combinations(names, 2)}
    assert {pair: round(distance, 1) for pair, distance in apart.items() if distance < 15} == {}


def test_both_modes_know_the_same_colours_and_no_two_names_share_a_light_one():
    """A picture finds the name of a colour by the colour itself."""
    assert set(LIGHT) == set(DARK)
    assert len(set(LIGHT.values())) == len(LIGHT)


@given(entries=ENTRIES)
def test_a_kind_has_one_colour_and_every_series_its_own_dash_and_shape(entries):
    series = series_of(entries)
    assert len(series) == min(len(entries), MOST_SERIES)
    assert len({one.dash for one in series}) == len({one.shape for one in series}) == len(series)
    assert len({(one.kind, one.colour) for one in series}) == len({one.kind for one in series})


@given(entries=ENTRIES)
def test_where_there_are_too_many_every_kind_is_still_shown_and_the_order_kept(entries):
    series = series_of(entries)
    assert {one.kind for one in series} == {entry.kind for entry in entries}
    order = [entry.name for entry in entries]
    assert [one.label for one in series] == sorted((one.label for one in series), key=order.index)
