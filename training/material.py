"""Material: the history, and the training set that was made of it."""

from dataclasses import dataclass
from pathlib import Path

from data.home import Home
from data.playbook import PlaybookFolder
from data.progress import Progress
from data.warehouse import Warehouse, import_history
from training.dataset import Dataset, build


@dataclass(frozen=True, eq=False)
class Material:
    """What every verb starts from: the history, its training set, and where that is kept."""

    warehouse: Warehouse
    dataset: Dataset
    place: Path


def gather(folder: PlaybookFolder, home: Home, *, progress: Progress, seed: int) -> Material:
    """
    Import a playbook's history and build its training set, or find both as they were made before.

    Raises:
        DataError: the history cannot be read.
        TrainingError: the history is too short, or the goal is never seen in it.
    """
    warehouse = import_history(folder, home, progress=progress)
    dataset, place = build(warehouse, folder, home, progress=progress, seed=seed)
    return Material(warehouse, dataset, place)
