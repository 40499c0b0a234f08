"""Point rules distilled from a model: few, in whole points, for use where no model may be deployed."""

from training.distillation.distillation import LearnedRules, distil
from training.distillation.rule_yaml import read_rules

__all__ = ["LearnedRules", "distil", "read_rules"]
