"""Thresholds: grades from the leads that are open at the end, and handovers at the pace the team can call."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.instants import DAY_US
from data.words.point_rules import RoutingRules
from models.bands import Bands, bands_of

_STEP = 0.5

Floats = NDArray[np.float64]


def solve_bands(
    recent: pd.DataFrame, points: Floats, *, routing: RoutingRules, capacity_per_day: float, average: float
) -> Bands:
    """
    Cut the grades and set the threshold.

    Args:
        recent: (n) rows of the last weeks with ``lead_id``, ``as_of``, ``weight``, ``whole_list``, sorted by the
            first two: each lead just after each news, and everybody open at the first and the last instant.
        points: (n,) of each.
        routing: the grades' shares, the hysteresis, and a fixed threshold where it has one.
        capacity_per_day: how many handovers the team can take on average.
        average: points of an average lead.

    Returns:
        Grades by the list of the last instant, or else by the last row of each lead; the threshold as fixed, or else
        from capacity, but not below the average: a team with time for every lead should still get a lead only because
        something happened.
    """
    today = (recent["whole_list"] & (recent["as_of"] == recent["as_of"].max())).to_numpy()
    if not today.any():  # nobody is open at the end: leads as they were last seen
        today = (recent["lead_id"] != recent["lead_id"].shift(-1)).to_numpy()
    threshold = routing.threshold_points
    if threshold is None:
        paced = threshold_of(recent, points, hysteresis=routing.hysteresis_points, per_day=capacity_per_day)
        threshold = max(paced, average)
    return bands_of(points[today], routing.grades, threshold=threshold)


def threshold_of(recent: pd.DataFrame, points: Floats, *, hysteresis: float, per_day: float) -> float:
    """
    Find the lowest points at which no more leads cross each day than the team can call.

    Half a point at a time from the top down; the search ends before the first step that is too many, since at a very
    low threshold all leads are always above it and none crosses it any more.

    Args:
        recent: (n) rows with ``lead_id``, ``as_of``, ``weight``, sorted by the first two.
        points: (n,) of each.
        hysteresis: points below the threshold to which a lead must fall before it can cross again.
        per_day: crossings a day, on average; the first instant shows who was above already.
    """
    lead = pd.factorize(recent["lead_id"])[0]
    as_of = recent["as_of"].to_numpy()
    days = (as_of.max() - as_of.min()) / DAY_US
    counted = np.where(as_of > as_of.min(), recent["weight"].to_numpy(), 0.0)
    highest = np.ceil(points.max() / _STEP) * _STEP
    lowest = np.floor(points.min() / _STEP) * _STEP
    lowest_affordable = highest
    for threshold in np.arange(highest, lowest - _STEP, -_STEP):
        crossing = crossings(lead, points, threshold=float(threshold), hysteresis=hysteresis)
        if counted[crossing].sum() > per_day * days:
            break
        lowest_affordable = threshold
    return float(lowest_affordable)


def crossings(lead: NDArray[np.int64], points: Floats, *, threshold: float, hysteresis: float) -> NDArray[np.bool_]:
    """
    Return which rows cross the threshold, (n,).

    A lead starts below. After a crossing it counts as above until it has fallen far enough.

    Args:
        lead: (n,) codes; the rows of a lead stand together, in time.
        points: (n,).
        threshold: a lead at or above it has crossed.
        hysteresis: a lead that crossed can do so again only after it stood below ``threshold - hysteresis``.

    >>> single_lead = np.zeros(5, dtype=np.int64)
    >>> crossings(single_lead, np.array([40.0, 61, 58, 62, 63]), threshold=60, hysteresis=5).tolist()
    [False, True, False, False, False]
    >>> crossings(single_lead, np.array([40.0, 61, 54, 62, 63]), threshold=60, hysteresis=5).tolist()
    [False, True, False, True, False]
    """
    above = points >= threshold
    decisive = above | (points < threshold - hysteresis)
    first = np.r_[True, lead[1:] != lead[:-1]]
    # Each row's state is that of the latest decisive row of the same lead; a new lead starts below.
    latest = np.maximum.accumulate(np.where(decisive | first, np.arange(len(lead)), 0))
    up = above[latest]
    before = np.r_[False, up[:-1]] & ~first
    return np.asarray(up & ~before)
