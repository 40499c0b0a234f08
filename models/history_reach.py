"""How old and how silent the leads were that a model was fitted on: of others it cannot speak."""

import math
from dataclasses import asdict, dataclass

from features.age_and_silence import silence_of
from features.feature import spoken
from models.checked_json import fields, whole
from models.errors import StructureError

REACH = "reach"
"""The fact of a bundle that says it; bundles of earlier releases have none."""

_MOST = 10**9
_TOO_FEW = "Too few leads in the history were"


@dataclass(frozen=True, slots=True)
class HistoryReach:
    """
    How far the history of a model reaches.

    Attributes:
        leads: at least so many leads reached the age, and as many the silence.
        age_days: the greatest age that they reached, in whole days.
        silence_days: the longest silence that they reached, in whole days.
    """

    leads: int
    age_days: int
    silence_days: int

    def beyond(self, age_days: float | None, last_activity_days: float | None) -> str | None:
        """
        Return in a sentence that too few leads were as old, or as silent, as this one; None where enough were.

        Args:
            age_days: since the lead was created; None or NaN where that is not known.
            last_activity_days: since its last activity; None or NaN where there was none.

        >>> reach = HistoryReach(leads=50, age_days=280, silence_days=150)
        >>> reach.beyond(412.3, 2.0)
        'Too few leads in the history were this old: 412 days, and fewer than 50 were older than 280.'
        >>> reach.beyond(270.0, None)
        'Too few leads in the history were silent this long: 270 days, and fewer than 50 were silent longer than 150.'
        >>> reach.beyond(280.9, 2.0) is None
        True
        """
        if age_days is None or math.isnan(age_days):
            return None
        age, silence = math.floor(age_days), math.floor(silence_of(age_days, last_activity_days))
        if age > self.age_days:
            return spoken(f"{_TOO_FEW} this old: {{days}}, and {self._fewer} older than {self.age_days:,}.", age)
        if silence > self.silence_days:
            longer = f"{self._fewer} silent longer than {self.silence_days:,}."
            return spoken(f"{_TOO_FEW} silent this long: {{days}}, and {longer}", silence)
        return None

    @property
    def _fewer(self) -> str:
        return f"fewer than {self.leads:,} were"

    def as_json(self) -> dict[str, int]:
        """Return it as a fact of a bundle."""
        return asdict(self)


def reach_from_json(fact: object) -> HistoryReach | None:
    """
    Read it back from a bundle's fact; None where the bundle does not say it.

    >>> reach_from_json({"leads": 50, "age_days": 280, "silence_days": 150})
    HistoryReach(leads=50, age_days=280, silence_days=150)

    Raises:
        StructureError: it is not as `HistoryReach.as_json` writes it.
    """
    if fact is None:
        return None
    given = fields(fact, REACH, ("leads", "age_days", "silence_days"))
    for name, found in given.items():
        if not 0 <= whole(found, f"{REACH}, {name}") <= _MOST:
            raise StructureError(where=f"{REACH}, {name}", found=found, expected="a number of days or leads")
    return HistoryReach(**given)
