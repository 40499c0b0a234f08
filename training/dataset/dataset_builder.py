"""Assembly: a training set built from history once, kept on disk, and reused while nothing has changed."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from data.importing.warehouse import Warehouse, import_history
from data.progress import Progress, silent
from data.table_caches import TRAINING_SETS
from data.words.playbook import Business, Playbook
from data.workspace import Workspace
from models.scorecard import Scorecard, compile_scorecard
from training.dataset.dataset import SEED, Dataset
from training.dataset.dataset_draft import draft_dataset
from training.dataset.storage import FORMAT, RowsHash, is_made_for, load_dataset, read_manifest, save_dataset
from training.errors import TrainingError


@dataclass(frozen=True, eq=False)
class TrainingInputs:
    """What every verb starts from: the history, its training set, and the folder that holds the training set."""

    warehouse: Warehouse
    dataset: Dataset
    place: Path


@dataclass(frozen=True, slots=True)
class KeptDataset:
    """A training set that is kept on disk: the folder that holds it, and its manifest."""

    place: Path
    manifest: dict[str, Any]


def load_training_inputs(workspace: Workspace, *, progress: Progress, seed: int) -> TrainingInputs:
    """
    Import a playbook's history and build its training set, or reuse both where nothing has changed.

    Raises:
        DataError: the history cannot be read.
        TrainingError: the history is too short, or the goal is never seen in it.
    """
    warehouse = import_history(workspace, progress=progress)
    dataset, place = build_dataset(warehouse, workspace, progress=progress, seed=seed)
    return TrainingInputs(warehouse, dataset, place)


def build_dataset(
    warehouse: Warehouse, workspace: Workspace, *, progress: Progress = silent, seed: int = SEED
) -> tuple[Dataset, Path]:
    """
    Build the training set, or reuse it where neither history nor playbook has changed, and load it.

    Args:
        warehouse: the history.
        workspace: the playbook, and where tables and models are kept.
        progress: called with the step and how much of it is done.
        seed: of every random draw.

    Returns:
        The training set, and the folder that holds it.

    Raises:
        TrainingError: the history is too short, or the goal is never seen in it.
    """
    business = workspace.playbook.business
    scorecard = compile_scorecard(workspace.playbook.scorecard, business)
    place = keep_dataset(warehouse, workspace, progress=progress, seed=seed).place
    stored = load_dataset(place)
    if stored is None:
        message = f"The training set in {place} was changed while it was read: run the command again."
        raise TrainingError(message)
    return Dataset(stored.rows, stored.catalog, scorecard, stored.manifest), place


def keep_dataset(
    warehouse: Warehouse, workspace: Workspace, *, progress: Progress = silent, seed: int = SEED
) -> KeptDataset:
    """
    Build the training set on disk without holding it in memory, or find it where nothing has changed.

    Args:
        warehouse: the history.
        workspace: the playbook, and where tables and models are kept.
        progress: called with the step and how much of it is done.
        seed: of every random draw.

    Raises:
        TrainingError: the history is too short, or the goal is never seen in it.
    """
    playbook = workspace.playbook
    key = _key(warehouse, playbook, seed)
    place = workspace.home.tables(playbook.business.name) / TRAINING_SETS / key[:16]
    kept = read_manifest(place)
    if kept is not None and is_made_for(kept, playbook.company):
        return KeptDataset(place, kept)
    scorecard = compile_scorecard(playbook.scorecard, playbook.business)
    draft = draft_dataset(warehouse, playbook.business, scorecard=scorecard, progress=progress, seed=seed)
    made_of = {"key": key, "company": playbook.company.as_json()}
    parts = draft.parts(warehouse, progress=progress)
    manifest = save_dataset(place, parts, catalog=draft.catalog, manifest={**draft.manifest, **made_of})
    return KeptDataset(place, manifest)


def assemble(
    warehouse: Warehouse, business: Business, *, scorecard: Scorecard, progress: Progress = silent, seed: int = SEED
) -> Dataset:
    """Build the training set in memory."""
    draft = draft_dataset(warehouse, business, scorecard=scorecard, progress=progress, seed=seed)
    rows = pd.concat(draft.parts(warehouse, progress=progress), ignore_index=True)
    digest = RowsHash()
    digest.add(rows)
    return Dataset(rows, draft.catalog, scorecard, {**draft.manifest, **digest.as_json()})


def _key(warehouse: Warehouse, playbook: Playbook, seed: int) -> str:
    """Hash all that decides what the training set holds."""
    business = playbook.business.model_dump(
        mode="json", exclude={"sources", "folder", "capacity_per_day", "company", "formerly"}
    )
    rules = playbook.scorecard.model_dump(mode="json", by_alias=True)
    content = json.dumps([FORMAT, warehouse.fingerprint, business, rules, seed], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
