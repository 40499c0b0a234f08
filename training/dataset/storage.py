"""A training set on disk: Parquet, the catalog and a manifest in one folder, whole or not at all."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from data.atomic_files import new_folder
from data.company_identity import CompanyIdentity, company_from_json
from features.catalog import Catalog
from features.errors import CatalogError
from training.errors import TrainingError

FORMAT = "leadscore-training-5"
"""Raised whenever the same history would make another training set, so that no older one is reused."""

ROWS, CATALOG, MANIFEST = "rows.parquet", "catalog.json", "manifest.json"


class StoredDataset(NamedTuple):
    """A training set as it lies on disk; its point rules come from the playbook."""

    rows: pd.DataFrame
    catalog: Catalog
    manifest: dict[str, Any]

    def is_of(self, company: CompanyIdentity) -> bool:
        """Return whether it was made for a company; one of a release that named none is taken for its own."""
        try:
            recorded = company_from_json(self.manifest.get("company"))
        except ValueError:
            return False
        return recorded is None or company.is_same_as(recorded)


def save_dataset(place: Path, rows: pd.DataFrame, *, catalog: Catalog, manifest: Mapping[str, Any]) -> None:
    """
    Write a training set beside its place and move it there when it is whole.

    Raises:
        TrainingError: it cannot be written there.
    """
    try:
        _save(place, rows, catalog=catalog, manifest=manifest)
    except OSError as error:
        message = (
            f"The training set cannot be written to {place} ({error.strerror or error}): make room there and allow "
            "writing, or name another folder in LEADSCORE_HOME."
        )
        raise TrainingError(message) from None


def _save(place: Path, rows: pd.DataFrame, *, catalog: Catalog, manifest: Mapping[str, Any]) -> None:
    with new_folder(place, overwrite=True, only=(ROWS, CATALOG, MANIFEST)) as draft:
        rows.to_parquet(draft / ROWS, index=False)
        (draft / CATALOG).write_text(catalog.to_json(), encoding="utf-8")
        full = {**manifest, "bytes": {name: (draft / name).stat().st_size for name in (ROWS, CATALOG)}}
        (draft / MANIFEST).write_text(json.dumps(full, indent=1, sort_keys=True), encoding="utf-8")


def load_dataset(place: Path) -> StoredDataset | None:
    """Load the training set in a folder; None where there is none, or not a whole one of this format."""
    try:
        manifest: dict[str, Any] = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        sizes = {name: (place / name).stat().st_size for name in (ROWS, CATALOG)}
        if manifest["format"] != FORMAT or manifest["bytes"] != sizes:
            return None
        catalog = Catalog.from_json((place / CATALOG).read_text(encoding="utf-8"))
        return StoredDataset(pd.read_parquet(place / ROWS), catalog, manifest)
    except (OSError, ValueError, KeyError, CatalogError):
        return None
