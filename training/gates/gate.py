"""Gate: one check against leakage, what it found in words, and what becomes of a training that fails it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from training.errors import LeakError

NOT_CONTRADICTED: Final = "not contradicted (too few successes to tell)"
"""What is said of a gate that passed although it could not have seen what it looks for."""

MOST_NAMED = 8
"""So many features are named; a leak of one activity shows in a dozen of them."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """
    One check, and what came of it.

    Attributes:
        name: such as ``future shift``.
        passed: whether nothing was found.
        says: one sentence: what was looked at and found; of a failed gate also which feature it is and what to do.
        numbers: the figures behind it.
        accepted: why the training went on although this gate failed; None where it did not fail.
        conclusive: False where it passed for want of power: too few successes to see what it looks for.
    """

    name: str
    passed: bool
    says: str
    numbers: Mapping[str, float]
    accepted: str | None = None
    conclusive: bool = True

    def as_json(self) -> dict[str, Any]:
        """Write it for the judgement."""
        return {
            "name": self.name,
            "passed": self.passed,
            "conclusive": self.conclusive,
            "says": self.says,
            "numbers": {name: float(number) for name, number in self.numbers.items()},
            "accepted": self.accepted,
        }


def demand(gates: Iterable[GateResult], *, accept_risk: str | None) -> tuple[GateResult, ...]:
    """
    Demand that every gate passed, or that somebody says why the training may go on although one did not.

    Args:
        gates: those that were run.
        accept_risk: that reason; None where nobody gave one.

    Returns:
        The gates; those that failed carry the reason.

    Raises:
        LeakError: a gate failed and no reason was given, or the reason is blank.

    >>> failed = GateResult(
    ...     "dominance", passed=False, says="lunch_7d tells it all: put lunch on never_use.", numbers={}
    ... )
    >>> demand([failed], accept_risk=None)
    Traceback (most recent call last):
    training.errors.LeakError: lunch_7d tells it all: put lunch on never_use. If it is no leak, go on with ...
    >>> demand([failed], accept_risk="lunch is served before the goal")[0].accepted
    'lunch is served before the goal'
    """
    reason = None if accept_risk is None else accept_risk.strip()
    if reason == "":
        message = 'The reason for accepting a risk is blank, expected why it is none: write --accept-risk "why".'
        raise LeakError(message)
    told = tuple(gates)
    failed = [gate for gate in told if not gate.passed]
    if failed and reason is None:
        found = " ".join(gate.says for gate in failed)
        what = "it is no leak" if len(failed) == 1 else "they are no leaks"
        message = f'{found} If {what}, go on with --accept-risk "why".'
        raise LeakError(message)
    return tuple(gate if gate.passed else replace(gate, accepted=reason) for gate in told)


def named(names: Iterable[str], *, most: int = MOST_NAMED) -> str:
    """
    Write names as people do, and count those that are too many.

    >>> named(["a", "b", "c"]), named(["a", "b", "c", "d"], most=2), named(["a"])
    ('a, b and c', 'a, b and 2 more', 'a')
    """
    told = list(names)
    if len(told) > most:
        return f"{', '.join(told[:most])} and {len(told) - most:,} more"
    return " and ".join([*([", ".join(told[:-1])] if told[1:] else []), *told[-1:]])
