"""The truth beside a simulation is true: chances are exact, and drift moves what it says."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.simulation import SimulationCounts, simulate
from data.simulation.chances import chances
from data.simulation.process import DayKind, Stage, day_rates
from tests.data import simulated

LEADS = 4_000


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> SimulationCounts:
    return simulate(tmp_path_factory.mktemp("simulated") / "steady", leads=LEADS, seed=11, until=simulated.UNTIL)


@pytest.fixture(scope="module")
def drifted(tmp_path_factory: pytest.TempPathFactory) -> SimulationCounts:
    folder = tmp_path_factory.mktemp("simulated") / "drifted"
    return simulate(folder, leads=LEADS, seed=11, until=simulated.UNTIL, drift=1.0)


def one_a_lead(folder: Path) -> pd.DataFrame:
    """
    Take one mature midnight of each lead that is open at an age drawn beforehand, so that rows stand for themselves.

    Drawing among the midnights at which a lead was open would favour each midnight of those soon closed by the goal.
    """
    truth = simulated.chances(folder)
    first = truth.groupby("lead_id").as_of.transform("min")
    steps = np.random.default_rng(0).integers(0, 12, LEADS)[truth.lead_id.str[1:].astype(int) - 1]
    return truth[truth.mature & (truth.as_of == first + pd.to_timedelta(3 * steps, unit="D"))]


@pytest.mark.parametrize("which", ["company", "drifted"])
def test_the_mean_true_chance_is_the_rate_within_its_noise(which: str, request: pytest.FixtureRequest):
    rows = one_a_lead(request.getfixturevalue(which).folder)
    noise = np.sqrt((rows.chance * (1 - rows.chance)).sum())
    assert abs(rows.reached.sum() - rows.chance.sum()) < 3.5 * noise


def test_true_chances_are_calibrated_from_the_least_to_the_most_likely(company: SimulationCounts):
    rows = one_a_lead(company.folder)
    buckets = rows.groupby(pd.cut(rows.chance, [0, 0.01, 0.05, 0.15, 0.35, 0.6, 1], include_lowest=True), observed=True)
    for bucket, part in buckets:
        noise = np.sqrt((part.chance * (1 - part.chance)).sum())
        assert abs(part.reached.sum() - part.chance.sum()) < 4 * noise + 1, bucket
    assert len(buckets) == 6


def test_the_rate_at_an_average_open_lead_is_that_of_a_business(company: SimulationCounts):
    assert 0.03 < simulated.chances(company.folder).chance.mean() < 0.08


def test_only_buyers_ever_reach_the_goal(company: SimulationCounts):
    truth = simulated.chances(company.folder)
    others = truth[truth.type != "buyer"]
    assert set(others.type) == {"student", "job_seeker", "bot"}
    assert (others.chance == 0).all()
    assert others.goal_reached_at.isna().all()
    assert (truth[truth.type == "buyer"].chance > 0).all()


def test_the_crowd_browses_more_than_buyers_even_prices(company: SimulationCounts):
    rows = simulated.activities(company.folder)
    types = pd.read_parquet(company.folder / "truth" / "leads.parquet").set_index("lead_id").type
    views = rows[rows.kind == "view"]
    per_lead = views.lead_id.map(types).value_counts() / types.value_counts()
    prices = views[views.subject == "pricing"].lead_id.map(types).value_counts() / types.value_counts()
    assert per_lead[["student", "job_seeker", "bot"]].min() > 1.5 * per_lead["buyer"]
    assert prices[["student", "job_seeker", "bot"]].min() > prices["buyer"]


def test_activity_is_a_sign_of_the_chance_but_a_noisy_one(company: SimulationCounts):
    """The most active tenth of open leads is likelier to qualify than the rest, and yet mostly does not."""
    truth, rows = simulated.chances(company.folder), simulated.activities(company.folder)
    as_of = truth.as_of.max() - pd.Timedelta(days=60)
    there = truth[truth.as_of == as_of].set_index("lead_id")
    recent = rows[(rows.known_at < as_of) & (rows.occurred_at >= as_of - pd.Timedelta(days=14))]
    count = recent.lead_id.value_counts().reindex(there.index, fill_value=0)
    busy = count >= count.quantile(0.9)
    assert there.chance[busy].mean() > 2 * there.chance[~busy].mean()
    assert there.chance[busy].mean() < 0.6


def test_crawlers_keep_time_like_machines(company: SimulationCounts):
    rows = simulated.activities(company.folder).drop_duplicates("activity_id").sort_values(["lead_id", "occurred_at"])
    crawls = rows[rows.kind == "bot_view"]
    gaps = crawls.groupby("lead_id").occurred_at.diff().dropna()
    seconds = gaps[gaps < pd.Timedelta(seconds=30)].dt.total_seconds()
    assert (seconds % 1 == 0).all()
    assert len(seconds) > 100


def test_colleagues_want_at_the_same_time(company: SimulationCounts):
    """Chances of an account's leads on one day go together more than those of strangers."""
    truth = simulated.chances(company.folder)
    accounts = simulated.lead_versions(company.folder).drop_duplicates("lead_id").set_index("lead_id").account_id
    there = truth[(truth.as_of == truth.as_of.max()) & (truth.type == "buyer")].copy()
    there["rank"] = there.chance.rank()
    there["account"] = there.lead_id.map(accounts)
    pairs = there.merge(there, on="account")
    pairs = pairs[pairs.lead_id_x < pairs.lead_id_y]
    assert np.corrcoef(pairs.rank_x, pairs.rank_y)[0, 1] > 0.1


def test_drift_lowers_chances_and_e_mail_and_raises_visits_at_the_end_only(
    company: SimulationCounts, drifted: SimulationCounts
):
    turn = pd.Timestamp(simulated.UNTIL) - pd.Timedelta(days=150)
    before, after = [], []
    for folder in (company.folder, drifted.folder):
        truth, rows = simulated.chances(folder), simulated.activities(folder)
        before.append(truth[truth.as_of < turn - pd.Timedelta(days=30)].chance.mean())
        late = rows[rows.occurred_at >= turn]
        leads = truth[truth.as_of >= turn].lead_id.nunique()
        mail = (late.kind == "open").sum() / leads
        web = (late.kind == "view").sum() / leads
        after.append((truth[truth.as_of >= turn].chance.mean(), mail, web))
    assert before[1] == pytest.approx(before[0], rel=0.1)
    assert after[1][0] < 0.85 * after[0][0]
    assert after[1][1] < 0.7 * after[0][1]
    assert after[1][2] > 1.2 * after[0][2]


def test_more_adverts_come_with_drift(company: SimulationCounts, drifted: SimulationCounts):
    turn = pd.Timestamp(simulated.UNTIL) - pd.Timedelta(days=149)
    shares = []
    for folder in (company.folder, drifted.folder):
        first = simulated.lead_versions(folder).drop_duplicates("lead_id")
        shares.append((first[first.created_at >= turn].source == "advert").mean())
    assert shares[1] > 1.4 * shares[0]


def test_one_day_ahead_the_chance_is_the_rate_of_that_day():
    day = DayKind(weekend=False, drift=0)
    one = chances([day])
    goal = day_rates(day).goal[0]
    for fit, rep, season, intent, warm in product(range(5), range(3), range(2), range(4), range(2)):
        assert one[fit, rep, season, intent, Stage.SRL, warm] == goal[fit, Stage.SRL, intent, warm]
    assert (one[..., Stage.NEW, :] == 0).all()


def test_chances_rise_with_the_days_ahead_with_fit_and_with_intent():
    days = [DayKind(weekend=at % 7 > 4, drift=0) for at in range(30)]
    short, long = chances(days[:10]), chances(days)
    assert (long > short).all()
    assert (np.diff(long, axis=0) > 0).all()
    assert (np.diff(long, axis=3) > 0).all()
    assert long.max() < 1


def test_a_good_rep_and_a_recent_talk_raise_the_chance():
    month = chances([DayKind(weekend=at % 7 > 4, drift=0) for at in range(30)])
    assert (np.diff(month[..., Stage.SRL, :], axis=1) > 0).all()
    assert (month[..., 1] > month[..., 0]).all()
