"""What each lead did on its first day and later, from tables written by hand."""

from dataclasses import replace

import pandas as pd
import pytest

from data.importing.warehouse import Warehouse
from tests.training.small import day
from training.gates.leakage.lead_activities import LeadActivities


@pytest.fixture
def made(tmp_path):
    """Return what makes the activities of leads A and B, created on day 0, from (lead, day, kind, value), until 20."""

    def of(*rows):
        instants = pd.to_datetime(pd.Series([day(row[1]) for row in rows], dtype="int64"), unit="us", utc=True)
        names = [pd.Series([row[at] for row in rows], dtype="str") for at in (0, 2)]
        values = pd.Series([row[3] for row in rows], dtype="float64")
        facts = {"lead_id": names[0], "kind": names[1], "occurred_at": instants, "known_at": instants, "value": values}
        facts["activity_id"] = [f"a{number}" for number in range(len(rows))]
        pd.DataFrame(facts).to_parquet(tmp_path / "activities.parquet")
        created = pd.to_datetime(pd.Series([day(0), day(0)]), unit="us", utc=True)
        leads = pd.DataFrame({"lead_id": ["A", "B"], "created_at": created})
        leads.to_parquet(tmp_path / "leads.parquet")
        pd.DataFrame({"lead_id": pd.Series([], dtype="str")}).to_parquet(tmp_path / "outcomes.parquet")
        warehouse = replace(Warehouse.of_tables(tmp_path), cutoff_us=day(20))
        return LeadActivities.of(warehouse, pd.Series(["B", "A"]))

    return of


def test_the_first_day_is_told_from_what_came_later(made):
    found = made(
        ("A", -3, "visit", None),
        ("A", 1, "visit", None),
        ("A", 1.5, "visit", None),
        ("A", 2, "call", 7.0),
        ("B", 21, "call", 9.0),
    )
    assert found.earlier.loc["A"].to_dict() == {"visit": 2, "any": 2}
    assert found.later.loc["A"].to_dict() == {"call": 1, "visit": 1, "any": 2}
    assert found.later.loc["B"].to_dict() == {"call": 0, "visit": 0, "any": 0}, "the call came after the end"
    assert found.later.index.tolist() == ["B", "A"]


def test_values_are_summed_and_the_newest_is_the_last(made):
    found = made(
        ("A", 3, "call", 7.0),
        ("A", 9, "call", 2.0),
        ("A", 10, "call", None),
        ("A", 0.5, "call", 50.0),
        ("B", 4, "visit", None),
    )
    assert found.sums.loc["A"].to_dict() == {"call": 9.0}
    assert found.newest.loc[["A", "B"], "call"].tolist() == [2.0, 0.0]
    assert found.sums.columns.tolist() == ["call"], "visits carry no values"


def test_leads_may_have_no_activities_at_all(made):
    found = made()
    assert found.later.to_dict("list") == {"any": [0, 0]}
    assert found.sums.shape == (2, 0)
