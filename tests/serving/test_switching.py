"""When another scorer takes over, no lead is handed over twice, and none is forgotten."""

import sqlite3
import time

import pytest
from sqlalchemy import update

from data.words.playbook import load_playbook
from models.bands import Bands
from models.bundle import read_bundle_files
from models.calibration import Platt
from models.packed_bundle import pack
from models.scorecard import compile_scorecard
from serving.scorers.live_scorer import compile_scorer
from serving.store.database import Database
from serving.store.schema_version import downgrade
from serving.store.tables import scorers
from tests.serving.bundles import blob_of, files_of, fingerprint_of, put
from tests.serving.conftest import PLAYBOOK, opened, promote, settings_in, wait_until
from tests.serving.scores.test_crossings import FIT

PROBLEM = "the model cannot be used."


def scorer(threshold, *, problem=None, stands_in=False):
    """Return the demo's rules with another threshold, which makes them another scorer; the floor is 5 points below."""
    playbook = load_playbook(PLAYBOOK)
    rules = compile_scorecard(playbook.scorecard, playbook.business)
    own = rules.calibrated(Platt(0.05, -3.0), Bands(threshold=threshold, a=threshold, b=threshold / 2, c=1))
    return compile_scorer(own, problem=problem, stands_in=stands_in)


def stand_in(threshold):
    return scorer(threshold, problem=PROBLEM, stands_in=True)


@pytest.fixture
def answered(settings):
    """A service, and a way to let another scorer take over."""
    found = opened(settings.model_copy(update={"model_check_s": 3600.0}))
    with found.client:

        def by(live):
            dialect = found.service.database.dialect
            told = {"problem": live.problem, "stands_in": live.stands_in}
            found.service.active_scorer.current = compile_scorer(live.scorer, dialect=dialect, **told)

        found.by = by
        yield found


def test_a_stand_in_that_scores_low_does_not_lead_to_a_second_handover(answered):
    answered.by(scorer(40))
    answered.lead(**FIT)
    answered.activity("a-1")
    assert len(answered.routes()) == 1
    answered.by(stand_in(95))
    answered.activity("a-2", "page_view")
    answered.by(scorer(40))
    answered.activity("a-3", "unsubscribe")
    answered.activity("a-4", "webinar", value=60)
    assert len(answered.routes()) == 1


def test_a_promotion_hands_over_none_that_was_above_before_and_all_that_cross(answered):
    answered.by(scorer(90))
    for lead_id in ("warm", "cool"):
        answered.lead(lead_id, **FIT)
    answered.activity("a-1", lead_id="warm")
    answered.by(scorer(60))
    answered.activity("a-2", "page_view", lead_id="warm")
    assert answered.routes() == []
    answered.activity("a-3", lead_id="cool")
    assert [route["lead_id"] for route in answered.routes()] == ["cool"]


def test_a_lead_handed_over_stays_so_for_the_next_model_unless_it_is_well_below_there(answered):
    answered.by(scorer(40))
    for lead_id in ("warm", "cool"):
        answered.lead(lead_id, **FIT)
        answered.activity(f"a-{lead_id}", "trial_start", lead_id=lead_id)
    assert len(answered.routes()) == 2
    answered.by(scorer(58))
    answered.activity("b-1", "page_view", lead_id="warm")
    answered.activity("b-2", "email_reply", lead_id="warm")
    assert len(answered.routes()) == 2
    answered.by(scorer(90))
    answered.activity("b-3", lead_id="cool")
    assert [route["lead_id"] for route in answered.routes()][:1] == ["cool"]


def test_a_lead_that_crosses_while_a_stand_in_answers_is_handed_over_once(answered):
    answered.by(stand_in(60))
    answered.lead(**FIT)
    answered.activity("a-1")
    assert len(answered.routes()) == 1
    answered.by(scorer(60))
    answered.activity("a-2", "page_view")
    answered.activity("a-3", "webinar", value=60)
    assert len(answered.routes()) == 1


def test_a_lead_that_only_a_stand_in_saw_below_is_handed_over_once_the_model_is_back(answered):
    answered.by(stand_in(95))
    answered.lead(**FIT)
    answered.activity("a-1")
    assert answered.routes() == []
    answered.by(scorer(60))
    for name in ("a-2", "a-3"):
        answered.activity(name, "page_view")
    assert len(answered.routes()) == 1


def test_a_stand_in_hands_over_none_that_was_above_for_it_all_along(answered):
    answered.by(scorer(90))
    answered.lead(**FIT)
    answered.activity("a-1")
    answered.by(stand_in(60))
    answered.activity("a-2", "page_view")
    assert answered.routes() == []


def test_a_fall_under_the_stand_in_that_raised_a_lead_is_no_crossing_for_the_model(answered):
    answered.by(stand_in(60))
    answered.lead(**FIT)
    answered.activity("a-1")
    answered.activity("a-2", "unsubscribe")
    assert answered.score()["score"] == 50
    answered.by(scorer(40))
    answered.activity("a-3", "page_view")
    assert len(answered.routes()) == 1


def test_a_store_of_an_earlier_release_is_brought_up_to_date(tmp_path):
    path = tmp_path / "leadscore.db"
    newer = Database(f"sqlite:///{path}")
    with newer.writing() as connection:
        downgrade(connection, "1")
    newer.close()
    older = sqlite3.connect(path)
    older.execute("DROP TABLE alembic_version")
    older.execute("ALTER TABLE leads DROP COLUMN above_for")
    older.execute("INSERT INTO leads VALUES ('L-1', 1)")
    older.commit()
    older.close()
    for _ in range(2):
        database = Database(f"sqlite:///{path}")
        assert database.reader.execute("SELECT * FROM leads").fetchall() == [("L-1", 1, None)]
        database.close()


def test_a_repaired_bundle_is_taken_up_without_a_promotion(settings):
    trees = promote(settings.models) / "trees.json"
    whole = trees.read_bytes()
    trees.write_bytes(whole[:500])
    found = opened(settings.model_copy(update={"model_check_s": 3600.0}))
    with found.client:
        active_scorer = found.service.active_scorer
        assert (active_scorer.current.degraded, active_scorer.current.stands_in) == (True, True)
        trees.write_bytes(whole)
        assert active_scorer.refresh() is False, "a damaged bundle is not read again at every look"
        active_scorer._retry_at = time.monotonic()
        assert active_scorer.refresh() is True
        assert (active_scorer.current.degraded, active_scorer.current.scorer.id.kind) == (False, "model")
        active_scorer._retry_at = time.monotonic()
        assert active_scorer.refresh() is False, "a model that serves is left alone"


def test_a_read_error_that_passes_is_not_for_ever(tmp_path, monkeypatch):
    settings = settings_in(tmp_path, model_check_s=0.05)
    promote(settings.models)
    monkeypatch.setattr("serving.scorers.active_scorer._RETRY_S", 0.1)
    errors = iter([OSError("the disk was away")])

    def read(playbook, **named):
        for error in errors:
            raise error
        return read_bundle_files(playbook, **named)

    monkeypatch.setattr("serving.scorers.promotions.read_bundle_files", read)
    found = opened(settings)
    with found.client:
        assert found.service.active_scorer.current.stands_in
        wait_until(lambda: not found.service.active_scorer.current.degraded)


def test_without_any_promotion_the_rules_are_no_stand_in_and_nothing_is_retried(store):
    assert (store.service.active_scorer.current.degraded, store.service.active_scorer.current.stands_in) == (
        True,
        False,
    )
    store.service.active_scorer._retry_at = 0.0
    assert store.service.active_scorer.refresh() is False


def answering(active_scorer):
    return active_scorer.current.scorer.id.version, active_scorer.current.degraded, active_scorer.current.stands_in


def test_fallbacks_go_from_the_champion_to_the_last_usable_model_to_the_rules_and_back(store):
    """Each fallback is taken after a restart too, when nothing is left in memory."""
    rules = store.service.active_scorer.current.scorer.id.version
    put(store, blob_of("one", 1, version="1"))
    put(store, blob_of("two", 2, version="2"))
    rungs = [(), ("two",), ("two", "one"), ("two",), ()]
    expected = [("2", False, False), ("1", True, True), (rules, True, True), ("1", True, True), ("2", False, False)]
    for damaged, said in zip(rungs, expected, strict=True):
        store_bundles(store, damaged)
        again = opened(store.settings)
        with again.client:
            assert answering(again.service.active_scorer) == said
            problem = again.client.get("/v1/model").json()["problem"]
            assert (problem is None) == (not damaged)
            assert again.lead().status_code == 202
            assert again.score()["degraded"] is said[1]
    assert answering(store.service.active_scorer) == ("2", False, False), "who answers already goes on answering"


def store_bundles(store, damaged):
    """Store the two bundles, whole except those named."""
    with store.service.database.writing() as connection:
        for name, seed in (("one", 1), ("two", 2)):
            content = pack(files_of(name, seed))
            broken = content[:1000] if name in damaged else content
            named = scorers.c.fingerprint == fingerprint_of(name, seed)
            connection.execute(update(scorers).where(named).values(content=broken))


def test_a_champion_that_was_mended_answers_again_without_a_restart(store):
    put(store, blob_of("one", 1, version="1"))
    put(store, blob_of("two", 2, version="2"))
    store_bundles(store, ("two",))
    again = opened(store.settings.model_copy(update={"model_check_s": 3600.0}))
    with again.client:
        active_scorer = again.service.active_scorer
        assert answering(active_scorer) == ("1", True, True)
        store_bundles(store, ())
        assert active_scorer.refresh() is False, "a damaged model is not read again at every look"
        active_scorer._retry_at = time.monotonic()
        assert active_scorer.refresh() is True
        assert answering(active_scorer) == ("2", False, False)
