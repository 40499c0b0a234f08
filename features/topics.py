"""Topics: what features are about, in the words of a playbook."""

from dataclasses import dataclass, replace
from typing import Self

from data.words.playbook import ActivityWords, Business
from features.reducers import Over, Reducer

_ANY = ActivityWords(did="was active", one="activity", many="activities")


@dataclass(frozen=True, slots=True)
class Topic:
    """
    What to count: a kind, or a kind with a subject, among the activities of a lead or of its colleagues.

    Attributes:
        kind: None is any.
        subject: None is any.
        words: of the kind, or of the subject.
        over: whose activities.
        after: the words of the activity that comes before it, where two are compared.
    """

    kind: str | None
    subject: str | None
    words: ActivityWords
    over: Over = "lead"
    after: ActivityWords = _ANY

    @classmethod
    def of(cls, kind: str | None, subject: str | None, business: Business, *, over: Over = "lead") -> Self:
        """Return a topic in the playbook's words; a kind that it does not know is called by its name."""
        if kind is None:
            return cls(kind, subject, _ANY, over)
        if kind not in business.activities:
            name = kind.replace("_", " ")
            return cls(kind, subject, ActivityWords.model_construct(did=f"had {name}", one=name, many=name), over)
        return cls(kind, subject, business.activities[kind].words_of(subject), over)

    @classmethod
    def of_reducer(cls, reduce: Reducer, business: Business, *, over: Over) -> Self:
        """Return what a reducer of activities is about."""
        topic = cls.of(getattr(reduce, "kind", None), getattr(reduce, "subject", None), business, over=over)
        after = getattr(reduce, "after", None)
        if after is None:
            return topic
        return replace(topic, after=cls.of(after, getattr(reduce, "after_subject", None), business).words)

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


def span(days: float) -> str:
    """
    Return a window in the words of a reason.

    >>> span(1), span(7)
    ('a day', '7 days')
    """
    return "a day" if days == 1 else f"{days:g} days"


def counted_days(days: float) -> str:
    """
    Return a window in the words of a caption.

    >>> counted_days(1), counted_days(7)
    ('1 day', '7 days')
    """
    return "1 day" if days == 1 else f"{days:g} days"


def slug(part: object) -> str:
    """
    Return a part of a feature's name.

    >>> slug("Case Study"), slug(7.0)
    ('case_study', '7')
    """
    text = f"{part:g}" if isinstance(part, int | float) else str(part)
    return "".join(letter if letter.isalnum() else "_" for letter in text.lower())


def ordinal(number: int) -> str:
    """
    Return the place of something in a row.

    >>> [ordinal(number) for number in (1, 2, 3, 4, 11, 22)]
    ['1st', '2nd', '3rd', '4th', '11th', '22nd']
    """
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
