"""What must outlive the store is a line outside it, before it is done, and names no lead."""

import json
import stat

import pytest

from serving.callers.keys import create_key, revoke_key, rotate_key
from serving.errors import KeysError
from serving.privacy.erasure import erase
from serving.store.audit_log import keyed_hash
from serving.store.database import Database
from serving.store.epoch import epoch_of
from serving.store.ledger import read_ledger
from serving.unready_errors import LedgerError
from tests.data.stores import fill, version
from tests.serving.bundles import blob_of, put


@pytest.fixture
def database(settings):
    fill(settings.database, versions=[version("ann"), version("bob")])
    found = Database(settings.database, ledger=settings.ledger_file)
    yield found
    found.close()


def entries(database):
    with database.reading() as connection:
        return read_ledger(database.ledger, epoch_of(connection).store_id).entries


def new_key(database):
    with database.writing() as connection:
        return create_key(connection, "crm", scopes=["admin"], now=1)[0].key_id


def test_an_erasure_is_noted_without_the_lead(database):
    erase(database, "ann", at=9, actor="me")
    with database.reading() as connection:
        hashed = keyed_hash(connection, "ann")
    (entry,) = entries(database)
    assert (entry.act, entry.targets, entry.epoch) == ("erase", (hashed,), 1)
    assert "ann" not in database.ledger.read_text()
    assert stat.S_IMODE(database.ledger.stat().st_mode) == 0o600


def test_a_revocation_and_a_rotation_are_noted(database):
    first, second = new_key(database), new_key(database)
    with database.writing() as connection:
        revoke_key(connection, first, now=5)
    with database.writing() as connection:
        successor = rotate_key(connection, second, now=5, overlap_us=10)[0].key_id
    assert [(entry.act, entry.targets, entry.until, entry.says) for entry in entries(database)] == [
        ("revoke", (first,), None, ""),
        ("expire", (second,), 15, successor),
    ]


def test_a_deployment_is_noted(store):
    put(store, blob_of("one", version="7")).raise_for_status()
    (entry,) = entries(store.service.database)
    assert (entry.act, entry.targets[0]) == ("deploy", "champion")
    assert entry.says.startswith("leadscore-test 7 (")


def test_what_did_not_commit_is_not_noted(database):
    key_id = new_key(database)

    def revoke_twice():
        with database.writing() as connection:
            revoke_key(connection, key_id, now=5)
            revoke_key(connection, key_id, now=6)

    with pytest.raises(KeysError, match="revoked before"):
        revoke_twice()
    new_key(database)
    assert entries(database) == ()


def test_what_cannot_be_noted_is_not_done(database):
    key_id = new_key(database)
    database.ledger.parent.mkdir(exist_ok=True)
    database.ledger.mkdir()
    with pytest.raises(LedgerError, match="nothing was done"), database.writing() as connection:
        revoke_key(connection, key_id, now=5)
    database.ledger.rmdir()
    with database.writing() as connection:
        assert revoke_key(connection, key_id, now=6).revoked_at == 6
    assert len(entries(database)) == 1


def test_an_unwritable_ledger_is_a_problem_of_its_own(store):
    store.lead("ann")
    store.service.database.ledger.parent.mkdir(exist_ok=True)
    store.service.database.ledger.mkdir()
    answer = store.client.delete("/v1/leads/ann")
    assert (answer.status_code, answer.json()["type"]) == (503, "/docs/errors#ledger-unwritable")
    assert store.score("ann")


def test_a_line_that_a_crash_cut_off_is_counted_and_the_others_are_read(database):
    erase(database, "ann", at=9, actor="me")
    with database.ledger.open("ab") as file:
        file.write(b'{"act": "erase", "targ')
    erase(database, "bob", at=9, actor="me")
    with database.reading() as connection:
        content = read_ledger(database.ledger, epoch_of(connection).store_id)
    assert (len(content.entries), content.damaged) == (2, 1)


def test_entries_of_other_stores_are_left_alone(database):
    erase(database, "ann", at=9, actor="me")
    line = json.loads(database.ledger.read_text())
    assert read_ledger(database.ledger, "another").entries == ()
    assert read_ledger(database.ledger, line["store_id"]).entries[0].targets == tuple(line["targets"])
