"""The kinds of scorers that are compared."""

from typing import Literal

Kind = Literal["model", "rules", "learned rules", "baseline"]
"""A learned model, point rules, point rules distilled from a model, or a baseline."""
