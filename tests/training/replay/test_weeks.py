"""A lead is on the list from the morning of its first listing until it is over."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from data.instants import from_us, to_us
from tests.training.replay.histories import HORIZON, instant, rows_of, weeks_of
from training.dataset.split import Span
from training.replay.weeks import Weeks


def test_a_morning_is_one_of_the_playbooks_zone_also_when_its_clocks_change():
    period = Span(to_us(datetime(2026, 3, 27, tzinfo=UTC)), to_us(datetime(2026, 3, 31, tzinfo=UTC)))
    rows = rows_of({"seen": [0.0]}).assign(as_of=period.start)
    weeks = Weeks.of(rows, period, zone="Europe/Berlin", horizon_us=HORIZON)
    local = [from_us(morning).astimezone(ZoneInfo("Europe/Berlin")) for morning in weeks.mornings]
    assert [(one.day, one.hour) for one in local] == [(27, 8), (28, 8), (29, 8), (30, 8)]
    assert np.diff(weeks.mornings).tolist() == [86_400_000_000, 82_800_000_000, 86_400_000_000]
    assert weeks.days == ["2026-03-27", "2026-03-28", "2026-03-29", "2026-03-30"]


def test_mornings_lie_in_the_period():
    rows = rows_of({"seen": [0.5]})
    weeks = Weeks.of(rows, Span(instant(0.5), instant(3.2)), zone="UTC", horizon_us=HORIZON)
    assert weeks.days == ["2026-01-02", "2026-01-03"]
    assert Weeks.of(rows, Span(instant(0.5), instant(3.34)), zone="UTC", horizon_us=HORIZON).days[-1] == "2026-01-04"


def test_a_date_is_that_of_the_playbooks_zone():
    weeks = weeks_of(rows_of({"seen": [0.0]}), 2, zone="Asia/Tokyo")
    assert weeks.day_of(float(instant(0.7))) == "2026-01-02"


def test_what_could_have_been_found_is_what_was_on_the_list_within_a_horizon_of_its_goal():
    rows = rows_of(
        {"seen": [0.0], "goal": 11.0},  # on its last mornings less than ten days away
        {"seen": [0.0], "goal": 30.0},  # never near enough
        {"seen": [0.0], "goal": 0.2},  # over before the first morning
        {"seen": [0.5], "goal": 11.0, "closed": 1.0},  # closed before any morning
        {"seen": [4.5], "goal": 6.0},  # came after the last morning
        {"seen": [0.0]},
    )
    weeks = weeks_of(rows, 4)
    assert weeks.findable.tolist() == [True, False, False, False, False, False]
    assert weeks.listed.tolist() == [True, True, False, False, False, True]


def test_rows_in_any_order_make_the_same_weeks():
    rows = rows_of({"seen": [0.0, 1.0, 3.0], "goal": 5.0}, {"seen": [2.0], "weight": 2}, {"seen": [0.2, 0.9]})
    one, other = weeks_of(rows, 4), weeks_of(rows.iloc[::-1].reset_index(drop=True), 4)
    order = [other.lead_id.tolist().index(name) for name in one.lead_id]
    for name in ("first", "last", "weight", "draw"):
        assert getattr(other, name)[order].tolist() == getattr(one, name).tolist()
