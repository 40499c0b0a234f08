"""A training set drawn without a history, as large as is wanted, whose true chances are known."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from data.instants import DAY_US, iso
from data.words.playbook import Playbook, load_playbook
from features.age_and_silence import AGE, LAST_ACTIVITY
from features.catalog import Catalog
from features.derivation import DataProfile, derive_catalog
from features.feature import Feature
from features.reducers import (
    AttributeValue,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    DecayedCount,
    KindOfLast,
    LeadAge,
    Mean,
    Sum,
    Trend,
)
from models.scorecard import Scorecard, compile_scorecard
from training.dataset.dataset import LISTED, RECENT, RECENT_DAYS, RULES, SEED, SEGMENT, Dataset, segment_features
from training.dataset.dataset_draft import block_counts, training_rate
from training.dataset.split import plan_blocks

DEMO = Path(__file__).resolve().parents[2] / "data" / "playbooks" / "demo"
DAYS, START = 720, 19_723 * DAY_US
SNAPSHOTS_OF_A_LEAD, DAYS_BETWEEN = 8.0, 5.0
BEYOND_THE_END = 1.06
"""So many more are drawn than wanted, since what lies after the last day is left out."""

RATE = 0.1


def drawn(snapshots: int, features: int, *, seed: int = SEED) -> tuple[Dataset, Playbook]:
    """
    Draw a training set in the words of the demo's playbook.

    Each lead does each kind of activity at a pace of its own, and that pace, not the counts that features see of it,
    decides what becomes of the lead. The true chance of each row is in the column ``chance``.

    Args:
        snapshots: how many rows there are, about.
        features: of the model.
        seed: of the draws.
    """
    playbook = load_playbook(DEMO)
    generator = np.random.default_rng(seed)
    rows = _snapshots(snapshots, generator)
    paces = _Paces(rows, sorted(playbook.business.activities), generator)
    catalog, scorecard = _catalog(playbook, features), compile_scorecard(playbook.scorecard, playbook.business)
    beside = {RULES: scorecard.catalog.features, SEGMENT: segment_features(playbook.business)}
    columns = {
        prefix + feature.name: paces.column(feature)
        for prefix, each in {"": catalog.features, **beside}.items()
        for feature in each
    }
    frame = pd.DataFrame({**_named(rows), **_outcomes(rows, paces.chance(), generator), **columns})
    return _divided(frame, catalog=catalog, scorecard=scorecard, playbook=playbook, seed=seed), playbook


def _outcomes(
    rows: dict[str, np.ndarray], chance: np.ndarray, generator: np.random.Generator
) -> dict[str, np.ndarray | float]:
    """Draw outcomes by the true chances; the rows of a lead share one draw."""
    luck = generator.random(int(rows["lead"].max()) + 1)[rows["lead"]]
    label = (luck < chance).astype(np.float64)
    goal_at = np.where(label > 0, rows["as_of"] + 10.0 * DAY_US, np.nan)
    return {"label": label, "goal_at": goal_at, "closed_at": goal_at, "amount": np.nan, "chance": chance}


def _snapshots(about: int, generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw leads, their accounts and the instants at which each is looked at, in the order of leads and time."""
    leads = round(BEYOND_THE_END * about / SNAPSHOTS_OF_A_LEAD)
    times = generator.geometric(1 / SNAPSHOTS_OF_A_LEAD, leads)
    lead = np.repeat(np.arange(leads), times)
    first = START + generator.random(leads) * DAYS * DAY_US
    passed = np.cumsum(generator.exponential(DAYS_BETWEEN * DAY_US, len(lead)))
    before = np.repeat(passed[np.r_[0, np.cumsum(times)[:-1]]], times)
    as_of = (first[lead] + passed - before).astype(np.int64)
    kept = as_of < START + DAYS * DAY_US
    account = generator.integers(0, round(leads / 1.7), leads)[lead]
    age = (passed - before) / DAY_US
    return {
        name: values[kept] for name, values in {"lead": lead, "as_of": as_of, "account": account, "age": age}.items()
    }


def _named(rows: dict[str, np.ndarray]) -> dict[str, object]:
    lead = pd.Series(rows["lead"]).astype("str")
    return {"lead_id": "L" + lead, "as_of": rows["as_of"], "group": "A" + pd.Series(rows["account"]).astype("str")}


def _catalog(playbook: Playbook, features: int) -> Catalog:
    """Take so many features of those that the demo's playbook would have, evenly."""
    business = playbook.business
    subjects = {(kind, name): 1_000 for kind, words in business.activities.items() for name in words.subjects}
    seen = DataProfile(
        kinds=dict.fromkeys(business.activities, 1_000),
        subjects=subjects,
        values=frozenset(business.activities),
        attributes=frozenset(business.attributes),
    )
    every = derive_catalog(business, seen)
    known = [feature for feature in every.features if not isinstance(feature.reduce, KindOfLast)]  # no pace shows it
    taken = np.unique(np.linspace(0, len(known) - 1, features).round().astype(int))
    return Catalog(tuple(known[at] for at in taken), every.never_use)


class _Paces:
    """How often each lead does each kind of activity, per day, at each row; what features show of it, and the truth."""

    def __init__(self, rows: dict[str, np.ndarray], kinds: list[str], generator: np.random.Generator) -> None:
        self._rows, self._generator = rows, generator
        leads = int(rows["lead"].max()) + 1
        self._weights = {kind: generator.normal(0.25, 0.35) for kind in kinds}
        self._of_lead = {kind: self._drawn(leads, generator.uniform(0.1, 0.7)) for kind in kinds}
        self._moods = np.exp(0.6 * generator.normal(size=len(rows["lead"])))
        self._codes: dict[str, np.ndarray] = {}

    def _drawn(self, leads: int, share: float) -> np.ndarray:
        """Draw a pace for the share of the leads that ever do it, and 0 for the others."""
        does = self._generator.random(leads) < share
        return np.where(does, self._generator.lognormal(-2.5, 1.0, leads), 0.0)

    def _pace(self, kind: str | None) -> np.ndarray:
        """Return the pace of a kind, or of all of them, at each row."""
        of_lead = sum(self._of_lead.values()) if kind is None else self._of_lead[kind]
        return of_lead[self._rows["lead"]] * self._moods

    def column(self, feature: Feature) -> np.ndarray:
        """Draw what a feature shows of the pace of its kind."""
        reduce, generator = feature.reduce, self._generator
        if isinstance(reduce, LeadAge):
            return self._rows["age"]
        if isinstance(reduce, AttributeValue):
            return self._attribute(feature)
        pace = self._pace(reduce.kind)
        never = np.where(pace > 0, 0.0, np.nan)
        match reduce:
            case Count():
                return generator.poisson(pace * (reduce.days or 60)).astype(np.float64)
            case DecayedCount():
                return np.round(generator.poisson(pace * reduce.half_life_days * 1.44) * generator.random(len(pace)), 9)
            case DaysSinceLast() | DaysSinceFirst():
                return generator.exponential(1 / np.maximum(pace, 1e-3)) + never
            case Sum():
                return np.round(generator.poisson(pace * 30) * generator.gamma(2.0, 60.0, len(pace)), 6)
            case Mean() | Trend():
                return generator.random(len(pace)) + never
        return generator.random(len(pace)) * 6

    def _attribute(self, feature: Feature) -> np.ndarray:
        """Draw a category of a few, yes or no, or a number; the same for all rows of a lead."""
        codes = self._codes.setdefault(feature.name, self._generator.integers(0, 8, len(self._moods)))
        code = codes[self._rows["lead"]]
        if feature.is_category:
            return np.array([f"{feature.name} {at}" for at in range(8)], dtype=object)[code]
        return (code > 1).astype(np.float64) if feature.words else 10.0 ** (code / 2)

    def chance(self) -> np.ndarray:
        """Return the true chance of each row, from the paces and from how two of them go together."""
        shown = {kind: np.log1p(20 * self._pace(kind)) for kind in self._of_lead}
        logit = sum(self._weights[kind] * shown[kind] for kind in shown)
        logit += 0.3 * shown["demo_request"] * shown["page_view"] - 0.5 * shown["unsubscribe"] * shown["email_open"]
        for codes in self._codes.values():
            logit += 0.15 * np.sqrt(codes[self._rows["lead"]])
        start = brentq(lambda start: expit(start + logit).mean() - RATE, -20, 20, xtol=1e-6)
        return expit(start + logit)


def _divided(frame: pd.DataFrame, *, catalog: Catalog, scorecard: Scorecard, playbook: Playbook, seed: int) -> Dataset:
    """Assign every row to a block, and write the manifest of a training set."""
    last = int(frame["as_of"].max())
    goal = playbook.business.goal
    as_of = frame["as_of"].to_numpy()
    plan = plan_blocks(as_of, frame["label"].to_numpy(), horizon=round(goal.horizon_days * DAY_US))
    arrived_at = frame.groupby("lead_id")["as_of"].transform("min")
    frame = frame.assign(block=plan.blocks(as_of), weight=1.0, arrived_at=arrived_at, moment_at=as_of, whole_list=False)
    manifest = {
        **_counts(frame),
        "base_rate": training_rate(frame),
        "playbook": playbook.business.name,
        "goal": goal.model_dump(mode="json"),
        "plan": plan.as_json(),
        "cutoff_at": iso(last + 1),
        "mature_until": iso(last + 1),
        "cutoff_us": last + 1,
        "outcome_lag_days": 0.0,
        "largest_group": {"account": None, "share": 1e-5},
        "rows_sha256": f"drawn {len(frame)} {len(catalog.features)} {seed}",
        "catalog_fingerprint": catalog.fingerprint,
        "features": len(catalog.features),
    }
    return Dataset(_with_listings(frame, last), catalog, scorecard, manifest)


def _with_listings(frame: pd.DataFrame, last: int) -> pd.DataFrame:
    """List each lead of the test weeks, and of the last weeks, at its rows and once more at their end."""
    test = frame[frame["block"] == "test"].assign(block=LISTED)
    at_end = test.drop_duplicates("lead_id", keep="last").assign(as_of=test["as_of"].max(), whole_list=True)
    listed = pd.concat([test[test["as_of"] < test["as_of"].max()], at_end])
    recent = frame[frame["as_of"] > last - RECENT_DAYS * DAY_US].assign(block=RECENT)
    today = recent.drop_duplicates("lead_id", keep="last").assign(as_of=last + 1, whole_list=True)
    every = pd.concat([frame, listed, recent, today])
    for since, beside in (("arrived_at", AGE), ("moment_at", LAST_ACTIVITY)):
        every[beside.name] = (every["as_of"] - every.pop(since)) / DAY_US
    return every.sort_values(["lead_id", "as_of"], kind="stable", ignore_index=True)


def _counts(frame: pd.DataFrame) -> dict[str, object]:
    sizes = {name: len(frame) for name in ("rows", "snapshots", "mature")}
    leads = {"leads": frame["lead_id"].nunique(), "groups": frame["group"].nunique()}
    return {**block_counts(frame), "young": 0, **sizes, **leads}
