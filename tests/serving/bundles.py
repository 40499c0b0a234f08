"""Bundles for tests of the service: the small model, saved as often as a test needs another one."""

from functools import cache

from models.bundle import read_bundle_files, save_bundle
from models.packed_bundle import pack
from tests.models.small import fitted, golden


@cache
def _saved(name, seed):
    import tempfile
    from pathlib import Path

    model, booster = fitted(seed)
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / name
        text = booster.model_to_string()
        saved = save_bundle(model, folder, lightgbm_text=text, golden=golden(), facts={"of": name})
        return saved, read_bundle_files(folder)


def files_of(name="one", seed=1):
    """Give a bundle's files; another seed makes another model, another name only another bundle."""
    return dict(_saved(name, seed)[1])


def fingerprint_of(name="one", seed=1):
    return _saved(name, seed)[0].fingerprint


def blob_of(name="one", seed=1, version=None):
    """Give a bundle as it goes over HTTP."""
    return pack(files_of(name, seed), version=version)


def put(store, blob, **query):
    """Deploy a bundle."""
    return store.client.put("/v1/model", content=blob, params=query)
