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

    @property
    def share_rejected(self) -> float:
        """The share of rows that were rejected."""
        return self.rejected / self.rows if self.rows else 0.0


class ViolationExample(_ViolationCounts):
    """One row that breaks a rule: its file, its row (the first after a header is 1), its content."""

    file: str
    row: int
    found: str


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


class FarFacts(_ViolationCounts):
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
    far: tuple[FarFacts, ...] = ()


class QualityReport(_ViolationCounts):
    """What became of every row of every source."""

    playbook: str
    sources: tuple[SourceCount, ...]
    violations: tuple[Violation, ...]
    most_rejected: float
    rejected_rows: str | None = None
    period: PeriodReport | None = None

    @property
    def passed(self) -> bool:
        """Whether no source has more rejected rows than the playbook allows."""
        return not any(True for _ in self._over())

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {**self.model_dump(mode="json"), "passed": self.passed}

    @property
    def complaints(self) -> list[str]:
        """One sentence for each source with more rejected rows than the playbook allows, with the main reasons."""
        return [self._complaint(count) for count in self._over()]

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
