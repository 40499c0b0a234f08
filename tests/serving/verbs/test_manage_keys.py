"""Keys: created once, found fast, revoked within two seconds, replaced without a gap."""

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from rich.console import Console
from sqlalchemy import select

from data.home import Home
from data.words.playbook import load_playbook
from data.workspace import Workspace
from serving.callers.keys import KeyRing, Scope, all_keys, create_key, key_named, revoke_key, rotate_key
from serving.callers.rate_limit import Limiter
from serving.errors import KeysError
from serving.store.audit_log import newest_audit_entries
from serving.store.database import Database
from serving.store.tables import api_keys
from serving.verbs import manage_keys as key_commands
from tests.serving.conftest import PLAYBOOK

NOW, HOUR_US = 1_000_000_000, 3_600_000_000


class Ticking:
    """A clock that a test moves, in seconds."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'keys.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").fresh()
    found = Database(url)
    yield found
    found.close()


def made(database, name="crm", scopes=("scores:read",), **given):
    with database.writing() as connection:
        return create_key(connection, name, scopes=scopes, **{"now": NOW, **given})


def test_a_secret_is_256_random_bits_and_the_store_holds_its_hash_alone(database):
    key, secret = made(database)
    assert secret.startswith("lsk_")
    assert len(secret) == len("lsk_") + 43  # 32 bytes in base64 without padding
    assert made(database)[1] != secret
    with database.reading() as connection:
        row = connection.execute(select(api_keys).where(api_keys.c.key_id == key.key_id)).one()
    assert row.hash == hashlib.sha256(secret.encode()).hexdigest()
    assert secret[4:] not in str(row)
    assert key.key_id not in secret


def test_a_key_has_the_scopes_it_was_given_and_admin_has_all(database):
    key, _ = made(database, scopes=["events:write", "routes:write"])
    assert [scope for scope in Scope if key.allows(scope)] == ["events:write", "routes:write"]
    assert all(made(database, scopes=["admin"])[0].allows(scope) for scope in Scope)


@pytest.mark.parametrize(
    "given",
    [
        {"scopes": []},
        {"scopes": ["scores:write"]},
        {"scopes": ["scores:read", ""]},
        {"name": ""},
        {"name": "a\x00b"},
        {"name": "\ud800"},
        {"expires_at": NOW},
    ],
)
def test_an_invalid_key_is_not_created(database, given):
    with pytest.raises(KeysError):
        made(database, **given)
    with database.reading() as connection:
        assert all_keys(connection) == []


def test_a_ring_finds_a_key_by_its_secret_and_nothing_by_another(database):
    key, secret = made(database)
    ring = KeyRing(database, lambda: NOW)
    assert ring.find(secret) == key
    for wrong in ("", "lsk_", secret[:-1], secret + "x", secret.swapcase(), key.key_id, "\udcff"):
        assert ring.find(wrong) is None


def test_a_new_key_is_found_at_once_and_the_next_one_too(database):
    ring = KeyRing(database, lambda: NOW, refresh_s=3600)
    for _ in range(5):
        key, secret = made(database)
        assert ring.find(secret) == key


def test_wrong_keys_do_not_keep_the_store_busy(database, monkeypatch):
    """However many are sent, the store is read five times for them in five seconds, and once a second anyway."""
    clock, reads = Ticking(), []
    reading = database.reading
    monkeypatch.setattr(database, "reading", lambda: reads.append(1) or reading())
    ring = KeyRing(database, lambda: NOW, refresh_s=1, seconds=clock)
    for number in range(1_000):
        ring.find(f"lsk_{number}")
    assert len(reads) == 1 + 5
    clock.now += 1.0
    _, secret = made(database)
    assert ring.find(secret) is not None
    for number in range(1_000):
        ring.find(f"lsk_{number}")
    assert len(reads) == 1 + 5 + 1


def test_a_revoked_key_stops_within_a_second_in_every_process(database):
    """Each ring is what one process has cached."""
    clock = Ticking()
    rings = [KeyRing(database, lambda: NOW, seconds=clock) for _ in range(3)]
    key, secret = made(database)
    assert all(ring.find(secret) for ring in rings)
    with database.writing() as connection:
        assert revoke_key(connection, key.key_id, now=NOW + 1).revoked_at == NOW + 1
    clock.now += 1.0
    assert not any(ring.find(secret) for ring in rings)
    with database.writing() as connection, pytest.raises(KeysError, match="revoked before"):
        revoke_key(connection, key.key_id, now=NOW + 2)


def test_a_key_expires_by_the_clock_and_not_by_the_store(database):
    key, _ = made(database, expires_at=NOW + 5)
    assert not key.has_expired(NOW + 4)
    assert key.has_expired(NOW + 5)


def test_rotation_overlaps_and_keeps_name_scopes_and_lifetime(database):
    old, old_secret = made(database, scopes=["events:write"], expires_at=NOW + 10 * HOUR_US)
    with database.writing() as connection:
        new, new_secret = rotate_key(connection, old.key_id, now=NOW + HOUR_US, overlap_us=2 * HOUR_US)
        left = key_named(connection, old.key_id)
    assert (new.name, new.scopes, new.expires_at) == (old.name, old.scopes, NOW + 11 * HOUR_US)
    assert (left.expires_at, left.replaced_by) == (NOW + 3 * HOUR_US, new.key_id)
    assert new_secret != old_secret
    ring = KeyRing(database, lambda: NOW)
    assert not ring.find(old_secret).has_expired(NOW + 3 * HOUR_US - 1)
    assert ring.find(old_secret).has_expired(NOW + 3 * HOUR_US)
    assert ring.find(new_secret) == new


def test_rotation_never_makes_the_old_key_live_longer(database):
    old, _ = made(database, expires_at=NOW + HOUR_US)
    with database.writing() as connection:
        rotate_key(connection, old.key_id, now=NOW, overlap_us=9 * HOUR_US)
        assert key_named(connection, old.key_id).expires_at == NOW + HOUR_US


def test_a_key_that_no_longer_works_or_was_rotated_is_not_rotated(database):
    expired, _ = made(database, expires_at=NOW + 1)
    revoked, _ = made(database)
    rotated, _ = made(database)
    with database.writing() as connection:
        revoke_key(connection, revoked.key_id, now=NOW)
        rotate_key(connection, rotated.key_id, now=NOW, overlap_us=HOUR_US)
    for key_id, said in {
        expired.key_id: "expired",
        revoked.key_id: "revoked",
        rotated.key_id: "before",
        "nobody": "no key",
    }.items():
        with database.writing() as connection, pytest.raises(KeysError, match=said):
            rotate_key(connection, key_id, now=NOW + 2, overlap_us=HOUR_US)


def test_any_thread_may_ask_a_ring(database):
    clock = Ticking()
    ring = KeyRing(database, lambda: NOW, refresh_s=0, seconds=clock)
    secrets = [made(database)[1] for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ring.find, secrets * 25))
    assert None not in found


def test_a_store_that_does_not_answer_leaves_the_keys_last_read_in_force(database, monkeypatch):
    clock = Ticking()
    key, secret = made(database)
    ring = KeyRing(database, lambda: NOW, seconds=clock)
    monkeypatch.setattr(database, "reading", lambda: 1 / 0)
    clock.now += 1.0
    with pytest.raises(ZeroDivisionError):
        ring.find(secret)
    assert ring.find(secret) == key


def test_a_bucket_refills_evenly_and_says_when_to_come_back():
    clock = Ticking()
    limiter = Limiter(10, seconds=clock)
    assert [limiter.wait_s("crm") for _ in range(10)] == [0.0] * 10
    assert limiter.wait_s("crm") == pytest.approx(0.1)
    assert limiter.wait_s("another") == 0.0
    clock.now += 0.35
    assert [limiter.wait_s("crm") for _ in range(4)] == [0.0, 0.0, 0.0, pytest.approx(0.05)]
    clock.now += 3600
    assert sum(limiter.wait_s("crm") == 0.0 for _ in range(20)) == 10


def test_a_limiter_of_zero_limits_nothing_and_a_flood_of_callers_is_forgotten():
    clock = Ticking()
    assert not any(Limiter(0, seconds=clock).wait_s("crm") for _ in range(100))
    limiter = Limiter(1, seconds=clock)
    for number in range(20_000):
        limiter.wait_s(str(number))
    assert len(limiter._buckets) == 10_000
    assert limiter.wait_s("19999") > 0


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LEADSCORE_USER", "ada")
    return Home(tmp_path)


def shown(answer):
    console = Console(file=io.StringIO(), width=60)
    answer.show(console)
    return console.file.getvalue()


def test_the_command_line_shows_a_secret_once_and_audits_each_action(home):
    folder = load_playbook(PLAYBOOK)
    first = key_commands.create(Workspace(folder, home), "crm", scopes=["events:write", "scores:read"], expires_days=30)
    assert first.as_json()["secret"] == first.secret
    assert f"\n{first.secret}\n" in shown(first)
    assert shown(key_commands.PlainSecret(first)) == f"{first.secret}\n"
    second = key_commands.rotate(Workspace(folder, home), first.key.key_id, overlap_hours=24)
    assert first.key.key_id in shown(second)
    assert "is revoked" in " ".join(shown(key_commands.revoke(Workspace(folder, home), second.key.key_id)).split())
    told = key_commands.list_keys(Workspace(folder, home))
    assert {key["key_id"]: key["state"] for key in told.as_json()["keys"]} == {
        first.key.key_id: "replaced",
        second.key.key_id: "revoked",
    }
    for secret in (first.secret, second.secret):
        assert secret not in shown(told) + str(told.as_json())
    database = Database(f"sqlite:///{home.tables('demo') / 'leadscore.db'}")
    with database.reading() as connection:
        notes = newest_audit_entries(connection, 10)
    database.close()
    assert [(entry.actor, entry.action, entry.target) for entry in notes] == [
        ("ada", "keys.revoke", second.key.key_id),
        ("ada", "keys.rotate", f"{first.key.key_id} by {second.key.key_id}"),
        ("ada", "keys.create", f"{first.key.key_id} events:write scores:read"),
    ]


def test_the_command_line_makes_a_key_for_some_addresses_and_shows_when_it_was_used(home):
    workspace = Workspace(load_playbook(PLAYBOOK), home)
    key_commands.create(workspace, "crm", scopes=["scores:read"], ranges=["10.0.0.0/8", "::1"])
    told = key_commands.list_keys(workspace)
    assert told.as_json()["keys"][0]["addresses"] == ["10.0.0.0/8", "::1/128"]
    console = Console(file=io.StringIO(), width=200)
    told.show(console)
    assert all(text in console.file.getvalue() for text in ("from 10.0.0.0/8", "never"))
    with pytest.raises(KeysError, match="such as 10"):
        key_commands.create(workspace, "crm", scopes=["scores:read"], ranges=["the office"])


@pytest.mark.parametrize("days", [0, -1, float("nan"), 1e9])
def test_an_invalid_span_creates_no_key(home, days):
    folder = load_playbook(PLAYBOOK)
    with pytest.raises(KeysError):
        key_commands.create(Workspace(folder, home), "crm", scopes=["admin"], expires_days=days)
    assert key_commands.list_keys(Workspace(folder, home)).keys == []
