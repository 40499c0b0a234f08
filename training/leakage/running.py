"""Which gate runs when: what needs no model before one is fitted, the rest after it."""

from collections.abc import Mapping
from typing import Any

from data.playbook import Playbook
from data.progress import Progress, silent
from data.warehouse import Warehouse
from models.conversion import Encoding
from training.boosting import Floats
from training.dataset import SEED, Dataset
from training.evaluation import Judged
from training.leakage.denied import never_use
from training.leakage.dominance import dominance
from training.leakage.future_shift import future_shift
from training.leakage.gate import Gate
from training.leakage.lift import suspicious_lift
from training.leakage.permutation import permuted_labels

_LOOKING, _JUDGING = "looking for leaks in the features", "looking for leaks in the model"


def before_fitting(
    dataset: Dataset, warehouse: Warehouse, playbook: Playbook, *, seed: int = SEED, progress: Progress = silent
) -> tuple[Gate, ...]:
    """
    Run the gates that need no model: never use, future shift, dominance.

    Args:
        dataset: the training set.
        warehouse: the history it was built from.
        playbook: what is forbidden, and words.
        seed: of every draw.
        progress: hears how many gates are done.
    """
    progress(_LOOKING, 0, 3)
    denied = never_use(dataset, playbook)
    progress(_LOOKING, 1, 3)
    shifted = future_shift(dataset, warehouse, playbook, seed=seed)
    progress(_LOOKING, 2, 3)
    dominant = dominance(dataset, playbook, seed=seed)
    progress(_LOOKING, 3, 3)
    return denied, shifted, dominant


def after_fitting(
    dataset: Dataset,
    *,
    probability: Floats,
    judged: Judged,
    encoding: Encoding,
    parameters: Mapping[str, Any],
    seed: int = SEED,
    progress: Progress = silent,
) -> tuple[Gate, ...]:
    """
    Run the gates that need a model: permuted labels, suspicious lift.

    Args:
        dataset: the training set.
        probability: (n,) what the model says of the test rows.
        judged: the n test rows.
        encoding: the model's features.
        parameters: of its fitting.
        seed: of every draw.
        progress: hears how many gates are done.
    """
    progress(_JUDGING, 0, 2)
    permuted = permuted_labels(dataset, encoding=encoding, parameters=parameters, seed=seed)
    progress(_JUDGING, 1, 2)
    lift = suspicious_lift(
        dataset, probability=probability, judged=judged, encoding=encoding, parameters=parameters, seed=seed
    )
    progress(_JUDGING, 2, 2)
    return permuted, lift
