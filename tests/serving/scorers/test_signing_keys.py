"""Which bundles come in: those that a trusted key signed, and others where settings accept them, marked."""

import pytest
from sqlalchemy import update

from data.home import Home
from data.words.playbook import load_playbook
from data.workspace import Workspace
from models.errors import SigningKeyError
from models.packed_bundle import pack
from models.signing import SIGNATURE, new_key, own_key, own_public_key, sign_folder
from serving.bundle_errors import UntrustedBundleError
from serving.errors import KeysError, SettingsError
from serving.settings import settings_for
from serving.store.tables import scorers
from serving.verbs.deploy import deploy
from serving.verbs.manage_signing_keys import manage_signing_keys
from tests.serving.bundles import blob_of, files_of, fingerprint_of, put
from tests.serving.conftest import PLAYBOOK, opened, promote, settings_in
from tests.serving.forging import negated, with_own_golden_rows

UNSIGNED, UNTRUSTED = "/docs/errors#bundle-unsigned", "/docs/errors#bundle-untrusted"


@pytest.fixture
def key(tmp_path):
    """The key of another machine."""
    return own_key(tmp_path / "elsewhere" / "signing.key", create=True)


@pytest.fixture
def strict(settings, key):
    """A service that trusts that key and takes nothing else."""
    found = opened(settings.model_copy(update={"unsigned_bundles": "refuse", "signing_keys": (key.public,)}))
    with found.client:
        yield found


def signature(store):
    return store.client.get("/v1/model").json()["signature"]


def again(store, **changed):
    """Open the same store with other settings, as a restart does."""
    return opened(store.settings.model_copy(update=changed))


def test_only_a_bundle_that_a_trusted_key_signed_comes_in(strict, key, tmp_path):
    stranger = own_key(tmp_path / "stranger" / "signing.key", create=True)
    refused = put(strict, blob_of())
    assert (refused.status_code, refused.json()["type"]) == (422, UNSIGNED)
    refused = put(strict, pack(stranger.sign(files_of())))
    assert (refused.status_code, refused.json()["type"]) == (422, UNTRUSTED)
    assert f"keys signing --trust {stranger.public.text}" in refused.json()["detail"]
    assert strict.rows("scorers") == [row for row in strict.rows("scorers") if row[1] == "rules"], "nothing was kept"
    assert put(strict, pack(key.sign(files_of()))).status_code == 200
    assert signature(strict) == {"state": "signed", "key_id": key.public.id}


def test_a_sender_who_negates_every_leaf_and_makes_golden_rows_and_hashes_fit_is_refused(strict, key):
    """With the gates and the test figures of the original, which this bundle once passed with."""
    signed = key.sign(files_of())
    forged = with_own_golden_rows(negated())
    for files, kind in (
        (forged, UNSIGNED),
        ({**forged, SIGNATURE: signed[SIGNATURE]}, "/docs/errors#bundle-refused"),
        (key.sign(negated()), "/docs/errors#bundle-refused"),
    ):
        answer = put(strict, pack(files))
        assert (answer.status_code, answer.json()["type"]) == (422, kind)
    assert strict.client.get("/v1/model").json()["champion"] is None


def test_where_settings_accept_unsigned_bundles_they_are_marked(store, key):
    assert signature(store) is None, "point rules have none"
    assert put(store, blob_of()).json()["signature"] == {"state": "unsigned", "key_id": None}
    answer = put(store, pack(key.sign(files_of())))
    assert answer.json()["signature"] == {"state": "untrusted", "key_id": key.public.id}, "the same bundle, signed"
    shadow = put(store, blob_of("two", 2), role="shadow").json()["shadow"]
    assert shadow["signature"] == {"state": "unsigned", "key_id": None}


def test_a_key_that_settings_name_no_longer_is_refused_and_what_it_signed_serves_on_marked(strict, key):
    put(strict, pack(key.sign(files_of())))
    restarted = again(strict, signing_keys=())
    with restarted.client:
        assert signature(restarted) == {"state": "untrusted", "key_id": key.public.id}
        assert restarted.client.get("/v1/model").json()["degraded"] is False
        refused = put(restarted, pack(key.sign(files_of("two", 2))))
        assert (refused.status_code, refused.json()["type"]) == (422, UNTRUSTED)


def test_several_keys_are_trusted_at_once_so_that_one_can_replace_another(strict, key, tmp_path):
    other = own_key(tmp_path / "other" / "signing.key", create=True)
    both = again(strict, signing_keys=(key.public, other.public))
    with both.client:
        for signer, name in ((key, "one"), (other, "two")):
            assert put(both, pack(signer.sign(files_of(name)))).status_code == 200
            assert signature(both) == {"state": "signed", "key_id": signer.public.id}


def test_a_stored_bundle_whose_signature_does_not_fit_is_not_loaded(strict, key):
    """Whoever can write into the store, but does not hold the key."""
    put(strict, pack(key.sign(files_of())))
    forged = {**files_of(), SIGNATURE: key.sign(files_of("two", 2))[SIGNATURE]}
    with strict.service.database.writing() as connection:
        named = scorers.c.fingerprint == fingerprint_of()
        connection.execute(update(scorers).where(named).values(content=pack(forged)))
    restarted = again(strict)
    with restarted.client:
        answer = restarted.client.get("/v1/model").json()
        assert (answer["degraded"], answer["scorer"]["kind"]) == (True, "rules")
        assert "signature.json is of another bundle" in answer["problem"]


def test_what_is_promoted_on_the_services_own_machine_needs_no_registration(tmp_path):
    """The first promotion makes the key; the service finds its public half beside the models."""
    settings = settings_in(tmp_path, unsigned_bundles="refuse")
    store = opened(settings)
    with store.client:
        key = own_key(tmp_path / "signing.key", create=True)
        folder = promote(settings.models)
        store.service.active_scorer.refresh()
        answer = store.client.get("/v1/model").json()
        assert "The bundle is unsigned" in answer["problem"]
        sign_folder(folder, key)
        store.service.active_scorer._retry_at = 0.0
        store.service.active_scorer.refresh()
        assert signature(store) == {"state": "signed", "key_id": key.public.id}
        assert ("service", "signing_keys.trust", key.public.id) in {row[2:] for row in store.rows("audit_log")}


def test_a_folder_promoted_by_a_key_of_another_machine_is_not_followed(tmp_path, key):
    settings = settings_in(tmp_path, unsigned_bundles="refuse")
    sign_folder(promote(settings.models), key)
    store = opened(settings)
    with store.client:
        assert f"--trust {key.public.text}" in store.client.get("/v1/model").json()["problem"]


def test_a_champion_that_was_there_before_signatures_serves_on_marked(tmp_path):
    accepting = opened(settings_in(tmp_path))
    with accepting.client:
        put(accepting, blob_of())
    upgraded = again(accepting, unsigned_bundles="refuse")
    with upgraded.client:
        assert signature(upgraded) == {"state": "unsigned", "key_id": None}
        assert upgraded.client.get("/v1/model").json()["degraded"] is False


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A workspace of its own in which a model was promoted without a signature, as by an earlier release."""
    monkeypatch.setenv("LEADSCORE_USER", "ann")
    found = Workspace(load_playbook(PLAYBOOK), Home(tmp_path / "home"))
    promote(found.home.models("demo"), "run", version="4")
    return found


def served(workspace):
    store = opened(settings_for(workspace))
    with store.client:
        return signature(store)


def test_deploy_signs_and_registers_the_key_in_the_store_beside_it(workspace):
    deploy(workspace)
    own = own_public_key(workspace.home.registry / "signing.key")
    assert served(workspace) == {"state": "signed", "key_id": own.id}
    assert not (workspace.home.models("demo") / "bundles" / "run" / SIGNATURE).exists(), "the folder stays as it is"
    found = manage_signing_keys(workspace)
    assert [(each.key, each.added_by, each.revoked_at) for each in found.stored] == [(own, "ann", None)]


def test_a_machine_without_a_key_hands_on_the_signature_that_a_bundle_came_with(workspace, key):
    sign_folder(workspace.home.models("demo") / "bundles" / "run", key)
    manage_signing_keys(workspace, trust=key.public.text)
    deploy(workspace)
    assert served(workspace) == {"state": "signed", "key_id": key.public.id}
    assert not (workspace.home.registry / "signing.key").exists()


def test_a_revoked_key_is_refused_until_another_one_signs(workspace):
    deploy(workspace)
    own = own_public_key(workspace.home.registry / "signing.key")
    revoked = manage_signing_keys(workspace, revoke=own.id)
    assert revoked.as_json()["store"][0]["revoked_at"] is not None
    assert served(workspace) == {"state": "revoked", "key_id": own.id}, "and it serves on"
    with pytest.raises(UntrustedBundleError, match="which was revoked here"):
        deploy(workspace)
    with pytest.raises(KeysError, match="was revoked: make another one"):
        manage_signing_keys(workspace)
    renewed = manage_signing_keys(workspace, new=True)
    assert renewed.own != own
    deploy(workspace)
    assert served(workspace) == {"state": "signed", "key_id": renewed.own.id}


def test_a_revoked_key_is_refused_even_where_unsigned_bundles_are_accepted_and_settings_name_it(
    workspace, key, monkeypatch
):
    monkeypatch.setenv("LEADSCORE_SIGNING_KEYS", key.public.text)
    monkeypatch.setenv("LEADSCORE_UNSIGNED_BUNDLES", "accept")
    manage_signing_keys(workspace, revoke=key.public.id)
    store = opened(settings_for(workspace))
    with store.client:
        refused = put(store, pack(key.sign(files_of())))
        assert (refused.status_code, refused.json()["type"]) == (422, UNTRUSTED)
        assert put(store, blob_of()).status_code == 200


def test_keys_that_make_no_sense_are_refused(workspace, monkeypatch):
    with pytest.raises(KeysError, match="exclude each other"):
        manage_signing_keys(workspace, new=True, revoke="x")
    with pytest.raises(KeysError, match="no signing key of this id"):
        manage_signing_keys(workspace, revoke="x")
    with pytest.raises(SigningKeyError, match="no public key"):
        manage_signing_keys(workspace, trust="x")
    monkeypatch.setenv("LEADSCORE_SIGNING_KEYS", "x")
    with pytest.raises(SettingsError, match=r"LEADSCORE_SIGNING_KEYS: .*no public key"):
        settings_for(workspace)


def test_a_new_key_leaves_the_one_before_trusted(workspace):
    first = manage_signing_keys(workspace).own
    second = manage_signing_keys(workspace, new=True).own
    assert [each.key for each in manage_signing_keys(workspace).stored] == [first, second]
    assert new_key(workspace.home.registry / "signing.key").public not in {first, second}


def test_a_signed_bundle_of_an_older_version_may_come_back(strict, key):
    """A signature vouches for a bundle, not for its being the newest: deploying the one before is how to go back."""
    for name in ("one", "two", "one"):
        assert put(strict, pack(key.sign(files_of(name)))).status_code == 200
    assert strict.client.get("/v1/model").json()["scorer"]["fingerprint"] == fingerprint_of("one")
