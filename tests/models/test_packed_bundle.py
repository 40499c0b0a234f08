"""A bundle goes through one blob and comes back byte for byte; nothing else comes out of any blob."""

import json
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bundle import StaleBundleError, load_bundle, load_files, read_bundle_files, save_bundle
from models.errors import BundleError, LimitError, ModelError
from models.packed_bundle import LARGEST_BYTES, PackedBundle, pack, unpack
from tests.models.small import fitted, golden, rows, values_of


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    model, booster = fitted()
    folder = tmp_path_factory.mktemp("models") / "one"
    save_bundle(model, folder, lightgbm_text=booster.model_to_string(), golden=golden(), facts={})
    return folder


def test_a_bundle_comes_back_byte_for_byte_and_scores_the_same(bundle):
    files = read_bundle_files(bundle)
    packed = unpack(pack(files, version="3"))
    assert (packed.files, packed.version) == (files, "3")
    loaded, values = load_files(packed.files, version=packed.version), values_of(rows(2, seed=3), 1)
    assert loaded.receipt("a", 1, values).points == load_bundle(bundle).receipt("a", 1, values).points


def test_the_same_files_give_the_same_bytes(bundle):
    files = read_bundle_files(bundle)
    assert pack(files) == pack(dict(reversed(files.items())))


@given(st.dictionaries(st.text(), st.text().map(str.encode)), st.none() | st.just("7"))
def test_any_texts_come_back(files, version):
    assert unpack(pack(files, version=version)) == PackedBundle(files, version)


def test_the_bundles_fingerprint_goes_with_it_and_vouches_for_the_manifest(bundle):
    files = read_bundle_files(bundle)
    packed = unpack(pack(files))
    assert load_files(packed.files, fingerprint=packed.fingerprint).fingerprint == packed.fingerprint
    renamed = {**files, "manifest.json": files["manifest.json"].replace(b"leadscore-test", b"leadscord-test")}
    with pytest.raises(StaleBundleError, match="manifest"):
        load_files(renamed, fingerprint=packed.fingerprint)


def test_what_is_no_text_is_not_packed():
    with pytest.raises(BundleError, match="UTF-8"):
        pack({"a": b"\xff"})


@given(st.binary(max_size=300))
def test_no_bytes_whatever_do_harm(blob):
    for given_ in (blob, zlib.compress(blob), b"{" + blob):
        try:
            packed = unpack(given_)
        except ModelError:
            continue
        assert json.loads(given_ if given_[:1] == b"{" else zlib.decompress(given_)).keys() <= {
            "files",
            "version",
            "fingerprint",
        }
        assert isinstance(packed, PackedBundle)


def test_a_blob_that_would_swell_is_refused_before_it_does():
    squeezing = zlib.compressobj(9)
    blob = b"".join(squeezing.compress(b" " * 2**20) for _ in range(160)) + squeezing.flush()
    assert len(blob) < 2**20
    tracemalloc.start()
    with pytest.raises(LimitError, match=r"^bytes of the packed bundle: found .*, expected at most 25,165,824;"):
        unpack(blob)
    assert tracemalloc.get_traced_memory()[1] < 3 * LARGEST_BYTES
    tracemalloc.stop()


def test_a_bundle_that_lies_elsewhere_is_named_as_it_is_told(bundle):
    files = read_bundle_files(bundle)
    with pytest.raises(BundleError, match=r"^the parcel has no trees\.json"):
        load_files({name: content for name, content in files.items() if name != "trees.json"}, where="the parcel")
    with pytest.raises(BundleError, match=r"^the parcel/golden\.json has sha256"):
        load_files({**files, "golden.json": b"[]"}, where="the parcel")
    with pytest.raises(BundleError, match=r"^bundles/two/manifest\.json cannot be read"):
        read_bundle_files(bundle.with_name("two"), where="bundles/two")
