"""Material: the history, and the training set that was made of it."""

from dataclasses import dataclass
from pathlib import Path

from data.progress import Progress
from data.warehouse import Warehouse, import_history
from data.workspace import Workspace
from training.dataset.dataset import Dataset, build


@dataclass(frozen=True, eq=False)
class TrainingInputs:
    """What every verb starts from: the history, its training set, and where that is kept."""

    warehouse: Warehouse
    dataset: Dataset
    place: Path


def gather(workspace: Workspace, *, progress: Progress, seed: int) -> TrainingInputs:
    """
    Import a playbook's history and build its training set, or find both as they were made before.

    Raises:
        DataError: the history cannot be read.
        TrainingError: the history is too short, or the goal is never seen in it.
    """
    warehouse = import_history(workspace, progress=progress)
    dataset, place = build(warehouse, workspace, progress=progress, seed=seed)
    return TrainingInputs(warehouse, dataset, place)
