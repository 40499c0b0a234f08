"""The quality report: counts of the rows of each source, every violation with examples, and what to do."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

EXAMPLES = 3


class _ViolationCounts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceCount(_ViolationCounts):
    """How many rows of one source went where; rows = kept + rejected + ignored, always."""

    source: str
    holds: str
    rows: int
    kept: int
    rejected: int
    ignored: int
    assumed_known: int = 0
    derived: bool = False
    days: tuple[str, ...] = ()
    """The columns whose midnights were taken as days."""

    @property
    def share_rejected(self) -> float:
        """The share of rows that were rejected."""
        return self.rejected / self.rows if self.rows else 0.0


class ViolationExample(_ViolationCounts):
    """One row that breaks a rule: its file, its line there as an editor or a spreadsheet numbers it, its content."""

    file: str
    row: int
    found: str


class JoinCount(_ViolationCounts):
    """
    How many rows of a file found what was looked up for them.

    Attributes:
        file: the file whose rows were looked up.
        there: the file that they were looked up in.
        keys: the columns of the row that had to match.
        rows: how many rows have all keys.
        met: how many of them found a row there.
        examples: up to three keys that found none.
        theirs: up to three keys that stand there.
    """

    file: str
    there: str
    keys: tuple[str, ...]
    rows: int
    met: int
    examples: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The counts in words, with examples of keys that met nothing."""
        said = f"{self.file}: {self.met:,} of {self.rows:,} {', '.join(self.keys)} meet a row of {self.there}"
        if self.met == self.rows or not self.examples:
            return f"{said}."
        unmet, theirs = ", ".join(self.examples), ", ".join(self.theirs) or "nothing"
        return f"{said}; the others are such as {unmet}, and there stand such as {theirs}."


class Violation(_ViolationCounts):
    """One rule that rows of one source break: how often, three of them, what to do."""

    rule: str
    about: str
    source: str
    holds: str
    count: int
    says: str
    mend: str
    examples: tuple[ViolationExample, ...]


class TimeOutliers(_ViolationCounts):
    """Facts of one table of one source that lie far from all others, outside the period, and one of them."""

    source: str
    holds: str
    count: int
    says: str
    file: str
    row: int


class PeriodReport(_ViolationCounts):
    """The first and the last day between which facts lie in mass, in the playbook's zone, and the facts outside."""

    begin: str
    end: str
    outliers: tuple[TimeOutliers, ...] = ()


class LostValues(_ViolationCounts):
    """
    The cells of one attribute that hold something that cannot be read, so that the attribute is unknown.

    Attributes:
        count: how many rows of leads lost it.
        given: how many rows have a cell that holds anything.
        leads: how many leads lost it; ``reached``: how many of them reached the goal.
        other_leads: how many leads did not lose it; ``others_reached``: how many of those reached the goal.
        one_sided: why the loss distorts what is learned, one sentence each.
    """

    source: str
    attribute: str
    count: int
    given: int
    leads: int
    reached: int
    other_leads: int
    others_reached: int
    mend: str
    one_sided: tuple[str, ...] = ()
    examples: tuple[ViolationExample, ...]

    @property
    def share(self) -> float:
        """The share of the cells that hold anything and were lost."""
        return self.count / self.given if self.given else 0.0


class MachineCount(_ViolationCounts):
    """How many activities one rule about machines gave another kind, of how many, and of how many leads."""

    kinds: tuple[str, ...]
    become: str
    test: str
    marked: int
    of: int
    leads: int

    @property
    def sentence(self) -> str:
        """
        The counts in words.

        >>> about = {"kinds": ("click",), "become": "machine_click", "test": "within 1 s after sent"}
        >>> MachineCount(**about, marked=3, of=9, leads=1).sentence
        '3 of 9 click, of 1 lead, look like a machine and became machine_click: within 1 s after sent.'
        """
        whose = f"of {self.leads:,} lead{'' if self.leads == 1 else 's'}"
        counted = f"{self.marked:,} of {self.of:,} {' and '.join(self.kinds)}"
        return f"{counted}, {whose}, look like a machine and became {self.become}: {self.test}."


class MoneyReport(_ViolationCounts):
    """
    In which currency amounts are summed.

    Attributes:
        currency: the playbook's, or else the only one that the exports name; none where neither says one.
        amounts: how many amounts say their currency.
        converted: other currency → how many amounts in it were converted.
        complaint: why amounts of several currencies cannot be summed, and what to write.
    """

    currency: str | None = None
    amounts: int = 0
    converted: dict[str, int] = {}
    complaint: str | None = None

    @property
    def sentence(self) -> str:
        """
        The currency in words, with how many amounts were converted.

        >>> MoneyReport(currency="EUR", amounts=120, converted={"USD": 20, "CHF": 1}).sentence
        'Amounts are in EUR; 21 of the 120 that say their currency were converted: 20 from USD, 1 from CHF.'
        """
        if not self.converted:
            return f"Amounts are in {self.currency}."
        each = ", ".join(f"{count:,} from {currency}" for currency, count in self.converted.items())
        count = f"{sum(self.converted.values()):,} of the {self.amounts:,} that say their currency"
        return f"Amounts are in {self.currency}; {count} were converted: {each}."


class QualityReport(_ViolationCounts):
    """What became of every row of every source."""

    playbook: str
    sources: tuple[SourceCount, ...]
    violations: tuple[Violation, ...]
    most_rejected: float
    joins: tuple[JoinCount, ...] = ()
    machines: tuple[MachineCount, ...] = ()
    money: MoneyReport = MoneyReport()

    lost: tuple[LostValues, ...] = ()
    rejected_rows: str | None = None
    period: PeriodReport | None = None

    @property
    def passed(self) -> bool:
        """Whether no source and no attribute loses more than the playbook allows, and amounts can be summed."""
        return not self.complaints

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {**self.model_dump(mode="json"), "passed": self.passed}

    @property
    def complaints(self) -> list[str]:
        """One sentence for each source and attribute that loses too much, and for amounts that have no sum."""
        lost = [self._loss(values) for values in self.lost if values.share > self.most_rejected]
        money = [] if self.money.complaint is None else [self.money.complaint]
        return [*(self._complaint(count) for count in self._over()), *lost, *money]

    @property
    def notes(self) -> list[str]:
        """One sentence for each thing that the import did to rows which it kept."""
        is_known = self.money.currency is not None and self.money.complaint is None
        return [*([self.money.sentence] if is_known else []), *(count.sentence for count in self.machines)]

    def _over(self) -> Iterator[SourceCount]:
        return (count for count in self.sources if count.share_rejected > self.most_rejected)

    def _complaint(self, count: SourceCount) -> str:
        own = [
            violation
            for violation in self.violations
            if (violation.source, violation.holds) == (count.source, count.holds)
        ]
        why = "; ".join(
            f"{violation.count} × {violation.says} ({violation.mend.rstrip('.')})" for violation in own[:EXAMPLES]
        )
        return (
            f"{count.source} ({count.holds}): {count.rejected} of {count.rows} rows rejected, more than the"
            f" {self.most_rejected:.0%} that most_rejected allows: {why}."
        )

    def _loss(self, values: LostValues) -> str:
        shown = ", ".join(example.found for example in values.examples)
        return (
            f"{values.source}: {values.attribute} cannot be read in {values.count} of {values.given} cells, more than"
            f" the {self.most_rejected:.0%} that most_rejected allows, such as {shown}: {values.mend}"
        )
