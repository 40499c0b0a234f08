"""Gates that stop a model that saw the future."""

from training.leakage.gate import Gate, demand
from training.leakage.running import after_fitting, before_fitting

__all__ = ["Gate", "after_fitting", "before_fitting", "demand"]
