"""Gates that stop a model that saw the future."""

from training.gates.gate import GateResult, require_passed
from training.gates.leakage.leakage_gates import after_fitting, before_fitting

__all__ = ["GateResult", "after_fitting", "before_fitting", "require_passed"]
