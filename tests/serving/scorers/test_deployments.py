"""A deployed bundle answers in every process, former champions stay readable, and everything is audited."""

import logging

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from data.words.playbook import load_playbook
from models.bands import Bands
from models.calibration import Platt
from models.errors import ModelError
from models.scorecard import compile_scorecard
from models.scorecard_archive import keep_rules, kept_rules
from serving.errors import UnknownScorerError
from serving.scorers import deployments as deploying
from serving.scorers.deployments import deploy_bundle, deployments_in_force, load_scorer, store_rules, verify_bundle
from serving.scorers.shadow import compare_shadow
from serving.store.tables import receipts, scorers
from tests.models.small import rows, values_of
from tests.serving.bundles import blob_of, files_of, fingerprint_of, put
from tests.serving.conftest import PLAYBOOK, key_in, opened, promote

FIT = {"account_id": "A-1", "attributes": {"seniority": "vp", "employees": 500, "industry": "retail"}}


def history(store):
    return store.client.get("/v1/deployments").json()["deployments"]


def test_a_deployed_bundle_answers_at_once(store):
    store.lead(**FIT)
    assert store.score()["degraded"] is True
    answer = put(store, blob_of(version="7"))
    assert answer.status_code == 200, answer.text
    assert answer.json()["scorer"] == store.score()["scorer"]
    assert (store.score()["scorer"]["version"], store.score()["degraded"]) == ("7", False)
    assert answer.json()["champion"]["scorer"]["fingerprint"] == fingerprint_of()
    assert (answer.json()["champion"]["source"], answer.json()["problem"]) == ("deploy", None)


def test_a_bundle_may_come_as_json_and_its_version_in_the_query(store):
    files = {name: content.decode() for name, content in files_of().items()}
    answer = store.client.put("/v1/model", json={"files": files}, params={"version": "8"})
    assert (answer.status_code, answer.json()["scorer"]["version"]) == (200, "8")


def test_without_a_version_a_bundle_goes_by_the_start_of_its_fingerprint(store):
    assert put(store, blob_of()).json()["scorer"]["version"] == fingerprint_of()[:8]


def test_the_registrys_label_stays_when_the_same_bundle_comes_without_one(store):
    put(store, blob_of(version="3"))
    put(store, blob_of("two", 2))
    assert put(store, blob_of()).json()["scorer"]["version"] == "3"


def test_a_bundle_is_stored_once_however_often_it_is_deployed(store):
    for name in ("one", "two", "one", "one"):
        put(store, blob_of(name))
    assert len([row for row in store.rows("scorers") if row[1] == "model"]) == 2
    assert [one["scorer"]["fingerprint"] for one in history(store)] == [
        fingerprint_of(name) for name in ("one", "one", "two", "one")
    ]


def test_deployments_are_listed_newest_first_and_audited(store):
    put(store, blob_of(version="1"))
    put(store, blob_of("two", version="2"), role="shadow")
    store.client.delete("/v1/model?role=shadow")
    listed = history(store)
    assert [(one["role"], one["scorer"] and one["scorer"]["version"]) for one in listed] == [
        ("shadow", None),
        ("shadow", "2"),
        ("champion", "1"),
    ]
    assert len(store.client.get("/v1/deployments?limit=2").json()["deployments"]) == 2
    notes = store.client.get("/v1/audit").json()["notes"]
    assert [note["act"] for note in notes][:3] == ["models.remove", "models.deploy", "models.deploy"]
    assert {note["actor"] for note in notes[:3]} == {listed[0]["deployed_by"]}
    assert fingerprint_of()[:12] in notes[2]["about"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/v1/model?role=king"), ("PUT", "/v1/model?version=%00"), ("PUT", "/v1/model?name=x"),
     ("DELETE", "/v1/model"), ("DELETE", "/v1/model?role=champion"), ("GET", "/v1/deployments?limit=0")],
)  # fmt: skip
def test_an_invalid_request_is_refused_and_changes_nothing(store, method, path):
    answer = store.client.request(method, path, content=blob_of())
    assert answer.status_code == 422
    assert store.rows("deployments") == []


def test_a_body_beyond_any_bundle_is_refused(store):
    assert put(store, b"x" * (64 * 2**20 + 1)).status_code == 413


def test_a_key_that_may_only_read_deploys_nothing(store):
    secret = key_in(store.service.database, ("scores:read", "events:write"))
    headers = {"Authorization": f"Bearer {secret}"}
    answers = [
        store.client.put("/v1/model", content=blob_of(), headers=headers),
        store.client.delete("/v1/model?role=shadow", headers=headers),
        store.client.get("/v1/deployments", headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert store.rows("deployments") == []


def test_a_shadow_answers_no_request_and_a_damaged_one_degrades_nothing(store):
    put(store, blob_of(version="1"))
    store.lead(**FIT)
    told = put(store, blob_of("two", 2, version="2"), role="shadow").json()
    assert (store.score()["scorer"]["version"], told["scorer"]["version"]) == ("1", "1")
    assert (told["shadow"]["scorer"]["version"], told["shadow"]["problem"]) == ("2", None)
    assert store.service.active_scorer.shadow.scorer.id.version == "2"
    damage(store, fingerprint_of("two", 2))
    again = opened(store.settings)
    with again.client:
        told = again.client.get("/v1/model").json()
        assert (told["degraded"], told["problem"]) == (False, None)
        assert "cannot be used" in told["shadow"]["problem"]
        assert again.service.active_scorer.shadow is None
        assert again.client.delete("/v1/model?role=shadow").json()["shadow"] is None


def damage(store, fingerprint):
    """Overwrite the middle of a stored bundle, as a failing disk would."""
    with store.service.database.writing() as connection:
        row = connection.execute(scorers.select().where(scorers.c.fingerprint == fingerprint)).one()
        content = bytes(row.content)
        broken = content[: len(content) // 2] + b"\0\0\0" + content[len(content) // 2 + 3 :]
        connection.execute(update(scorers).where(scorers.c.fingerprint == fingerprint).values(content=broken))


def test_the_model_route_compares_the_shadow_with_the_champion(store):
    put(store, blob_of("one", 1))
    put(store, blob_of("two", 2), role="shadow")
    assert store.client.get("/v1/model").json()["shadow"]["compared"] == {
        "leads": 0,
        "mean_difference_points": None,
        "same_side_share": None,
    }
    lead_ids = [f"L-{at}" for at in range(4)]
    for lead_id in lead_ids:
        store.lead(lead_id)
    with store.service.database.writing() as connection:
        connection.execute(receipts.delete())
        for at, lead_id in enumerate(lead_ids):
            kept = {"lead_id": lead_id, "content_hash": "", "feature_values": "[]", "content": "{}"}
            for role, fingerprint, points, threshold in (
                ("champion", fingerprint_of("one", 1), 50.0, 60.0),
                ("shadow", fingerprint_of("two", 2), 53.0 + 4 * at, 65.0),
                ("shadow", fingerprint_of("one", 1), 99.0, 1.0),
            ):
                as_of, number = (1, 0) if points == 99.0 else (2, 1)
                row = {"role": role, "as_of": as_of, "scorer": fingerprint, "points": points, "threshold": threshold}
                name = f"{lead_id}{role}{number}"
                connection.execute(receipts.insert().values(receipt_id=name, **row, **kept))
    found = store.client.get("/v1/model").json()["shadow"]["compared"]
    assert found == {"leads": 4, "mean_difference_points": (3 + 7 + 11 + 15) / 4, "same_side_share": 0.75}
    with store.service.database.reading() as connection:
        nobody = compare_shadow(connection, champion="nobody", shadow=fingerprint_of("two", 2))
    assert (nobody.leads, nobody.same_side_share) == (0, None)


def test_a_scorer_that_answered_once_stays_readable(store):
    put(store, blob_of("one", 1, version="1"))
    put(store, blob_of("two", 2, version="2"))
    with store.service.database.reading() as connection:
        again = load_scorer(connection, fingerprint_of("one", 1))
    model, values = verify_bundle(files_of("one", 1)).model, values_of(rows(3, seed=4), 1)
    assert again.receipt("L", 5, values).points == model.receipt("L", 5, values).points
    assert again.id.version == "1"


def test_a_scorer_that_never_answered_is_not_invented(store):
    with store.service.database.reading() as connection, pytest.raises(UnknownScorerError):
        load_scorer(connection, "f" * 64)


def test_the_point_rules_in_use_are_stored_and_survive_an_edit_of_the_scorecard(store):
    answering = store.service.active_scorer.current.scorer
    with store.service.database.reading() as connection:
        again = load_scorer(connection, answering.id.fingerprint)
    assert again == answering
    assert again.id == answering.id


def test_fitted_rules_are_stored_beside_the_bare_ones(store):
    playbook = load_playbook(PLAYBOOK)
    bare = compile_scorecard(playbook.scorecard, playbook.business)
    fitted = bare.calibrated(Platt(0.05, -3.0), Bands(60, 70, 55, 40))
    for _ in range(2):
        with store.service.database.writing() as connection:
            store_rules(connection, fitted, at=5)
    with store.service.database.reading() as connection:
        assert load_scorer(connection, fitted.id.fingerprint) == fitted
        assert load_scorer(connection, bare.id.fingerprint) == bare
    assert len(store.rows("scorers")) == 2


def test_stored_rules_with_one_wrong_byte_never_answer():
    playbook = load_playbook(PLAYBOOK)
    card = compile_scorecard(playbook.scorecard, playbook.business)
    kept = keep_rules(card)
    assert kept_rules(kept, fingerprint=card.id.fingerprint) == card
    for at in range(0, len(kept), 97):
        broken = kept[:at] + bytes([kept[at] ^ 1]) + kept[at + 1 :]
        with pytest.raises(ModelError):
            kept_rules(broken, fingerprint=card.id.fingerprint)


def test_a_deployment_that_fails_half_way_leaves_nothing(store, monkeypatch):
    """The bundle, its deployment and the audit entry are one transaction."""

    def refuse(*_given, **_named):
        message = "the disk is full"
        raise OSError(message)

    bundle = verify_bundle(files_of())
    monkeypatch.setattr(deploying, "write_audit_entry", refuse)
    with pytest.raises(OSError, match="disk is full"):
        deploy_bundle(store.service.database, bundle, "champion", by="me", at=5)
    with store.service.database.reading() as connection:
        assert deployments_in_force(connection) == {}
    assert [row for row in store.rows("scorers") if row[1] == "model"] == []


def test_a_bundle_deployed_again_repairs_what_the_disk_lost(store):
    put(store, blob_of(version="1"))
    damage(store, fingerprint_of())
    again = opened(store.settings)
    with again.client:
        assert again.client.get("/v1/model").json()["degraded"] is True
        assert put(again, blob_of()).json()["degraded"] is False


def test_a_promotion_is_put_into_the_store_once_and_a_deployment_stays_until_the_next(store):
    models, active_scorer = store.settings.models, store.service.active_scorer
    promote(models, "a", version="1")
    other = opened(store.settings)
    with other.client:
        active_scorer.refresh()
        assert (active_scorer.current.scorer.id.version, len(store.rows("deployments"))) == ("1", 1)
        put(other, blob_of("two", 2, version="9"))
        for _ in range(2):
            active_scorer.refresh()
            other.service.active_scorer.refresh()
        assert {live.scorer.id.version for live in (active_scorer.current, other.service.active_scorer.current)} == {
            "9"
        }
        third = opened(store.settings)
        with third.client:
            assert third.service.active_scorer.current.scorer.id.version == "9"
        promote(models, "b", version="2")
        active_scorer.refresh()
        other.service.active_scorer.refresh()
        assert {live.scorer.id.version for live in (active_scorer.current, other.service.active_scorer.current)} == {
            "2"
        }
    assert [one["source"] for one in history(store)] == ["promotion", "deploy", "promotion"]


def test_a_process_that_follows_no_promotions_takes_what_the_store_says(store, tmp_path):
    given = {"follow_promotions": False, "models": tmp_path / "none", "model_check_s": 3600.0}
    alone = opened(store.settings.model_copy(update=given))
    promote(store.settings.models, "a", version="1")
    with alone.client:
        assert alone.service.active_scorer.current.scorer.id.kind == "rules"
        store.service.active_scorer.refresh()
        assert alone.service.active_scorer.refresh() is True
        assert alone.service.active_scorer.current.scorer.id.version == "1"


def test_a_promotion_that_cannot_be_used_is_overtaken_by_a_deployment(store):
    active_scorer = store.service.active_scorer
    trees = promote(store.settings.models, "a", version="1") / "trees.json"
    whole = trees.read_bytes()
    trees.write_bytes(whole[:500])
    active_scorer.refresh()
    assert (active_scorer.current.stands_in, active_scorer.current.scorer.id.kind) == (True, "rules")
    assert put(store, blob_of("two", 2, version="9")).json()["degraded"] is False
    trees.write_bytes(whole)
    again = opened(store.settings)
    with again.client:
        assert again.service.active_scorer.current.scorer.id.version == "9", "an old promotion does not come back"


def test_a_problem_shows_no_path_of_the_machine(store):
    active_scorer, models = store.service.active_scorer, store.settings.models
    for name, damage_it in (
        ("a", lambda playbook: (playbook / "trees.json").unlink()),
        ("b", lambda playbook: (playbook / "model.json").write_text("{}")),
        ("c", lambda _folder: (models / "champion.json").write_text("{")),
        ("d", lambda _folder: ((models / "champion.json").unlink(), (models / "champion.json").mkdir())),
    ):
        damage_it(promote(models, name))
        active_scorer.refresh()
        problem = store.client.get("/v1/model").json()["problem"]
        assert problem.startswith(("bundles/", "champion.json"))
        assert not [word for word in problem.split() if word.startswith("/")]


def test_while_the_store_does_not_answer_the_scorer_in_use_stays(store, monkeypatch, caplog):
    put(store, blob_of(version="1"))
    active_scorer = store.service.active_scorer

    def gone(*_given):
        asked = "SELECT"
        raise OperationalError(asked, {}, OSError("gone"))

    monkeypatch.setattr("serving.scorers.active_scorer.deployments_in_force", gone)
    with caplog.at_level(logging.WARNING):
        assert active_scorer.refresh() is False
    assert active_scorer.current.scorer.id.version == "1"
    assert "the deployments in force could not be read" in caplog.text


def test_swaps_are_counted(store):
    active_scorer = store.service.active_scorer
    before = active_scorer.swaps
    for name in ("one", "two", "two", "one"):
        put(store, blob_of(name))
    assert active_scorer.swaps - before == 3


def test_a_closed_scorer_does_not_read_the_store(settings):
    found = opened(settings)
    with found.client:
        active_scorer = found.service.active_scorer
    assert active_scorer.refresh() is False
    assert found.service.database._reader.pool.checkedout() == 0
