"""What the promotion gate decides: each of its rules, and whether the challenger may serve."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.statistics.estimate import Number


@dataclass(frozen=True, slots=True)
class GateRule:
    """
    One rule of the gate.

    Attributes:
        name: such as ``log loss``.
        passed: whether the challenger may serve as far as this rule is concerned.
        says: what was found, in words.
        numbers: the figures behind it.
    """

    name: str
    passed: bool
    says: str
    numbers: Mapping[str, Number]

    def as_json(self) -> dict[str, Any]:
        """Return the rule as ``promote --json`` prints it."""
        return {"name": self.name, "passed": self.passed, "says": self.says, "numbers": dict(self.numbers)}


@dataclass(frozen=True, slots=True)
class GateDecision:
    """
    What the gate decided.

    Attributes:
        allowed: whether every rule was passed.
        better: whether the challenger's log loss is lower beyond chance than that of what serves now: the champion,
            or else all point rules.
        rules: each rule, in the order in which the gate applies them.
        says: the decision in words; where it is a refusal, which rules were not passed and what to do.
    """

    allowed: bool
    better: bool
    rules: tuple[GateRule, ...]
    says: str
