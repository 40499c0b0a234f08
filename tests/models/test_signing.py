"""A signature binds the facts of a bundle to its trees; a signing key stays with its owner."""

import json
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.bundle import load_bundle, load_files, read_bundle_files
from models.errors import BundleError, SignatureError, SigningKeyError
from models.signing import SIGNATURE, PublicKey, key_file, new_key, own_key, own_public_key, sign_folder, signer_of
from tests.serving.bundles import files_of
from tests.serving.forging import negated, resealed, with_own_golden_rows


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    return own_key(tmp_path_factory.mktemp("keys") / "signing.key", create=True)


def test_a_signed_bundle_loads_and_says_who_signed_it(key, tmp_path):
    for name, content in files_of().items():
        (tmp_path / name).write_bytes(content)
    assert load_bundle(tmp_path).signer is None
    sign_folder(tmp_path, key)
    assert load_bundle(tmp_path).signer == key.public
    assert {SIGNATURE} == read_bundle_files(tmp_path).keys() - files_of().keys()
    assert {name: (tmp_path / name).read_bytes() for name in files_of()} == files_of(), "the bundle itself is unchanged"


@given(st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_file_of_a_signed_bundle_can_be_changed(key, data):
    """Not even where every hash is made to fit again: the signature is of the manifest, which names the hashes."""
    signed = key.sign(files_of())
    name = data.draw(st.sampled_from(sorted(signed)))
    at = data.draw(st.integers(0, len(signed[name]) - 1))
    content = bytearray(signed[name])
    content[at] ^= 1 << data.draw(st.integers(0, 6))
    changed = {**signed, name: bytes(content)}
    with pytest.raises(SignatureError):
        signer_of(changed if name in {SIGNATURE, "manifest.json"} else resealed(changed))


def test_a_signature_of_another_bundle_is_refused(key):
    signature = key.sign(files_of("two", 2))[SIGNATURE]
    with pytest.raises(SignatureError, match="of another bundle"):
        signer_of({**files_of(), SIGNATURE: signature})


def test_whoever_negates_every_leaf_fails_by_golden_rows_and_who_makes_those_fit_by_the_signature(key):
    signed = key.sign(files_of())
    with pytest.raises(BundleError, match="row 0 gives another receipt than at training"):
        load_files(negated())
    forged = with_own_golden_rows(negated())
    assert load_files(forged).facts == load_files(signed).facts, "nothing but a signature tells them apart"
    assert load_files(forged).signer is None
    with pytest.raises(SignatureError, match="the manifest was changed"):
        load_files({**forged, SIGNATURE: signed[SIGNATURE]})


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", "\x00", '{"format": "leadscore-signature-1", "key": "x"}'])
def test_what_is_no_signature_is_refused(content):
    with pytest.raises(SignatureError, match="no signature"):
        signer_of({**files_of(), SIGNATURE: content.encode()})


def test_a_signature_of_another_format_is_refused(key):
    content = json.loads(key.sign(files_of())[SIGNATURE]) | {"format": "leadscore-signature-2"}
    with pytest.raises(SignatureError, match="no signature"):
        signer_of({**files_of(), SIGNATURE: json.dumps(content).encode()})


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    file = tmp_path / "store" / "signing.key"
    assert own_key(file, create=False) is None
    made = own_key(file, create=True)
    assert file.stat().st_mode & 0o777 == 0o600
    assert own_key(file, create=True).public == made.public == own_public_key(file)
    assert new_key(file).public != made.public
    assert file.stat().st_mode & 0o777 == 0o600
    assert own_public_key(file) == own_key(file, create=False).public
    assert sorted(path.name for path in file.parent.iterdir()) == ["signing.key", "signing.pub"], (
        "no draft is left behind"
    )


def test_of_several_processes_that_make_the_first_key_at_once_all_sign_with_the_same(tmp_path):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(own_key(tmp_path / "signing.key", create=True).public))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {own_public_key(tmp_path / "signing.key")}
    assert len(found) == 8


def test_a_key_that_others_can_read_or_that_is_none_is_refused(tmp_path):
    file = tmp_path / "signing.key"
    own_key(file, create=True)
    file.chmod(0o640)
    with pytest.raises(SigningKeyError, match="can be read by others"):
        own_key(file, create=False)
    file.chmod(0o600)
    file.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    with pytest.raises(SigningKeyError, match="no Ed25519 key"):
        own_key(file, create=False)


def test_a_public_half_that_went_missing_is_written_again(tmp_path):
    file = tmp_path / "signing.key"
    made = own_key(file, create=True)
    (tmp_path / "signing.pub").unlink()
    assert own_public_key(file) is None
    own_key(file, create=False)
    assert own_public_key(file) == made.public


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "store").write_text("a file")
    with pytest.raises(SigningKeyError, match=r"cannot be read or written .* LEADSCORE_SIGNING_KEY_FILE\.$"):
        own_key(tmp_path / "store" / "signing.key", create=True)


def test_the_environment_names_another_place(tmp_path, monkeypatch):
    assert key_file(tmp_path) == tmp_path / "signing.key"
    monkeypatch.setenv("LEADSCORE_SIGNING_KEY_FILE", str(tmp_path / "mine.key"))
    assert key_file(tmp_path) == tmp_path / "mine.key"


@given(st.text() | st.binary(min_size=32, max_size=32))
def test_any_text_is_a_key_or_one_error(given_):
    if isinstance(given_, bytes):
        assert PublicKey.of(PublicKey(given_).text).content == given_
        return
    with pytest.raises(SigningKeyError, match="no public key"):
        PublicKey.of(given_)
