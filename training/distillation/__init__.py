"""Point rules distilled from a model: few, in whole points, for those who may not deploy a model."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.distillation.distillation import LearnedRules, distil
    from training.distillation.rule_yaml import read_rules

_MODULES = {
    "distillation": (
        "LearnedRules",
        "distil",
    ),
    "rule_yaml": ("read_rules",),
}

__all__ = ["LearnedRules", "distil", "read_rules"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: a verb that only reads the rules distils none."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"training.distillation.{module}"), name)
    message = f"module 'training.distillation' has no attribute {name!r}"
    raise AttributeError(message)
