"""Administrators manage keys over the API; who tries keys in vain is noted, and each key's last use is known."""

import pytest
from fastapi.testclient import TestClient

from serving.callers.key_use import KeyUse
from serving.store.tables import idempotent_requests
from tests.serving.api.test_problems import is_problem
from tests.serving.conftest import key_in

NEW = {"name": "crm", "scopes": ["scores:read"]}


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


def created(store, **content):
    answer = store.client.post("/v1/keys", json=NEW | content)
    assert answer.status_code == 201, answer.text
    return answer.json()


def listed(store):
    return {key["key_id"]: key for key in store.client.get("/v1/keys").json()["keys"]}


def notes(store):
    """Return the newest entries of the audit log, as act, actor and what it was about."""
    store.client.app.state.door.use.save(store.client.app.state.door.use.take())
    return [(note["act"], note["actor"], note["about"]) for note in store.client.get("/v1/audit").json()["notes"]]


def calling_from(store, address):
    return TestClient(store.client.app, client=(address, 50_000))


def test_a_key_is_created_used_replaced_and_revoked(store):
    first = created(store, expires_days=30)
    assert store.client.get("/v1/routes", headers=bearer(first["secret"])).status_code == 200
    answer = store.client.post(f"/v1/keys/{first['key_id']}/rotate", json={"overlap_hours": 1})
    second = answer.json()
    assert (answer.status_code, second["name"], second["scopes"]) == (201, "crm", ["scores:read"])
    assert listed(store)[first["key_id"]]["replaced_by"] == second["key_id"]
    assert listed(store)[first["key_id"]]["state"] == "replaced"
    revoked = store.client.delete(f"/v1/keys/{second['key_id']}").json()
    assert (revoked["key_id"], revoked["state"]) == (second["key_id"], "revoked")
    acts = [(act, about.partition(" ")[0]) for act, _, about in notes(store)[:3]]
    assert acts == [
        ("keys.revoke", second["key_id"]), ("keys.rotate", first["key_id"]), ("keys.create", first["key_id"]),
    ]  # fmt: skip


def test_no_secret_is_listed_or_stored(store):
    answer = store.client.post("/v1/keys", json=NEW, headers={"Idempotency-Key": "one"})
    secret = answer.json()["secret"]
    assert secret not in store.client.get("/v1/keys").text
    assert store.rows(idempotent_requests.name) == []
    assert secret not in str(store.rows("api_keys"))


@pytest.mark.parametrize(
    "content",
    [{"name": ""}, {"scopes": []}, {"scopes": ["everything"]}, {"expires_days": 0}, {"addresses": ["10.0.0.0/99"]}],
)
def test_an_invalid_key_is_refused(store, content):
    before = len(listed(store))
    is_problem(store.client.post("/v1/keys", json=NEW | content), 422)
    assert len(listed(store)) == before


def test_what_cannot_be_done_to_a_key_is_refused_in_a_sentence(store):
    key_id = created(store)["key_id"]
    store.client.delete(f"/v1/keys/{key_id}").raise_for_status()
    for answer in (
        store.client.delete("/v1/keys/nobody"),
        store.client.delete(f"/v1/keys/{key_id}"),
        store.client.post(f"/v1/keys/{key_id}/rotate", json={}),
    ):
        assert is_problem(answer, 422)["type"] == "/docs/errors#key-refused"


def test_a_key_for_some_addresses_opens_nothing_from_others(store):
    key = created(store, addresses=["10.1.2.3/8", "fd00::/8"])
    assert key["addresses"] == ["10.0.0.0/8", "fd00::/8"]
    answers = {
        address: calling_from(store, address).get("/v1/routes", headers=bearer(key["secret"])).status_code
        for address in ("10.9.9.9", "fd00::7", "::ffff:10.9.9.9", "11.0.0.1", "2001:db8::1", "testclient")
    }
    assert answers == dict(zip(answers, (200, 200, 200, 401, 401, 401), strict=True))
    again = store.client.post(f"/v1/keys/{key['key_id']}/rotate", json={}).json()
    assert again["addresses"] == key["addresses"]


def test_the_answer_does_not_tell_a_thief_that_the_key_is_right(store):
    key = created(store, addresses=["10.0.0.0/8"])
    wrong = [
        is_problem(calling_from(store, "11.0.0.1").get("/v1/routes", headers=bearer(secret)), 401)
        for secret in (key["secret"], key["secret"][:-1] + "-")
    ]
    assert wrong[0] == wrong[1]


def test_the_last_use_is_saved_to_the_minute(store):
    key = created(store)
    assert listed(store)[key["key_id"]]["last_used_at"] is None
    store.client.get("/v1/routes", headers=bearer(key["secret"]))
    assert listed(store)[key["key_id"]]["last_used_at"] is None, "it is not written with every request"
    store.client.app.state.door.use.save(store.client.app.state.door.use.take())
    assert listed(store)[key["key_id"]]["last_used_at"] > key["created_at"]


def test_failed_attempts_are_counted_by_address_without_naming_it(store):
    expired = key_in(store.service.database, now=store.clock.now_us - 2, expires_at=store.clock.now_us - 1)
    ours = created(store, addresses=["10.0.0.0/8"])["secret"]
    thief = calling_from(store, "203.0.113.9")
    for secret in ("lsk_a", "lsk_b", "lsk_c", expired, ours):
        assert thief.get("/v1/routes", headers=bearer(secret)).status_code == 401
    assert thief.get("/v1/routes").status_code == 401
    calling_from(store, "203.0.113.10").get("/v1/routes", headers=bearer("lsk_a"))
    failed = [(actor, about) for act, actor, about in notes(store) if act == "keys.refused"]
    assert sorted(about for _, about in failed) == [
        "1 attempt with a key for other addresses",
        "1 attempt with an expired key",
        "1 attempt with an unknown key",
        "3 attempts with an unknown key",
    ]
    assert len({actor for actor, _ in failed}) == 2
    assert "203.0.113" not in str(store.rows("audit_log"))


def test_many_addresses_make_few_entries(store):
    use = KeyUse(store.service.database, store.service.clock.now)
    for number in range(300):
        use.note_failure(f"10.0.0.{number}", "an unknown key")
    use.save(use.take())
    entries = [row for row in store.rows("audit_log") if row[3] == "keys.refused"]
    assert len(entries) == 101
    assert ("other addresses", "200 attempts with an unknown key") in [(row[2], row[4]) for row in entries]


def test_what_could_not_be_saved_is_saved_the_next_time(store):
    use, database = KeyUse(store.service.database, store.service.clock.now), store.service.database
    use.note_failure("10.0.0.1", "an unknown key")
    with database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE audit_log RENAME TO elsewhere")
    use.save(use.take())
    with database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO audit_log")
    use.note_failure("10.0.0.1", "an unknown key")
    use.save(use.take())
    assert notes(store)[0][2] == "2 attempts with an unknown key"
