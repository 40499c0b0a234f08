"""History knows an age if enough different leads reached it."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from features.age_and_silence import AGE, LAST_ACTIVITY
from training.lists.reached_days import FEWEST_LEADS, greatest_reached, history_reach

ROWS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.floats(0, 40)), max_size=30)


@given(ROWS, st.integers(1, 5))
def test_the_greatest_number_of_days_is_the_last_that_enough_leads_reached(rows, fewest):
    found = greatest_reached(
        np.array([days for _, days in rows]), pd.Series([lead for lead, _ in rows], dtype="str"), fewest=fewest
    )
    reached = [day for day in range(42) if len({lead for lead, days in rows if days >= day}) >= fewest]
    assert found == max(reached, default=0)


def test_silence_lasts_from_the_last_activity_or_from_the_beginning():
    leads = [f"L-{number}" for number in range(FEWEST_LEADS)]
    train = pd.DataFrame({"lead_id": leads * 2, AGE.name: 90.5, LAST_ACTIVITY.name: [np.nan] * 50 + [20.5] * 50})
    reach = history_reach(train)
    assert (reach.leads, reach.age_days, reach.silence_days) == (FEWEST_LEADS, 90, 90)
    active = history_reach(train.assign(**{LAST_ACTIVITY.name: 20.5}))
    assert (active.age_days, active.silence_days) == (90, 20)
    before_it_was_a_lead = history_reach(train.assign(**{LAST_ACTIVITY.name: 300.0}))
    assert (before_it_was_a_lead.age_days, before_it_was_a_lead.silence_days) == (90, 90)


def test_of_too_few_leads_history_knows_no_age():
    few = pd.DataFrame({"lead_id": [f"L-{number}" for number in range(49)], AGE.name: 90.0, LAST_ACTIVITY.name: 3.0})
    assert history_reach(few).age_days == 0
