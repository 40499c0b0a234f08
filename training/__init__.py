"""How a model is trained, evaluated, registered and promoted."""

import os
from itertools import chain
from typing import TYPE_CHECKING

from data.lazy_names import lazy_names

if TYPE_CHECKING:
    from training.command_results import BuildResult as BuildResult
    from training.command_results import CompareResult as CompareResult
    from training.command_results import TrainResult as TrainResult
    from training.commands import build as build
    from training.commands import compare as compare
    from training.commands import history as history
    from training.commands import promote as promote
    from training.commands import report as report
    from training.commands import rollback as rollback
    from training.commands import scorecard as scorecard
    from training.commands import train as train
    from training.errors import FewLeadsError as FewLeadsError
    from training.errors import HistoryError as HistoryError
    from training.errors import LeakError as LeakError
    from training.errors import PromotionRefusedError as PromotionRefusedError
    from training.errors import RegistryError as RegistryError
    from training.errors import TrainingError as TrainingError
    from training.registry.promotion_results import HistoryResult as HistoryResult
    from training.registry.promotion_results import PromotionResult as PromotionResult
    from training.registry.promotion_results import RollbackResult as RollbackResult

# MLflow reads these when it is imported: it sends nothing anywhere, and a machine without git is no reason to speak up.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

# OpenMP reads this when LightGBM is imported: threads that wait sleep instead of taking the cores of those that work.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

_HOMES = {
    "command_results": ("BuildResult", "CompareResult", "TrainResult"),
    "commands": ("build", "compare", "history", "promote", "report", "rollback", "scorecard", "train"),
    "errors": ("FewLeadsError", "HistoryError", "LeakError", "PromotionRefusedError", "RegistryError", "TrainingError"),
    "registry.promotion_results": ("HistoryResult", "PromotionResult", "RollbackResult"),
}

__all__ = list(chain.from_iterable(_HOMES.values()))
__getattr__ = lazy_names(__name__, _HOMES)
