"""A training set on disk: Parquet, the catalog and a manifest in one folder, whole or not at all."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from data.atomic_files import new_folder
from data.company_identity import CompanyIdentity, company_from_json
from features.catalog import Catalog
from features.errors import CatalogError
from training.errors import TrainingError

FORMAT = "leadscore-training-8"
"""Raised whenever the same history would make another training set, so that no older one is reused."""

ROWS, CATALOG, MANIFEST = "rows.parquet", "catalog.json", "manifest.json"


class StoredDataset(NamedTuple):
    """A training set as it lies on disk; its point rules come from the playbook."""

    rows: pd.DataFrame
    catalog: Catalog
    manifest: dict[str, Any]


class RowsHash:
    """The hash of rows, column by column in their order, in however many parts they come."""

    def __init__(self) -> None:
        self.rows = 0
        self._columns: dict[str, Any] = {}

    def add(self, part: pd.DataFrame) -> None:
        """Take in the rows that follow."""
        self.rows += len(part)
        for name in part.columns:
            self._columns.setdefault(name, hashlib.sha256()).update(_hashable(part[name]))

    def as_json(self) -> dict[str, Any]:
        """Return how many rows there are, and their hash."""
        digest = hashlib.sha256()
        for name, column in self._columns.items():
            digest.update(name.encode() + column.digest())
        return {"rows": self.rows, "rows_sha256": digest.hexdigest()}


def _hashable(column: "pd.Series[Any]") -> NDArray[Any]:
    """Return what stands for the values of a column: numbers themselves, of all else a hash of each."""
    if column.dtype.kind in "fi":
        return np.ascontiguousarray(column.to_numpy())
    return pd.util.hash_pandas_object(column, index=False).to_numpy()


def save_dataset(
    place: Path, parts: Iterable[pd.DataFrame], *, catalog: Catalog, manifest: Mapping[str, Any]
) -> dict[str, Any]:
    """
    Write a training set beside its place, a part of its rows at a time, and move it there when it is whole.

    Args:
        place: its folder.
        parts: its rows, at least one part; each becomes a row group.
        catalog: the features of the model.
        manifest: of everything but the rows.

    Returns:
        The whole manifest, with the number of rows and their hash.

    Raises:
        TrainingError: it cannot be written there.
    """
    try:
        return _save(place, parts, catalog=catalog, manifest=manifest)
    except OSError as error:
        message = (
            f"The training set cannot be written to {place} ({error.strerror or error}): make room there and allow "
            "writing, or name another folder in LEADSCORE_HOME."
        )
        raise TrainingError(message) from None


def _save(
    place: Path, parts: Iterable[pd.DataFrame], *, catalog: Catalog, manifest: Mapping[str, Any]
) -> dict[str, Any]:
    with new_folder(place, overwrite=True, only=(ROWS, CATALOG, MANIFEST)) as draft:
        digest = _write_rows(draft / ROWS, parts)
        (draft / CATALOG).write_text(catalog.to_json(), encoding="utf-8")
        sizes = {name: (draft / name).stat().st_size for name in (ROWS, CATALOG)}
        full = {**manifest, **digest.as_json(), "bytes": sizes}
        (draft / MANIFEST).write_text(json.dumps(full, indent=1, sort_keys=True), encoding="utf-8")
        return full


def _write_rows(path: Path, parts: Iterable[pd.DataFrame]) -> RowsHash:
    """Write rows part by part; a column of texts is one in every part, even in one in which all are missing."""
    following = iter(parts)
    first, digest = next(following), RowsHash()
    schema = _schema(first)
    texts = [field.name for field in schema if pa.types.is_large_string(field.type)]
    with pq.ParquetWriter(path, schema, use_dictionary=texts) as writer:  # of numbers they cost more than they save
        for part in chain([first], following):
            digest.add(part)
            writer.write_table(pa.Table.from_pandas(part, schema=schema, preserve_index=False))
    return digest


def _schema(part: pd.DataFrame) -> pa.Schema:
    """Return the columns of rows: numbers stay what they are, and all else is text."""
    found = pa.Schema.from_pandas(part.head(0), preserve_index=False)
    numbers = {name for name in part.columns if pd.api.types.is_numeric_dtype(part[name])}
    kinds = [pa.field(field.name, field.type if field.name in numbers else pa.large_string()) for field in found]
    return pa.schema(kinds, found.metadata)


def is_made_for(manifest: Mapping[str, Any], company: CompanyIdentity) -> bool:
    """Return whether a training set was made for a company; one of a release that named none is taken for its own."""
    try:
        recorded = company_from_json(manifest.get("company"))
    except ValueError:
        return False
    return recorded is None or company.is_same_as(recorded)


def read_manifest(place: Path) -> dict[str, Any] | None:
    """Read the manifest of the training set in a folder; None where there is no whole one of this format."""
    try:
        manifest: dict[str, Any] = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        sizes = {name: (place / name).stat().st_size for name in (ROWS, CATALOG)}
        whole = manifest["format"] == FORMAT and manifest["bytes"] == sizes
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return manifest if whole else None


def load_dataset(place: Path) -> StoredDataset | None:
    """Load the training set in a folder; None where there is none, or not a whole one of this format."""
    manifest = read_manifest(place)
    if manifest is None:
        return None
    try:
        catalog = Catalog.from_json((place / CATALOG).read_text(encoding="utf-8"))
        return StoredDataset(pd.read_parquet(place / ROWS), catalog, manifest)
    except (OSError, ValueError, CatalogError):
        return None
