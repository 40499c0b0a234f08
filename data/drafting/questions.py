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
        """Ask until the answer is one of the choices; Return takes the safe one."""
        self.console.print(f"\n[bold]{escape(question.about)}[/]  {escape(question.asks)}", soft_wrap=True)
        names = list(question.choices)
        for number, name in enumerate(names, start=1):
            self.console.print(f"  {number}  {escape(question.choices[name])}", highlight=False, soft_wrap=True)
        default = str(names.index(question.safe) + 1)
        while True:
            said = Prompt.ask("  Your choice", console=self.console, default=default).strip()
            if said.isdigit() and 1 <= int(said) <= len(names):
                return names[int(said) - 1]
            if said in names or question.accepts(said):
                return said
            self.console.print(f"  Choose a number from 1 to {len(names)}.")
