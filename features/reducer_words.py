"""What each way to reduce activities says: the phrase of a reason, a caption for plots, the value of nothing."""

from dataclasses import dataclass
from typing import Self

from data.words.playbook import ActivityWords, Business
from features.reducers import (
    AttributeValue,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    DecayedCount,
    Distinct,
    HourOfLast,
    LeadAge,
    Mean,
    Over,
    Reducer,
    Sum,
    Trend,
    WeekdayOfLast,
)

_ANY = ActivityWords(did="was active", one="activity", many="activities")


@dataclass(frozen=True, slots=True)
class Topic:
    """What to count: a kind, or a kind with a subject, among the activities of a lead or of its colleagues."""

    kind: str | None
    subject: str | None
    words: ActivityWords
    over: Over = "lead"

    @classmethod
    def of(cls, kind: str | None, subject: str | None, business: Business, *, over: Over = "lead") -> Self:
        """Return a topic in the playbook's words; a kind that it does not know is called by its name."""
        if kind is None:
            return cls(kind, subject, _ANY, over)
        if kind not in business.activities:
            name = kind.replace("_", " ")
            return cls(kind, subject, ActivityWords.model_construct(did=f"had {name}", one=name, many=name), over)
        return cls(kind, subject, business.activities[kind].words_of(subject), over)

    @property
    def name(self) -> str:
        """The start of its features' names."""
        parts = ["account" if self.over == "account" else "", self.kind or "any", self.subject or ""]
        return "_".join(slug(part) for part in parts if part)

    @property
    def code(self) -> str:
        """The code of the reason that its features make together."""
        subject = f"/{self.subject}" if self.subject else ""
        return f"{'account' if self.over == 'account' else 'activity'}:{self.kind or 'any'}{subject}"

    @property
    def did(self) -> str:
        """What the lead, or its colleagues, did."""
        plural = self.words.did.replace("was ", "were ", 1) if self.words.did.startswith("was ") else self.words.did
        return f"colleagues {plural}" if self.over == "account" else self.words.did

    @property
    def about(self) -> str:
        """The noun, plural: "page views", "colleagues' page views"."""
        return f"colleagues' {self.words.many}" if self.over == "account" else self.words.many

    @property
    def never(self) -> str:
        """The words when it never happened."""
        if self.over == "lead":
            return self.did_at("never")
        verb, _, rest = self.words.did.partition(" ")
        return f"no colleague was ever {rest}" if verb == "was" else f"no colleague ever {self.words.did}"

    def did_at(self, adverb: str) -> str:
        """Return "last met us", "was last active", "colleagues last met us" or "colleagues were last active"."""
        who, did = ("colleagues ", self.did.removeprefix("colleagues ")) if self.over == "account" else ("", self.did)
        verb, _, rest = did.partition(" ")
        return f"{who}{verb} {adverb} {rest}" if verb in {"was", "were"} else f"{who}{adverb} {did}"

    def none_in(self, days: float) -> str:
        """Return the words when it did not happen within some days."""
        return f"no {self.words.one}{' by colleagues' if self.over == 'account' else ''} in {span(days)}"


@dataclass(frozen=True, slots=True)
class ReducerWords:
    """
    What a feature says.

    Attributes:
        phrase: a reason's words, with a place for the value.
        caption: what the number is, in a few words.
        missing: the value when nothing happened; None keeps it missing.
    """

    phrase: str
    caption: str
    missing: float | None = None


def reducer_words(reduce: Reducer, topic: Topic) -> ReducerWords:
    """Return what a reducer of activities says about a topic."""
    about, many = topic.about, topic.words.many
    match reduce:
        case Count(days=days):
            caption = about if days is None else f"{about}, {_counted_days(days)}"
            return ReducerWords(f"{topic.did} {{n}}", caption, 0.0)
        case DaysSinceLast():
            return ReducerWords(f"{topic.did_at('last')} {{ago}}", f"days since last of {about}")
        case DaysSinceFirst():
            return ReducerWords(f"{topic.did_at('first')} {{ago}}", f"days since first of {about}")
        case DecayedCount(half_life_days=half_life):
            return ReducerWords(f"{topic.did}, weight {{x}}", f"{about}, halved every {_counted_days(half_life)}", 0.0)
        case Distinct():
            return ReducerWords(f"{topic.did}, {{x}} different ones", f"different subjects of {about}", 0.0)
        case Sum():
            return ReducerWords(f"{{x}} in sum of {many}", f"sum of {about}", 0.0)
        case Mean():
            return ReducerWords(f"{{x}} on average of {many}", f"mean of {about}")
        case Trend():
            return ReducerWords(f"{{share}} of the {many} lately", f"trend of {about}")
        case HourOfLast():
            return ReducerWords(f"{topic.did_at('last')} at {{hour}} UTC", "hour of last activity")
        case WeekdayOfLast():
            return ReducerWords(f"{topic.did_at('last')} on a {{weekday}}", "weekday of last activity")
        case AttributeValue() | LeadAge():
            message = f"{reduce} is about the lead itself, not about what it did"
            raise ValueError(message)


def span(days: float) -> str:
    """
    Return a window in the words of a reason.

    >>> span(1), span(7)
    ('a day', '7 days')
    """
    return "a day" if days == 1 else f"{days:g} days"


def _counted_days(days: float) -> str:
    return "1 day" if days == 1 else f"{days:g} days"


def slug(part: object) -> str:
    """
    Return a part of a feature's name.

    >>> slug("Case Study"), slug(7.0)
    ('case_study', '7')
    """
    text = f"{part:g}" if isinstance(part, int | float) else str(part)
    return "".join(letter if letter.isalnum() else "_" for letter in text.lower())
