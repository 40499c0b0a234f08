"""One fact far from all others moves neither split nor labels nor the instant of scoring."""

import shutil
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from data.home import Home
from data.importing.history_period import HistoryPeriod
from data.importing.warehouse import import_history
from data.instants import DAY_US
from data.simulation import simulate
from data.words.playbook import load_playbook
from data.workspace import Workspace
from models.commands import score
from tests.training.small import day, leads, playbook
from training.dataset.dataset_builder import build_dataset
from training.dataset.dataset_draft import usable_period

UNTIL = datetime(2025, 10, 1, tzinfo=UTC)
FACTS = ("plan", "blocks", "base_rate", "mature", "young", "mature_until", "cutoff_at", "positives", "outcome_lag_days")


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A company whose history ends on 2025-10-01."""
    folder = tmp_path_factory.mktemp("history") / "company"
    simulate(folder, leads=700, seed=5, until=UNTIL)
    return folder


class Found:
    """What training and scoring make of a history."""

    def __init__(self, folder, home):
        workspace = Workspace(load_playbook(folder), Home(home))
        self.warehouse = import_history(workspace)
        self.dataset = build_dataset(self.warehouse, workspace)[0]
        self.scored = score(workspace, out=home / "scores.csv")
        self.scores = pd.read_csv(home / "scores.csv").set_index("lead_id")


@pytest.fixture(scope="module")
def plain(history, tmp_path_factory):
    return Found(history, tmp_path_factory.mktemp("plain"))


def with_lead_of_2015(folder):
    leads = pd.read_parquet(folder / "leads.parquet")
    old = leads.iloc[[0]].assign(lead_id="old", account_id=None)
    old[["created_at", "known_at"]] = pd.Timestamp("2015-01-01", tz="UTC")
    pd.concat([old, leads]).to_parquet(folder / "leads.parquet", index=False)


def with_late_call(folder):
    sales = pd.read_csv(folder / "sales.csv", dtype=str)
    late = sales[sales["activity"] == "Call"].iloc[[-1]].assign(activity_id="late", minutes="5")
    late[["occurred_at", "known_at"]] = "2025-12-15"
    pd.concat([sales, late]).to_csv(folder / "sales.csv", index=False)


def test_a_lead_of_2015_is_one_more_open_lead(history, plain, tmp_path):
    """Split, maturity and the rows of all others are those without it; it is on every list, as it is open."""
    folder = shutil.copytree(history, tmp_path / "company")
    with_lead_of_2015(folder)
    found = Found(folder, tmp_path / "home")
    assert len(found.warehouse.quality.period.outliers) == 1
    for name in ("plan", "mature_until", "begin_at", "cutoff_at", "catalog_fingerprint"):
        assert found.dataset.manifest[name] == plain.dataset.manifest[name]
    others = found.dataset.rows[found.dataset.rows["lead_id"] != "old"].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, plain.dataset.rows)
    assert set(found.scores.index) - set(plain.scores.index) == {"old"}


def test_training_and_scoring_are_those_without_a_late_call(history, plain, tmp_path):
    """Rate, split, maturity, every row that the model learns from, and the list of leads to call."""
    folder = shutil.copytree(history, tmp_path / "company")
    with_late_call(folder)
    found = Found(folder, tmp_path / "home")
    assert len(found.warehouse.quality.period.outliers) == 1
    assert (found.warehouse.begin_us, found.warehouse.cutoff_us) == (
        plain.warehouse.begin_us,
        plain.warehouse.cutoff_us,
    )
    assert {name: found.dataset.manifest[name] for name in FACTS} == {
        name: plain.dataset.manifest[name] for name in FACTS
    }
    assert found.dataset.manifest["horizon"] == plain.dataset.manifest["horizon"]
    assert found.dataset.manifest["catalog_fingerprint"] == plain.dataset.manifest["catalog_fingerprint"]
    assert found.dataset.sha256 == plain.dataset.sha256, "the same rows: the same model"
    assert (found.scored.as_of, found.scored.handed_over) == (plain.scored.as_of, plain.scored.handed_over)
    pd.testing.assert_frame_equal(found.scores.drop(index="old", errors="ignore"), plain.scores)


def test_what_may_not_be_used_does_not_lengthen_the_history(history, plain, tmp_path):
    """A crawler goes on for three months after everything ended, with one call in them."""
    folder = shutil.copytree(history, tmp_path / "company")
    with_late_call(folder)
    file = folder / "playbook.yaml"
    file.write_text(file.read_text().replace("never_use: [lead_status]", "never_use: [lead_status, bot_view]"))
    web = pd.read_csv(folder / "web.csv.gz", dtype=str)
    at = pd.date_range("2025-10-01", "2025-12-31", freq="h", tz="UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
    ids = [f"b{n}" for n in range(len(at))]
    bots = pd.DataFrame({"event_id": ids, "visitor": web["visitor"][0], "event": "bot_view"})
    pd.concat([web, bots.assign(at=at, received_at=at)]).to_csv(folder / "web.csv.gz", index=False)
    workspace = Workspace(load_playbook(folder), Home(tmp_path / "home"))
    dataset = build_dataset(import_history(workspace), workspace)[0]
    names = ("plan", "mature_until", "begin_at", "cutoff_at")
    assert {name: dataset.manifest[name] for name in names} == {name: plain.dataset.manifest[name] for name in names}


def test_what_may_not_be_used_does_not_shorten_the_history():
    """A crawler left a thousand times as many facts, years before the first lead."""
    known = leads(*((f"lead {n}", n) for n in range(300)))
    crawls = pd.DataFrame({"kind": "crawl", "known_at": np.repeat(day(-3_000) + np.arange(300) * DAY_US, 1_000)})
    history = {"leads": known, "activities": crawls, "outcomes": known.head(0)}
    assert usable_period(history, playbook()) == HistoryPeriod(day(0), day(299))
    assert usable_period(history, playbook(never_use=[])) == HistoryPeriod(day(-3_000), day(-2_701))
