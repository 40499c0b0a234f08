"""Point rules distilled from a model: few, in whole points, for those who may not deploy a model."""

from training.learned_rules.distillation import LearnedRules, distil
from training.learned_rules.writing import read_rules

__all__ = ["LearnedRules", "distil", "read_rules"]
