"""The store says of every lead what the rule of who is open says, on both engines, in SQL and in live scores."""

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from sqlalchemy import delete, insert, select

from data.words.playbook import load_playbook
from models.scorecard import compile_scorecard
from serving.scorers.live_scorer import compile_scorer
from serving.store.database import raw_connection
from serving.store.lead_lives import LeadLives, came_back, is_closed
from serving.store.tables import activities, lead_versions, leads, outcomes, pending_scores
from tests.data.lifecycle.lives import LAST, LEADS, LIFECYCLE, instants, is_open_by_hand, lives
from tests.serving.conftest import PLAYBOOK

TABLES = (pending_scores, activities, outcomes, lead_versions, leads)


def written(connection, life):
    """Replace what the store holds by a life."""
    for table in TABLES:
        connection.execute(delete(table))
    connection.execute(insert(leads), [{"lead_id": lead} for lead in LEADS])
    version = {"known_at": -1, "created_at": -1, "attributes": "{}"}
    connection.execute(insert(lead_versions), [{"lead_id": lead, **version} for lead in LEADS])
    did = [
        {"activity_id": f"a-{at}", "lead_id": lead, "kind": kind, "occurred_at": when, "known_at": when + late}
        for at, (lead, kind, when, late) in enumerate(life.activities)
    ]
    reached = [
        {"outcome_id": f"o-{at}", "lead_id": lead, "stage": stage, "reached_at": when, "known_at": when + late}
        for at, (lead, stage, when, late) in enumerate(life.outcomes)
    ]
    for table, rows in ((activities, did), (outcomes, reached)):
        if rows:
            connection.execute(insert(table), rows)


few = hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@few
@given(lives, instants)
def test_the_store_says_of_every_lead_what_the_rule_says(store, life, as_of):
    database = store.service.database
    rules = compile_scorecard(load_playbook(PLAYBOOK).scorecard, load_playbook(PLAYBOOK).business)
    live = compile_scorer(rules, dialect=database.dialect, lifecycle=LIFECYCLE)
    with database.writing() as connection:
        written(connection, life)
    with database.reading() as connection:
        found = LeadLives.read(connection, LEADS, LIFECYCLE)
        raw = raw_connection(connection)
        for lead in LEADS:
            expected = LIFECYCLE.state(*life.known(lead, as_of))
            assert found.state(lead, as_of) == expected
            assert live.known(raw, [(lead, as_of)])[lead].state == expected
        together = live.known_then(raw, [(lead, at) for lead in LEADS for at in (as_of, LAST)])
        assert {each: known.state for each, known in together.items()} == {
            (lead, at): LIFECYCLE.state(*life.known(lead, at)) for lead in LEADS for at in (as_of, LAST)
        }
        query = select(leads.c.lead_id).where(~is_closed(leads.c.lead_id, LIFECYCLE))
        is_open = {lead for lead in LEADS if is_open_by_hand(*life.known(lead, LAST))}
        assert set(connection.execute(query).scalars()) == is_open


@few
@given(lives, instants)
def test_a_lead_came_back_if_its_new_facts_have_closed_and_opened_it(store, life, since):
    """A loss that arrives after the activity that opened the lead again is no news of it."""
    database = store.service.database
    with database.writing() as connection:
        written(connection, life)
        connection.execute(
            insert(pending_scores), [{"lead_id": lead, "since": since, "newest": LAST} for lead in LEADS]
        )
        is_open = [lead for lead in LEADS if is_open_by_hand(*life.known(lead, LAST))]
        found = set(connection.execute(came_back(is_open, LIFECYCLE)).scalars())
    new = {lead: _new(life, lead, since) for lead in is_open}
    assert found == {
        lead for lead, (ends, opened) in new.items() if any(is_open_by_hand([end], opened) for end in ends)
    }


def _new(life, lead, since):
    """Return how a lead ended and when it did what opens leads again, as far as that became known from then on."""
    (reached, _), (earlier, _) = life.known(lead, LAST), life.known(lead, since)
    opened = [
        at
        for who, kind, at, late in life.activities
        if who == lead and kind in LIFECYCLE.reopening and at + late >= since
    ]
    return [each for each in reached if each not in earlier and each.stage in LIFECYCLE.closing], opened
