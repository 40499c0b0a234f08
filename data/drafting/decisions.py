"""The decisions of a draft, the questions about those that a file does not settle, and who answers them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

DECIDE = "DECIDE: "


@dataclass(frozen=True, slots=True)
class Decision:
    """
    One decision.

    Attributes:
        about: what it is about, such as ``leads.csv: lead_id``.
        chosen: what was chosen.
        why: what was seen in the files.
        is_certain: whether nobody needs to look at it again.
    """

    about: str
    chosen: str
    why: str
    is_certain: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"about": self.about, "chosen": self.chosen, "why": self.why, "certain": self.is_certain}


@dataclass(frozen=True, slots=True)
class DraftQuestion:
    """
    A question that the files leave open.

    Attributes:
        about: what it is about.
        asks: the question, in one sentence.
        choices: answer → what it means.
        safe: the answer that can do no harm.
        accepts: whether another text may be the answer, too.
        seen: what the files show of it.
    """

    about: str
    asks: str
    choices: dict[str, str]
    safe: str
    accepts: Callable[[str], bool] = field(default=lambda text: not text)
    seen: str = ""


class Answers(Protocol):
    """Whoever answers the questions of a draft."""

    def __call__(self, question: DraftQuestion) -> str | None:
        """Return the answer; None where nobody was asked."""


def nobody(question: DraftQuestion) -> None:
    """Answer nothing, so that the safe answers are taken."""


@dataclass(slots=True)
class DecisionLog:
    """The decisions of a draft in the order in which they were taken."""

    answers: Answers = nobody
    _taken: dict[str, Decision] = field(default_factory=dict)
    _asked: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Decision]:
        """Iterate over the decisions."""
        return iter(self._taken.values())

    def take(self, about: str, chosen: str, why: str, *, is_certain: bool = True) -> str:
        """Record a decision; return the comment that stands beside it."""
        self._taken[about] = Decision(about, chosen, why, is_certain)
        return why if is_certain else f"{DECIDE}{why}"

    def ask(self, question: DraftQuestion, why: str) -> tuple[str, str]:
        """
        Ask a question once, or take its safe answer.

        Args:
            question: what to ask.
            why: what was seen in the files.

        Returns:
            The answer, and the comment that stands beside it.
        """
        if question.about not in self._asked:
            answer = self.answers(replace(question, seen=why))
            chosen = question.safe if answer is None else answer
            says = f"{why}; you said {chosen}" if answer is not None else f"{why}. {question.asks}"
            self._asked[question.about] = chosen, self.take(question.about, chosen, says, is_certain=answer is not None)
        return self._asked[question.about]
