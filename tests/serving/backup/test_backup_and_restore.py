"""The runbook, walked through: a backup every night, and a restore that undoes no revocation and no erasure."""

import hashlib
import json
import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from data.instants import now_us
from serving.backup.taking import take_backup
from serving.callers.keys import create_key, key_named, revoke_key, rotate_key
from serving.errors import ExportError
from serving.feedback.export import export
from serving.store.database import Database
from serving.store.epoch import epoch_of
from serving.store.tombstones import find_erased
from tests.end_to_end.command_line import leadscore
from tests.postgres import PROGRAMS
from tests.serving.bundles import blob_of, put
from tests.serving.conftest import MovableClock, opened


@pytest.fixture(autouse=True)
def place(settings, monkeypatch):
    """What the environment of the command line says; PostgreSQL's programs are of the server's version."""
    monkeypatch.setenv("LEADSCORE_DATABASE", settings.database)
    monkeypatch.setenv("LEADSCORE_MODELS", str(settings.models))
    monkeypatch.setenv("PATH", f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def run(tmp_path):
    """Run a verb with the demo's playbook and a home of its own."""
    return lambda *arguments: leadscore(*arguments, "--json", home=tmp_path / "home")


@pytest.fixture
def taken(run, tmp_path):
    """Take a backup and return what the command says of it."""

    def take(*options):
        done = run("backup", "--to", str(tmp_path / "backups"), *options)
        assert done.code == 0, done.stderr
        return done.json

    return take


def filled(settings, clock=None):
    """Open a service that knows two colleagues; close it with the block."""
    store = opened(settings, clock)
    store.lead("ann", account_id="acme", attributes={"seniority": "vp", "employees": 500})
    store.lead("bob", account_id="acme")
    store.activity("ann-1", lead_id="ann")
    return store


def key_in(database):
    with database.writing() as connection:
        return create_key(connection, "crm", scopes=["admin"], now=now_us())[0].key_id


def state(settings):
    database = Database(settings.database)
    with database.reading() as connection:
        counts = {
            table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
            for table in ("leads", "activities", "routes")
        }
        result = counts, epoch_of(connection), find_erased(connection, ["ann", "bob"])
    database.close()
    return result


def test_the_runbook_from_a_nightly_backup_to_a_restored_service(settings, run, taken, tmp_path):
    clock = MovableClock()
    with filled(settings, clock).client as client:
        database = client.app.state.service.database
        revoked, rotated = key_in(database), key_in(database)
    backup = taken("--keep", "7")
    assert (backup["epoch"], backup["engine"]) == (1, "sqlite" if settings.database_file else "postgres")

    store = opened(settings, clock)
    with store.client:
        database, business = store.service.database, store.service.playbook.business
        store.activity("ann-2", lead_id="ann")
        with database.writing() as connection:
            revoke_key(connection, revoked, now=now_us())
            rotate_key(connection, rotated, now=now_us(), overlap_us=0)
        store.client.delete("/v1/leads/bob").raise_for_status()
        put(store, blob_of("one", version="7")).raise_for_status()
        export(database, business, tmp_path / "export")

    refused = run("restore", backup["path"])
    assert refused.code == 2
    assert "add --yes" in refused.stderr
    assert "facts would be lost" in refused.stderr
    assert f"Keys revoked since will be revoked again: {revoked}." in refused.stderr
    assert "1 ids of leads erased since will be erased again." in refused.stderr
    assert "The champion goes back from leadscore-test 7" in refused.stderr
    assert state(settings)[1].number == 1, "a refusal changes nothing"

    done = run("restore", backup["path"], "--yes")
    assert done.code == 0, done.stderr
    assert (done.json["epoch"], done.json["erased_again"]) == (2, 1)
    assert set(done.json["ended_keys"]) == {revoked, rotated}
    counts, store_epoch, erased = state(settings)
    assert (counts["leads"], counts["activities"]) == (1, 1)
    assert (store_epoch.number, erased) == (2, {"bob"})

    with opened(settings, clock).client as client:
        service = client.app.state.service
        with service.database.reading() as connection:
            assert key_named(connection, revoked).revoked_at is not None
            assert key_named(connection, rotated).has_expired(now_us())
        assert client.post("/v1/leads", json={"lead_id": "bob"}).status_code == 410
        with pytest.raises(ExportError, match=r"in epoch 1, and this is store \w+ in epoch 2"):
            export(service.database, service.playbook.business, tmp_path / "export")
        export(service.database, service.playbook.business, tmp_path / "second")
    assert taken()["epoch"] == 2


def test_the_store_that_was_there_is_kept(settings, run, taken):
    with filled(settings).client:
        pass
    backup = taken()
    with opened(settings).client:
        pass
    replaced = run("restore", backup["path"], "--yes").json["replaced"]
    if settings.database_file:
        with closing(sqlite3.connect(replaced)) as connection:
            assert connection.execute("SELECT count(*) FROM leads").fetchone() == (2,)
        return
    database = Database(settings.database)
    with database.reading() as connection:
        schema = replaced.removeprefix("schema ")
        assert connection.exec_driver_sql(f"SELECT count(*) FROM {schema}.leads").scalar() == 2
    database.close()


def test_a_backup_every_night_keeps_as_many_as_asked_and_no_other_file_goes(settings, taken, tmp_path):
    with filled(settings).client:
        first = taken()
        (tmp_path / "backups" / "notes.txt").write_text("mine")
        (tmp_path / "backups" / "mine.json").write_text("{}")
        nights = [taken("--keep", "2") for _ in range(3)]
    files = {path.name for path in (tmp_path / "backups").iterdir()}
    kept = {name for night in nights[1:] for name in (night["file"], f"{night['file']}.json")}
    assert files == kept | {"notes.txt", "mine.json"}
    assert nights[0]["deleted"] == []
    assert nights[1]["deleted"] == [first["file"]]
    assert stat.S_IMODE(Path(nights[2]["path"]).stat().st_mode) == 0o600


def test_a_restore_is_refused_while_a_service_runs(settings, run, taken):
    store = opened(settings, MovableClock(now_us()))
    with store.client:
        store.lead("ann")
        backup = taken()
        done = run("restore", backup["path"], "--yes")
    assert done.code == 2
    assert "systemctl stop leadscore" in done.stderr
    assert state(settings)[0]["leads"] == 1


def test_a_backup_that_was_changed_is_refused(settings, run, taken):
    with filled(settings).client:
        pass
    backup = taken()
    with Path(backup["path"]).open("ab") as file:
        file.write(b"x")
    done = run("restore", backup["path"], "--yes")
    assert done.code == 2
    assert "was changed or damaged" in done.stderr


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_a_dump_that_postgres_refuses_leaves_the_store_as_it_was(settings, run, taken):
    with filled(settings).client:
        pass
    backup = Path(taken()["path"])
    backup.write_bytes(b"no dump")
    manifest = backup.with_name(f"{backup.name}.json")
    content = json.loads(manifest.read_text()) | {"sha256": hashlib.sha256(b"no dump").hexdigest()}
    manifest.write_text(json.dumps(content))
    done = run("restore", str(backup), "--yes")
    assert done.code == 2
    assert "pg_restore failed" in done.stderr
    counts, store, _ = state(settings)
    assert (counts["leads"], store.number) == (2, 1)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_store_that_is_gone_is_restored_and_the_ledger_alone_says_what_was_since(settings, run, taken):
    store = filled(settings)
    with store.client:
        backup = taken()
        store.client.delete("/v1/leads/bob").raise_for_status()
    settings.database_file.unlink()
    done = run("restore", str(Path(backup["path"]).parent), "--yes")
    assert done.code == 0, done.stderr
    assert "1 ids of leads erased since will be erased again." in done.stderr
    assert (done.json["replaced"], done.json["erased_again"]) == (None, 1)
    assert state(settings)[2] == {"bob"}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_copy_put_back_by_hand_erases_and_revokes_again_when_a_service_starts(settings, tmp_path):
    store = filled(settings)
    with store.client:
        key_id = key_in(store.service.database)
    shutil.copy(settings.database_file, tmp_path / "by-hand.db")
    store = opened(settings)
    with store.client:
        store.client.delete("/v1/leads/bob").raise_for_status()
        with store.service.database.writing() as connection:
            revoke_key(connection, key_id, now=now_us())
        export(store.service.database, store.service.playbook.business, tmp_path / "export")
    shutil.copy(tmp_path / "by-hand.db", settings.database_file)
    database = Database(settings.database)
    with pytest.raises(ExportError, match="put back without"):
        export(database, store.service.playbook.business, tmp_path / "export")
    database.close()
    with opened(settings).client as client:
        with client.app.state.service.database.reading() as connection:
            assert find_erased(connection, ["bob"]) == {"bob"}
            assert key_named(connection, key_id).revoked_at is not None
        assert client.get("/v1/leads/bob/score").status_code == 404


def test_what_another_machine_erased_and_revoked_is_known_from_the_store_itself(settings, run, taken):
    """Machines that share a store on PostgreSQL have a ledger each."""
    store = filled(settings)
    with store.client:
        key_id = key_in(store.service.database)
        backup = taken()
        store.client.delete("/v1/leads/bob").raise_for_status()
        with store.service.database.writing() as connection:
            revoke_key(connection, key_id, now=now_us())
    settings.ledger_file.unlink()
    done = run("restore", backup["path"], "--yes")
    assert (done.json["erased_again"], done.json["ended_keys"]) == (1, [key_id])
    assert state(settings)[2] == {"bob"}


def test_a_backup_is_of_one_moment_however_much_is_written_meanwhile(settings, taken):
    store = filled(settings)
    written = []

    def write(what, *_done):
        if what in {"copying the store", "running pg_dump"} and len(written) < 3:
            written.append(store.lead(f"late-{len(written)}"))

    with store.client:
        service = store.service
        folder = settings.models.parent / "live"
        result = take_backup(service.database, "demo", folder, progress=write)
        assert written
        assert result.backup.manifest.store.tables["lead_versions"].rows == 2
        assert len(store.rows("leads")) == 2 + len(written)


def test_without_postgres_programs_one_sentence_says_what_to_install(settings, run, tmp_path, monkeypatch):
    if settings.database_file:
        pytest.skip("SQLite needs no program")
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run("backup", "--to", str(tmp_path / "backups"))
    assert done.code == 2
    assert "pg_dump is not on this machine" in done.stderr
