"""The audit log says what administrators did, and never names a lead."""

import hashlib
import hmac

from sqlalchemy import select

from data.instants import iso
from serving.store.audit_log import command_line_user, keyed_hash, write_audit_entry
from serving.store.database import Database
from serving.store.tables import store_state
from tests.serving.conftest import NOON


def noted(store, count=3):
    with store.service.database.writing() as connection:
        for number in range(count):
            write_audit_entry(connection, at=NOON + number, actor="ada", action="keys.revoke", target=f"key {number}")


def test_the_log_lists_entries_newest_first(store):
    noted(store)
    told = store.client.get("/v1/audit", params={"limit": 2})
    assert told.status_code == 200
    assert told.json() == {
        "notes": [
            {"id": 3, "actor": "ada", "act": "keys.revoke", "about": "key 2", "at": iso(NOON + 2)},
            {"id": 2, "actor": "ada", "act": "keys.revoke", "about": "key 1", "at": iso(NOON + 1)},
        ]
    }


def test_a_keyed_hash_is_stable_for_a_lead_and_different_in_another_store(tmp_path):
    databases = [Database(f"sqlite:///{tmp_path / name}") for name in ("one.db", "two.db")]
    found = []
    for database in databases:
        with database.writing() as connection:
            found.append([keyed_hash(connection, "L-1"), keyed_hash(connection, "L-2"), keyed_hash(connection, "L-1")])
            secret = connection.execute(select(store_state.c.content).where(store_state.c.name == "secret")).scalar()
            assert len(bytes.fromhex(secret)) == 32
            assert found[-1][0] == hmac.new(bytes.fromhex(secret), b"L-1", hashlib.sha256).hexdigest()
        database.close()
    assert found[0][0] == found[0][2] != found[0][1]
    assert found[0][0] != found[1][0]


def test_the_user_of_the_command_line_is_named(monkeypatch):
    monkeypatch.setenv("LEADSCORE_USER", " Ada\nLovelace ")
    assert command_line_user() == "Ada Lovelace"
    monkeypatch.setenv("LEADSCORE_USER", " ")
    assert command_line_user()
