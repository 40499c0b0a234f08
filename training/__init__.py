"""How a model is trained, evaluated, registered and promoted."""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.command_results import BuildResult, CompareResult, TrainResult
    from training.commands import build, compare, history, promote, report, rollback, scorecard, train
    from training.errors import (
        FewLeadsError,
        HistoryError,
        LeakError,
        PromotionRefusedError,
        RegistryError,
        TrainingError,
    )
    from training.registry.promotion_results import HistoryResult, PromotionResult, RollbackResult

# MLflow reads these when it is imported: it sends nothing anywhere, and a machine without git is no reason to speak up.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

# OpenMP reads this when LightGBM is imported: threads that wait sleep instead of taking the cores of those that work.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

_HOMES = {
    "commands": ("build", "compare", "history", "promote", "report", "rollback", "scorecard", "train"),
    "errors": (
        "FewLeadsError",
        "HistoryError",
        "LeakError",
        "PromotionRefusedError",
        "RegistryError",
        "TrainingError",
    ),
    "registry.promotion_results": ("HistoryResult", "PromotionResult", "RollbackResult"),
    "command_results": ("BuildResult", "CompareResult", "TrainResult"),
}

__all__ = [
    "BuildResult",
    "CompareResult",
    "FewLeadsError",
    "HistoryError",
    "HistoryResult",
    "LeakError",
    "PromotionRefusedError",
    "PromotionResult",
    "RegistryError",
    "RollbackResult",
    "TrainResult",
    "TrainingError",
    "build",
    "compare",
    "history",
    "promote",
    "report",
    "rollback",
    "scorecard",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: MLflow and LightGBM take seconds."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"training.{module}"), name)
    message = f"module 'training' has no attribute {name!r}"
    raise AttributeError(message)
