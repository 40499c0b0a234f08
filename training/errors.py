"""
What can go wrong in training, as a tree.

TrainingError               no model can be trained, evaluated or promoted
├── HistoryError            the history is too short, or the goal is never seen in it
├── FewLeadsError           in some period too few leads reached the goal, or too few did not: use the rules alone
├── LeakError               a gate against leakage failed: some feature knows how a lead's story ends
├── RegistryError           the registry cannot be read or written
│   └── UnknownVersionError it does not hold the version that was asked for
├── PromotionRefusedError   the challenger may not serve
│   └── ChampionChangedError another version was put in place meanwhile
└── RollbackRefusedError    there is no previous champion, or it cannot serve
"""

from data.errors import LeadscoreError


class TrainingError(LeadscoreError):
    """No model can be trained, evaluated or promoted."""


class HistoryError(TrainingError):
    """The history is too short, or the goal is never seen in it."""


class FewLeadsError(TrainingError):
    """In some period of the history too few leads reached the goal, or too few did not."""

    def __init__(
        self, *, block: str, positives: int, negatives: int, needed: int, why: str = "", counted: str = "leads"
    ) -> None:
        """
        Compose the message: which period it is, how many leads it has, how many it needs, and what to do meanwhile.

        >>> print(FewLeadsError(block="training period", positives=12, negatives=900, needed=40))
        The training period has 12 leads that reached the goal and 900 that did not, expected 40 of each: score with ...
        """
        super().__init__(
            f"The {block} has {positives:,} {counted} that reached the goal and {negatives:,} that did not, "
            f"expected {needed} of each: {why or 'score with the rules alone until there are more.'}"
        )


class LeakError(TrainingError):
    """A gate against leakage failed, and there is no reason to accept it; the message names the features."""


class RegistryError(TrainingError):
    """The registry does not hold what was requested, or cannot be read or written."""


class UnknownVersionError(RegistryError):
    """The registry does not hold the requested version."""


class PromotionRefusedError(TrainingError):
    """The challenger may not serve; the message names the rule that refused it."""


class ChampionChangedError(PromotionRefusedError):
    """Another version was put in place while this one was evaluated; the message names who did it."""


class RollbackRefusedError(TrainingError):
    """There is no previous champion, or it cannot serve."""
