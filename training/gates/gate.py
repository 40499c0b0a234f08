"""Gate: one check, its finding in words, and the refusal of a training that fails it."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, Literal

from pydantic import Field

from training.errors import LeakError
from training.statistics.estimate import EvaluationPart, Number

GateState = Literal[
    "passed", "not contradicted (too few successes to tell)", "passed, with a question", "failed", "failed, accepted"
]

NOT_CONTRADICTED: Final = "not contradicted (too few successes to tell)"
"""Describes a gate that passed although it could not have seen what it looks for."""

QUESTION: Final = "passed, with a question"
"""Describes a gate that found what only the user can judge, and that stops nothing."""

MOST_NAMED = 8
"""More names than these are only counted; a leak of one activity shows in a dozen features."""


class GateResult(EvaluationPart):
    """One check: what it found, and why the training went on where it failed."""

    name: str = Field(description="such as future shift")
    passed: bool = Field(description="whether the check found nothing wrong")
    conclusive: bool = Field(default=True, description="false where a pass may be for want of successes")
    question: bool = Field(default=False, description="true where it passed, but asks the user about what it found")
    says: str = Field(description="the finding; of a failed gate also which feature it is and what to do")
    numbers: Mapping[str, Number] = Field(description="the figures behind it")
    accepted: str | None = Field(default=None, description="why the training went on although this gate failed")

    @property
    def state(self) -> GateState:
        """The outcome in words."""
        if not self.passed:
            return "failed" if self.accepted is None else "failed, accepted"
        if self.question:
            return QUESTION
        return "passed" if self.conclusive else NOT_CONTRADICTED


def require_passed(gates: Iterable[GateResult], *, accept_risk: str | None) -> tuple[GateResult, ...]:
    """
    Refuse to go on after a failed gate, unless there is a reason to accept it.

    Args:
        gates: those that were run.
        accept_risk: that reason; None without one.

    Returns:
        The gates; those that failed carry the reason.

    Raises:
        LeakError: a gate failed and there is no reason to accept it, or the reason is blank.

    >>> failed = GateResult(
    ...     name="dominance", passed=False, says="lunch_7d gives it all away: put lunch on never_use.", numbers={}
    ... )
    >>> require_passed([failed], accept_risk=None)
    Traceback (most recent call last):
    training.errors.LeakError: lunch_7d gives it all away: put lunch on never_use. If it is no leak, go on with ...
    >>> require_passed([failed], accept_risk="lunch is served before the goal")[0].accepted
    'lunch is served before the goal'
    """
    reason = None if accept_risk is None else accept_risk.strip()
    if reason == "":
        message = 'The reason for accepting a risk is blank, expected an explanation: write --accept-risk "why".'
        raise LeakError(message)
    results = tuple(gates)
    failed = [gate for gate in results if not gate.passed]
    if failed and reason is None:
        findings = " ".join(gate.says for gate in failed)
        what = "it is no leak" if len(failed) == 1 else "they are no leaks"
        message = f'{findings} If {what}, go on with --accept-risk "why".'
        raise LeakError(message)
    return tuple(gate if gate.passed else gate.model_copy(update={"accepted": reason}) for gate in results)


def pronouns(names: Collection[str]) -> tuple[str, str]:
    """
    Return the words that stand for one or several names: the object, and the subject in the past.

    >>> pronouns(["a"]), pronouns(["a", "b"])
    (('it', 'it was'), ('them', 'they were'))
    """
    return ("it", "it was") if len(names) == 1 else ("them", "they were")


def named(names: Iterable[str], *, most: int = MOST_NAMED) -> str:
    """
    Join names into a phrase, and count those that are too many.

    >>> named(["a", "b", "c"]), named(["a", "b", "c", "d"], most=2), named(["a"])
    ('a, b and c', 'a, b and 2 more', 'a')
    """
    listed = list(names)
    if len(listed) > most:
        return f"{', '.join(listed[:most])} and {len(listed) - most:,} more"
    return " and ".join([*([", ".join(listed[:-1])] if listed[1:] else []), *listed[-1:]])
