# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""One source of a drafted playbook: a file, the columns it maps, the words it translates, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from data.drafting.column_facts import ColumnContent, ColumnFacts
from data.drafting.decisions import DecisionLog, DraftQuestion
from data.drafting.file_roles import ExaminedFile, RoledFile
from data.drafting.file_samples import SampleTools
from data.drafting.key_joins import IdColumns
from data.importing.quality import JoinCount
from data.sql import quoted
from data.words.sources import FileSource


@dataclass(frozen=True, slots=True)
class DraftTools:
    """What drafting works with: the samples' tables, the id columns looked at, the decisions taken."""

    sampling: SampleTools
    ids: IdColumns
    log: DecisionLog


@dataclass(frozen=True, slots=True)
class LeadOutcome:
    """The outcome in a table of leads: its columns by role, and what each word of the stage stands for."""

    columns: Mapping[str, str]
    stages: Mapping[Any, str]
    why: str


@dataclass(frozen=True, slots=True)
class DumpDay:
    """The column with the day of each full dump; the format of the date in the files' names if it is made of these."""

    column: str
    from_name: str | None
    why: str


@dataclass(frozen=True, slots=True)
class SourceSelection:
    """
    How a source of a shipped playbook selects the rows of a company's file.

    Attributes:
        source: the source, in the company's names.
        whole: the file with all its rows.
        taken: how many of these count.
        there: the files in which rows are looked up, as ``source.via`` lists them.
        joins: what each lookup met.
        dropped: what the company's files lack and the source does without.
    """

    source: FileSource
    whole: ExaminedFile
    taken: int
    there: tuple[ExaminedFile, ...] = ()
    joins: tuple[JoinCount, ...] = ()
    dropped: tuple[str, ...] = ()

    @property
    def tested(self) -> list[str]:
        """The columns of the file that conditions look at."""
        cases = [case.when or {} for cases in self.source.derived.values() for case in cases]
        names = [name for tests in (*cases, self.source.where or {}) for name in tests]
        return [name for name in dict.fromkeys(names) if name in self.whole.facts]


@dataclass(frozen=True, slots=True)
class DraftedSource:
    """
    One source.

    Attributes:
        roled: the file and what it holds.
        columns: role → column.
        whys: role → the comment beside it.
        kind: where all rows are of one kind.
        kind_columns: the columns that say the kind.
        words: the export's word → the playbook's kind, or stage for outcomes.
        word_whys: the export's word → the comment beside it.
        ignore: words that are not wanted.
        stages: of an event log: the log's word → stage.
        attributes: attribute → column.
        attribute_whys: attribute → the comment beside it.
        left_out: column → why it is not used.
        outcome: of leads.
        value_columns: of a history: the columns with the values of one attribute each, now or before.
        snapshot: of full dumps: the column with the day of each.
        selection: of a source that was taken over from a shipped playbook: how it selects its rows.
    """

    roled: RoledFile
    columns: Mapping[str, str]
    whys: Mapping[str, str] = field(default_factory=dict)
    kind: str | None = None
    kind_columns: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    word_whys: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    stages: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    attribute_whys: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    outcome: LeadOutcome | None = None
    value_columns: tuple[str, ...] = ()
    snapshot: DumpDay | None = None
    selection: SourceSelection | None = None

    @property
    def whole(self) -> ExaminedFile:
        """The file with all its rows, those that the source leaves out among them."""
        return self.file if self.selection is None else self.selection.whole

    @property
    def file(self) -> ExaminedFile:
        """The file."""
        return self.roled.file

    @property
    def used(self) -> list[ColumnFacts]:
        """The columns that are mapped, each once."""
        outcome = self.outcome.columns.values() if self.outcome is not None else ()
        tested = self.selection.tested if self.selection is not None else ()
        roles = self.columns if not self.value_columns else {r: c for r, c in self.columns.items() if r not in _VALUES}
        dump = [self.snapshot.column] if self.snapshot is not None and self.snapshot.from_name is None else []
        own = [*roles.values(), *dump, *self.kind_columns, *self.attributes.values(), *self.value_columns]
        names = [*own, *outcome, *tested]
        return [self.file.facts[name] for name in dict.fromkeys(names)]

    @property
    def word(self) -> str:
        """The SQL of a row's word for its kind or stage."""
        parts = [f"coalesce({quoted(name)}, '')" for name in self.kind_columns]
        return parts[0] if len(parts) == 1 else f"concat_ws('|', {', '.join(parts)})"

    def instant(self, role: str) -> str:
        """Return the SQL of a role's instant in microseconds."""
        return instant_us(self.file.facts[self.columns[role]])


def instant_us(facts: ColumnFacts) -> str:
    """Return the SQL of a column's instant in microseconds; NULL where it holds none."""
    return facts.dates.as_us(quoted(facts.name)) if facts.dates is not None else "NULL::BIGINT"


@dataclass(slots=True)
class ColumnPicker:
    """The columns of one source, chosen one by one; each is a decision."""

    file: ExaminedFile
    tools: DraftTools
    columns: dict[str, str] = field(default_factory=dict)
    whys: dict[str, str] = field(default_factory=dict)

    def take(self, role: str, column: str, why: str, *, is_certain: bool = True) -> None:
        """Map a column to a role."""
        self.columns[role] = column
        self.whys[role] = self.tools.log.take(f"{self.file.shown}: {role}", column, why, is_certain=is_certain)

    def take_best(self, role: str, *contents: ColumnContent) -> None:
        """Map the column whose name fits a role best, if there is one."""
        facts = self.file.best(role, *contents, but=list(self.columns.values()))
        if facts is not None and not (facts.numbers is not None and facts.numbers.is_ambiguous) and facts.distinct > 1:
            self.take(role, facts.name, "")

    def take_own_id(self, role: str) -> None:
        """Map the column that is different in every row, if there is one; its name has to look like an id's."""
        shaped = self.file.shape.column(role, list(self.file.facts)) if self.file.shape is not None else None
        fitting = [facts.name for facts in self.file.facts.values() if facts.may_be_id and _is_called_id(facts.name)]
        for name in [shaped] if shaped is not None else fitting:
            ids = self.tools.ids.of(self.file.sample, name)
            rows = self.file.sample.rows
            if name not in self.columns.values() and ids.distinct >= _NEARLY_ALL * rows:
                self.take(
                    role,
                    name,
                    "different in each row" if ids.distinct == rows else f"{ids.distinct:,} in {rows:,} rows",
                )
                return

    def take_instant(self, role: str, asks: str) -> bool:
        """Map the instant of a role; return whether there is one."""
        instants = [f.name for f in self.file.columns_of(ColumnContent.INSTANT) if f.name not in self.columns.values()]
        best = self.file.best(role, ColumnContent.INSTANT, but=list(self.columns.values()))
        if best is not None or len(instants) == 1:
            name = best.name if best is not None else instants[0]
            self.take(role, name, "" if best is not None else "the only column of instants")
        elif instants:
            about = f"{self.file.shown}: {role}"
            choices = {each: f"{each}, such as {self.file.facts[each].example}" for each in instants}
            question = DraftQuestion(about, asks, choices, instants[0])
            self.columns[role], self.whys[role] = self.tools.log.ask(question, f"{len(instants)} columns hold instants")
        return role in self.columns

    def take_known_at(self, fact: str) -> None:
        """Map the instant from which a fact was known, if a column says so and is never before the fact."""
        facts = self.file.best("known_at", ColumnContent.INSTANT, but=list(self.columns.values()))
        if facts is None:
            return
        known, happened = instant_us(facts), instant_us(self.file.facts[self.columns[fact]])
        before = self.tools.sampling.values(
            f"SELECT avg(({known} < {happened})::INTEGER) FROM {self.file.sample.spread}"
        )[0][0]
        if before is not None and before <= _FEW:
            self.take("known_at", facts.name, "" if before else f"not before {self.columns[fact]}")


_NEARLY_ALL, _FEW = 0.98, 0.001
_VALUES = ("value", "previous")


def _is_called_id(name: str) -> bool:
    return name.lower().replace("_", " ").split()[-1:] in (["id"], ["guid"], ["number"]) or name.lower().endswith("id")


def distinct_words(source: DraftedSource, tools: SampleTools, most: int) -> list[tuple[str, int]]:
    """Return the words of a source for its kinds or stages with their numbers of rows, the most frequent first."""
    counted = f"SELECT {source.word} AS word, count(*) AS n FROM {source.file.sample.table} GROUP BY 1"
    rows = tools.values(
        f"SELECT word, n FROM ({counted}) WHERE trim(word, '| ') <> '' ORDER BY n DESC, word LIMIT {most}"
    )
    return [(word, n) for word, n in rows]


def without(facts: Mapping[str, ColumnFacts], used: Sequence[str]) -> list[ColumnFacts]:
    """Return the columns that are not used yet."""
    return [each for name, each in facts.items() if name not in used]
