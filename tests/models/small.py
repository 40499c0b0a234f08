"""A small learned model on a catalog with words, fitted for real."""

from functools import cache

import lightgbm
import numpy as np
import pandas as pd

from data.contract import AttributeType
from features.catalog import Catalog
from features.feature import Feature
from features.reducers import AttributeValue, Count, DaysSinceLast, DecayedCount, LeadAge, Trend
from models.bands import Bands
from models.booster import trees_of
from models.bundle import GoldenRow
from models.calibration import Platt
from models.conversion import ConversionModel, Encoding

CATALOG = Catalog(
    (
        Feature(
            "pricing_7d",
            Count("page_view", "pricing", 7),
            0,
            "opened the pricing page {n} in 7 days",
            "no view of the pricing page in 7 days",
            "activity:page_view/pricing",
        ),
        Feature(
            "pricing_last",
            DaysSinceLast("page_view", "pricing"),
            None,
            "last opened the pricing page {ago}",
            "never opened the pricing page",
            "activity:page_view/pricing",
        ),
        Feature(
            "pricing_fading",
            DecayedCount("page_view", 7, "pricing"),
            0,
            "opened the pricing page, weight {x}",
            "never opened the pricing page",
            "activity:page_view/pricing",
        ),
        Feature(
            "demo_90d",
            Count("demo_request", days=90),
            0,
            "asked for a demo {n} in 90 days",
            "no demo request in 90 days",
            "activity:demo_request",
        ),
        Feature(
            "trend", Trend(None, 7, 90), None, "{share} of the activities lately", "never was active", "activity:any"
        ),
        Feature("lead_age", LeadAge(), None, "has been a lead for {days}", "age unknown", "lead_age"),
        Feature(
            "industry",
            AttributeValue("industry", AttributeType.CATEGORY),
            None,
            "works in {value}",
            "industry unknown",
            "attribute:industry",
            words=(("public", "the public sector"),),
        ),
        Feature(
            "business",
            AttributeValue("business", AttributeType.BOOLEAN),
            None,
            "writes from a company address",
            "e-mail address unknown",
            "attribute:business",
            words=(("false", "writes from a private address"), ("true", "writes from a company address")),
        ),
    ),
    never_use=("forbidden",),
)
INDUSTRIES = ("software", "public", "retail")


def rows(count, seed=1):
    """Draw a frame of feature values with missing ones, rare categories and whole numbers."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "pricing_7d": rng.poisson(1.0, count).astype(float),
            "pricing_last": np.where(rng.random(count) < 0.3, np.nan, rng.exponential(20, count)),
            "pricing_fading": rng.exponential(1, count),
            "demo_90d": rng.poisson(0.3, count).astype(float),
            "trend": np.where(rng.random(count) < 0.2, np.nan, rng.random(count)),
            "lead_age": rng.exponential(60, count),
            "industry": rng.choice([*INDUSTRIES, "zoo"], count),
            "business": np.where(rng.random(count) < 0.1, np.nan, (rng.random(count) < 0.7).astype(float)),
        }
    )
    frame.loc[rng.random(count) < 0.1, "industry"] = None
    return frame


def values_of(frame, at):
    """Return one row as the live database does: None for missing."""
    return [None if pd.isna(value) else value for value in frame.iloc[at].tolist()]


@cache
def fitted(seed=1):
    """Fit a small model; give it with LightGBM's booster."""
    frame = rows(3_000, seed)
    encoding = Encoding(CATALOG, {"industry": INDUSTRIES})
    logit = frame["pricing_7d"] + 2 * frame["demo_90d"] - 0.05 * frame["pricing_last"].fillna(60) - 1
    wanted = (np.random.default_rng(seed).random(len(frame)) < 1 / (1 + np.exp(-logit))).astype(int)
    data = lightgbm.Dataset(encoding.frame(frame), wanted, categorical_feature=[6])
    options = {
        "objective": "binary",
        "max_depth": 6,
        "num_leaves": 15,
        "verbosity": -1,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "seed": 7,
    }
    booster = lightgbm.train(options, data, num_boost_round=30)
    base_odds = float(wanted.mean() / (1 - wanted.mean()))
    model = ConversionModel(
        "leadscore-test", encoding, trees_of(booster), Platt(0.9, -0.1), base_odds, Bands(60, 70, 55, 40)
    )
    return model, booster


def golden(count=8):
    """Return the golden rows of a bundle."""
    frame = rows(count, seed=5)
    return [GoldenRow(f"lead-{at}", 1_000_000 + at, tuple(values_of(frame, at))) for at in range(count)]
