"""What an examination of the service yields: one finding for each thing that was looked at."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ExaminationResult:
    """
    One thing that was looked at.

    Attributes:
        subject: what, in a word or two.
        state: ``ok``, ``warning`` (look at it soon) or ``wrong`` (act now).
        says: what was found.
        cure: what to do; None where nothing needs to be done.
    """

    subject: str
    state: Literal["ok", "warning", "wrong"]
    says: str
    cure: str | None = None


def fine(subject: str, says: str) -> ExaminationResult:
    """Return a finding about something that is as it should be."""
    return ExaminationResult(subject, "ok", says)


def warning(subject: str, says: str, *, cure: str) -> ExaminationResult:
    """Return a finding about something to look at soon."""
    return ExaminationResult(subject, "warning", says, cure)


def wrong(subject: str, says: str, *, cure: str) -> ExaminationResult:
    """Return a finding about something that needs action now."""
    return ExaminationResult(subject, "wrong", says, cure)
