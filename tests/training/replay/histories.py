"""Histories for the replay: rows of a test block, written by hand or drawn, and the replay in plain Python."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd

from data.instants import DAY_US, HOUR_US, to_us
from features.catalog import Catalog
from training.dataset.dataset import Dataset
from training.dataset.split import Plan, Span
from training.replay.participants import Participant
from training.replay.weeks import Weeks

START = to_us(datetime(2026, 1, 1, tzinfo=UTC))
HORIZON_DAYS = 10
HORIZON = HORIZON_DAYS * DAY_US
MORNING_HOUR = 8


def instant(day: float) -> int:
    """Return the instant so many days after the midnight at which the weeks begin."""
    return START + round(day * DAY_US)


def rows_of(*leads: dict) -> pd.DataFrame:
    """
    Return the rows of leads: days on which each was ``seen``, and what else is given.

    Each lead has an account of its own unless a ``group`` is given.
    """
    rows = [
        {
            "lead_id": f"L{number}",
            "as_of": instant(day),
            "group": str(lead.get("group", f"A{number}")),
            "weight": float(lead.get("weight", 1)),
            "goal_at": np.nan if lead.get("goal") is None else float(instant(lead["goal"])),
            "closed_at": np.nan if lead.get("closed") is None else float(instant(lead["closed"])),
            "amount": float(lead.get("amount", np.nan)),
            "block": "listed",
        }
        for number, lead in enumerate(leads)
        for day in lead["seen"]
    ]
    frame = pd.DataFrame(rows)
    ahead = frame["goal_at"] - frame["as_of"]
    return frame.assign(label=((ahead >= 0) & (ahead < HORIZON)).astype(float))


def weeks_of(rows: pd.DataFrame, days: int, zone: str = "UTC") -> Weeks:
    return Weeks.of(rows, Span(instant(0), instant(days)), zone=zone, horizon_us=HORIZON)


def dataset_of(rows: pd.DataFrame, days: int) -> Dataset:
    """Return a training set that is all listings."""
    test = Span(instant(0), instant(days))
    manifest = {"plan": Plan(test, test).as_json(), "goal": {"horizon_days": HORIZON_DAYS}}
    return Dataset(rows, Catalog(()), None, manifest)


def participant(name: str, score, kind: str = "rules") -> Participant:
    score = np.asarray(score, dtype=float)
    return Participant(
        name=name, kind=kind, version="1", fingerprint=name, probability=1 / (1 + np.exp(-score)), score=score
    )


def drawn(leads: int, days: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw a history with accounts, weights, goals and closings; return its rows and the leads' hidden quality."""
    generator = np.random.default_rng(seed)
    first = generator.uniform(0, days, leads)
    times = generator.integers(1, 9, leads)
    lead = np.repeat(np.arange(leads), times)
    seen = first[lead] + np.where(np.r_[True, lead[1:] != lead[:-1]], 0, generator.exponential(6, len(lead)))
    quality = generator.normal(size=leads)
    wins = generator.random(leads) < 1 / (1 + np.exp(2 - 1.5 * quality))
    goal = np.where(wins, first + generator.exponential(12, leads) + 0.01, np.nan)
    closed = np.fmin(goal, np.where(generator.random(leads) < 0.3, first + generator.exponential(30, leads), np.nan))
    group = generator.integers(max(1, leads // 3), size=leads)
    weight = generator.choice([1.0, 10 / 3, 2.5, 10 / 7], max(1, leads // 3))[group]
    amount = np.where(wins & (generator.random(leads) < 0.7), generator.lognormal(9, 1, leads), np.nan)
    frame = pd.DataFrame(
        {
            "lead_id": [f"L{number}" for number in lead],
            "as_of": START + (seen * DAY_US).astype(np.int64),
            "group": group[lead].astype(str),
            "weight": weight[lead],
            "goal_at": START + goal[lead] * DAY_US,
            "closed_at": START + closed[lead] * DAY_US,
            "amount": amount[lead],
            "block": "listed",
        }
    )
    ends = np.where(np.isnan(frame["closed_at"]), np.inf, frame["closed_at"])
    kept = (frame["as_of"] < np.minimum(ends, instant(days))).to_numpy()
    frame, ahead = frame[kept].reset_index(drop=True), (frame["goal_at"] - frame["as_of"])[kept]
    frame["label"] = ((ahead >= 0) & (ahead < HORIZON)).astype(float).to_numpy()
    return frame, quality[lead[kept]]


def replayed_by_hand(rows: pd.DataFrame, score, *, days: int, capacity: float, draw: dict[str, float]) -> dict:
    """Walk the mornings lead by lead; return lead → (morning, row, converted)."""
    seen: dict[str, list[tuple[int, int]]] = {}
    facts: dict[str, dict] = {}
    for row, record in enumerate(rows.to_dict(orient="records")):
        seen.setdefault(record["lead_id"], []).append((record["as_of"], row))
        facts[record["lead_id"]] = record
    called: dict[str, tuple[int, int, bool]] = {}
    left = 0.0
    for day in range(days):
        morning = START + day * DAY_US + MORNING_HOUR * HOUR_US
        left = min(left, 0.0) + capacity
        waiting = []
        for lead_id, record in facts.items():
            known = [pair for pair in seen[lead_id] if pair[0] <= morning]
            ended = record["goal_at"] < morning or record["closed_at"] < morning
            if lead_id not in called and known and not ended:
                row = max(known)[1]
                waiting.append((-score[row], draw[lead_id], lead_id, row))
        for _, _, lead_id, row in sorted(waiting):
            if left <= 1e-9:
                break
            left -= facts[lead_id]["weight"]
            called[lead_id] = (day, row, bool(morning <= facts[lead_id]["goal_at"] < morning + HORIZON))
    return called
