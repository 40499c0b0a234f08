"""
What can go wrong in training, as a tree.

TrainingError               no model can be made, judged or promoted
├── HistoryError            the history is too short, or the goal is never seen in it
├── FewLeadsError           too few leads reached the goal, or too few did not: use the rules alone
├── RegistryError           the registry does not hold what was asked for
└── PromotionRefusedError   the challenger may not serve
"""

from data.errors import LeadscoreError


class TrainingError(LeadscoreError):
    """No model can be made, judged or promoted."""


class HistoryError(TrainingError):
    """The history is too short, or the goal is never seen in it."""


class FewLeadsError(TrainingError):
    """Too few leads reached the goal, or too few did not."""

    def __init__(self, *, positives: int, negatives: int, needed: int) -> None:
        """
        Say how many there are, how many are needed, and what to do meanwhile.

        >>> print(FewLeadsError(positives=12, negatives=900, needed=40))
        The training period has 12 leads that reached the goal and 900 that did not, expected 40 of each: ...
        """
        super().__init__(
            f"The training period has {positives:,} leads that reached the goal and {negatives:,} that did not, "
            f"expected {needed} of each: score with the rules alone until there are more."
        )


class RegistryError(TrainingError):
    """The registry does not hold what was asked for."""


class PromotionRefusedError(TrainingError):
    """The challenger may not serve; says which rule held."""
