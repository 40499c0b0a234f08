"""The logic of a score in plain words: what it is for, how it is computed, and what follows from it."""

from dataclasses import dataclass
from typing import Any

from data.words.playbook import Business, Playbook
from models.receipt import AVERAGE_POINTS, POINTS_PER_DOUBLING, ScorerId, scorer_json
from models.scorecard import Scorecard
from models.scorer import Scorer
from serving.scorers.live_scorer import LiveScorer, Score

_KEPT = (
    "Facts and scores are kept until they are erased; the receipts of scores, except those behind handovers, end after"
    " the days that the company has set, 400 by default; the response to a request with an"
    " Idempotency-Key is kept for 24 hours. After an erasure only a keyed hash of the id stays, so that nothing about"
    " the lead is taken in again, and a note in the audit log that carries the same hash."
)
_DECIDES = (
    "The score decides nothing about anybody: it orders a list and hands leads to a person in sales, who decides"
    " whether to get in touch. Nobody is refused anything because of it."
)
_RIGHTS = (
    "What is wrong can be corrected at its source, and counts from then on. Everything can be erased on request, and"
    " whoever objects to being scored is erased or left out by the company that sends the data."
)


@dataclass(frozen=True, slots=True)
class ScoreLogic:
    """
    How scores are computed and used.

    Attributes:
        scorer: the scorer in use.
        degraded: whether it stands in for a model that cannot be used.
        threshold: points from which a lead is handed over.
        hysteresis: how many points below the threshold a lead must fall before it may cross again.
        business: the business, in its own words.
        never_used: kinds of activities and attributes that no score uses, in the playbook's words.
    """

    scorer: ScorerId
    degraded: bool
    threshold: float
    hysteresis: float
    business: Business
    never_used: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        goal = self.business.goal
        return {
            "scorer": scorer_json(self.scorer),
            "degraded": self.degraded,
            "goal": {
                "stage": goal.stage,
                "says": self.business.stages[goal.stage],
                "horizon_days": goal.horizon_days,
            },
            "average_points": AVERAGE_POINTS,
            "points_per_doubling": POINTS_PER_DOUBLING,
            "threshold": self.threshold,
            "hysteresis_points": self.hysteresis,
            "never_used": list(self.never_used),
            "decided_by": "a person",
            "kept": "until erased",
        }

    def paragraphs(self, score: Score | None) -> list[str]:
        """
        Return it in plain sentences, a paragraph each.

        Args:
            score: the score of the lead that the dossier is about.
        """
        own = [] if score is None else [_of_this_lead(score)]
        return [self._purpose(), self._points(), *own, self._threshold(), _DECIDES, self._never(), _KEPT, _RIGHTS]

    def _purpose(self) -> str:
        goal = self.business.goal
        by = "point rules that people wrote" if self.scorer.kind == "rules" else "a model learned from past leads"
        standing_in = " It stands in for a model that cannot be used at the moment." if self.degraded else ""
        return (
            f"The score says how likely a lead is to become {self.business.stages[goal.stage]} within"
            f" {goal.horizon_days:g} days, so that sales can call the most likely leads first."
            f" It is given by {by}: {self.scorer.name}, version {self.scorer.version}.{standing_in}"
        )

    def _points(self) -> str:
        if self.scorer.kind == "rules":
            return "Each rule that applies adds or takes away its points; the score is their sum, shown from 0 to 100."
        return (
            f"An average lead has {AVERAGE_POINTS:g} points, and every {POINTS_PER_DOUBLING:g} points more double the"
            " odds. Each reason adds or takes away points, and together they are exactly the score."
        )

    def _threshold(self) -> str:
        return (
            f"A lead that rises to {self.threshold:.1f} points or more is handed over to a sales rep, once; it can be"
            f" handed over again only after falling more than {self.hysteresis:g} points below that."
        )

    def _never(self) -> str:
        also = f" Of these, no score looks at: {', '.join(self.never_used)}." if self.never_used else ""
        return (
            "Only the attributes, activities and outcomes listed in this dossier are used, and what colleagues at the"
            f" same account did. Ids are never used as evidence.{also}"
        )


def explain_logic(live: LiveScorer, playbook: Playbook) -> ScoreLogic:
    """Return the logic of the scorer in use."""
    business, hysteresis = playbook.business, playbook.routing.hysteresis_points
    used = _used_by(live.scorer)
    never = tuple(_words_for(business, name) for name in business.never_use if name not in used)
    return ScoreLogic(live.scorer.id, live.degraded, live.threshold, hysteresis, business, never)


def _used_by(scorer: Scorer) -> set[str]:
    """Return the activities and attributes that point rules use; a model never uses those that are denied."""
    rules = scorer.rules.rules if isinstance(scorer, Scorecard) else ()
    return {
        name for rule in rules for name in (getattr(rule, "activity", None), getattr(rule, "attribute", None)) if name
    }


def _of_this_lead(score: Score) -> str:
    """Explain how the score of a lead came about, with every reason."""
    receipt = score.receipt
    chance = "" if receipt.probability is None else f", a chance of {receipt.probability:.1%}"
    begins = f"This lead has {receipt.points:.1f} points{chance}, shown as {receipt.score}, grade {receipt.grade}."
    reasons = [f"{reason.says}: {reason.points:+.1f}" for reason in receipt.reasons]
    return "\n".join(
        [f"{begins} It starts from {receipt.base_points:.1f}, and then:", *(f"- {line}" for line in reasons)]
    )


def _words_for(business: Business, name: str) -> str:
    """Return the playbook's words for a kind of activity or an attribute."""
    if name in business.attributes:
        return business.attributes[name].label or name
    return business.activities[name].many if name in business.activities else name
