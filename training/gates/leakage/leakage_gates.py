"""The order of the gates: those that need no model run before one is fitted, the others after it."""

from collections.abc import Callable, Mapping
from typing import Any

from data.importing.warehouse import Warehouse
from data.progress import Progress, silent
from data.words.playbook import Business
from models.conversion import Encoding
from training.dataset.dataset import SEED, Dataset
from training.fitting.boosting import Floats
from training.gates.gate import GateResult
from training.gates.leakage.aged_leads import AgedLeads
from training.gates.leakage.changes_at_goal import changes_at_goal
from training.gates.leakage.denied_fields import never_use
from training.gates.leakage.dominance import dominance
from training.gates.leakage.future_shift import future_shift
from training.gates.leakage.hindsight import hindsight
from training.gates.leakage.later_totals import later_totals
from training.gates.leakage.permuted_labels import permuted_labels
from training.gates.leakage.suspicious_lift import suspicious_lift
from training.gates.leakage.todays_values import todays_values
from training.statistics.scoring_metrics import EvaluationRows

_LOOKING, _JUDGING = "looking for leaks in the features", "looking for leaks in the model"


def before_fitting(
    dataset: Dataset, warehouse: Warehouse, business: Business, *, seed: int = SEED, progress: Progress = silent
) -> tuple[GateResult, ...]:
    """
    Run the gates that need no model: of names, of features, and of when values were written.

    Args:
        dataset: the training set.
        warehouse: the history it was built from.
        business: what is forbidden, and the playbook's words.
        seed: of every draw.
        progress: called with the number of gates that are done.
    """
    gates: tuple[Callable[[], GateResult], ...] = (
        lambda: never_use(dataset, business),
        lambda: future_shift(dataset, warehouse, business, seed=seed),
        lambda: dominance(dataset, business, seed=seed),
        lambda: changes_at_goal(warehouse, business),
    )
    of_leads = (todays_values, later_totals, hindsight)
    steps = len(gates) + len(of_leads)
    found = []
    for done, gate in enumerate(gates):
        progress(_LOOKING, done, steps)
        found.append(gate())
    leads = AgedLeads.of(warehouse, business, seed=seed)
    for done, judge in enumerate(of_leads, len(gates)):
        progress(_LOOKING, done, steps)
        found.append(judge(leads))
    progress(_LOOKING, steps, steps)
    return tuple(found)


def after_fitting(
    dataset: Dataset,
    *,
    probability: Floats,
    judged: EvaluationRows,
    encoding: Encoding,
    parameters: Mapping[str, Any],
    seed: int = SEED,
    progress: Progress = silent,
) -> tuple[GateResult, ...]:
    """
    Run the gates that need a model: permuted labels, suspicious lift.

    Args:
        dataset: the training set.
        probability: (n,) the model's, of the test rows.
        judged: the n test rows.
        encoding: the model's features.
        parameters: of its fitting.
        seed: of every draw.
        progress: called with the number of gates that are done.
    """
    progress(_JUDGING, 0, 2)
    permuted = permuted_labels(dataset, encoding=encoding, parameters=parameters, seed=seed)
    progress(_JUDGING, 1, 2)
    lift = suspicious_lift(
        dataset, probability=probability, judged=judged, encoding=encoding, parameters=parameters, seed=seed
    )
    progress(_JUDGING, 2, 2)
    return permuted, lift
