"""Questions of a draft on a terminal."""

import sys
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.prompt import Prompt

from data.drafting.decisions import Answers, DraftQuestion, nobody


def answers_at(console: Console) -> Answers:
    """Return who answers at a console: a person at a terminal, or nobody where a program reads or writes."""
    is_person = sys.stdin.isatty() and console.is_terminal and not console.stderr
    return TerminalAnswers(console) if is_person else nobody


@dataclass(frozen=True, slots=True)
class TerminalAnswers:
    """A person at a terminal, who chooses by number."""

    console: Console

    def __call__(self, question: DraftQuestion) -> str:
        """Ask until the answer is one of the choices or another that fits; Return takes the safe one."""
        seen = f"{question.seen[:1].upper()}{question.seen[1:]}. " if question.seen else ""
        self.console.print(f"\n[bold]{escape(question.about)}[/]", highlight=False)
        self.console.print(f"{escape(seen)}{escape(question.asks)}", highlight=False, soft_wrap=True)
        return self._open(question) if len(question.choices) == 1 else self._choice(question)

    def _open(self, question: DraftQuestion) -> str:
        """Take any answer that fits: there is nothing to choose from but the proposal."""
        self.console.print(
            f"  Return takes {escape(question.choices[question.safe])}.", highlight=False, soft_wrap=True
        )
        while True:
            said = self._typed(question.safe)
            if said == question.safe or question.accepts(said):
                return said
            self.console.print(f"  {escape(said)} does not fit. Try again.", highlight=False)

    def _choice(self, question: DraftQuestion) -> str:
        names = list(question.choices)
        for number, name in enumerate(names, start=1):
            self.console.print(f"  {number}  {escape(question.choices[name])}", highlight=False, soft_wrap=True)
        while True:
            said = self._typed(str(names.index(question.safe) + 1))
            if said.isdigit() and 1 <= int(said) <= len(names):
                return names[int(said) - 1]
            if said in names:
                return said
            self.console.print(f"  Choose a number from 1 to {len(names)}.", highlight=False)

    def _typed(self, default: str) -> str:
        return Prompt.ask("  Your answer", console=self.console, default=default).strip()
