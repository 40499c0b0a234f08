"""
A source of a shipped playbook in the names of a company's files and columns.

A column that the company's export lacks counts as one of empty cells: a condition that empty cells meet is dropped,
since it would leave every row in; one that they fail would leave every row out, so the source cannot be used.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from data.drafting.file_roles import ExaminedFile
from data.drafting.file_samples import FileSample
from data.drafting.shipped_playbooks import SystemFile
from data.words.row_words import CellCondition, CellTest, DerivedCase, Lookup
from data.words.sources import FileSource, LeadChangeSource, LeadSource, OutcomeInLeads

_NEEDED = {"lead_id", "created_at", "occurred_at", "reached_at", "kind", "stage"}
_NEEDED_OF_CHANGES = {"lead_id", "attribute", "value", "known_at"}
Spelling = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class FittedSource:
    """
    A source of a shipped playbook in a company's names.

    Attributes:
        name: the file that the shipped playbook reads.
        source: with the company's files and columns.
        file: the company's file.
        there: the files in which rows are looked up, as ``source.via`` lists them.
        dropped: what the company's files lack and the source does without.
        lacking: what they lack and the source cannot do without; where there is any, the source is of no use.
    """

    name: str
    source: FileSource
    file: ExaminedFile
    there: tuple[ExaminedFile, ...] = ()
    dropped: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


@dataclass(slots=True)
class _SourceNames:
    """What is known while a source is fitted: new columns under their own names, what is dropped, what is lacking."""

    main: SystemFile
    new: dict[str, str | None] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)

    def own(self, column: str) -> str | None:
        """Return the company's name for a column of a row, looked up and derived ones included."""
        return self.new[column] if column in self.new else self.main.own(column)

    def add(self, column: str) -> str:
        """Return a new column's name: its own, unless the file has a column that is called so."""
        taken = {name.lower() for name in (*self.main.file.facts, *filter(None, self.new.values()))}
        number, free = 2, column
        while free.lower() in taken:
            number, free = number + 1, f"{column}_{number}"
        self.new[column] = free
        return free

    def do_without(self, lookup: Lookup, lacks: Sequence[str]) -> None:
        """Leave out a lookup: what it would take is empty, and where rows without it are ignored, all of them are."""
        (self.lacking if lookup.unmet == "ignore" else self.dropped).extend(lacks)
        self.new |= dict.fromkeys(lookup.take)
        self.missing |= {name: list(lacks) for name in lookup.take}


def fit_source(source: FileSource, main: SystemFile, others: Mapping[str, SystemFile]) -> FittedSource:
    """
    Fit a source of a shipped playbook to a company's files.

    Args:
        source: of the shipped playbook.
        main: the company's file that is the source's.
        others: the shipped playbook's files → the company's.
    """
    fitting = _SourceNames(main)
    via, there = _via(source, others, fitting)
    derived = {
        name: cases for column, given in source.derived.items() for name, cases in _derived(column, given, fitting)
    }
    where = _conditions(source.where or {}, fitting.own, fitting)
    said: dict[str, object] = {
        "file": main.file.shown,
        "via": via,
        "derived": derived,
        "where": where or None,
        "columns": _columns(source, fitting),
        **_more_of_leads(source, fitting),
    }
    fitted = source.model_copy(update=said)
    dropped, lacking = (tuple(dict.fromkeys(names)) for names in (fitting.dropped, fitting.lacking))
    return FittedSource(source.file, fitted, main.file, there, dropped, lacking)


def _via(
    source: FileSource, others: Mapping[str, SystemFile], fitting: _SourceNames
) -> tuple[tuple[Lookup, ...], tuple[ExaminedFile, ...]]:
    lookups, files = [], []
    for lookup in source.via:
        there = fitting.main if lookup.file == fitting.main.name else others.get(lookup.file)
        fitted = _lookup(lookup, there, fitting) if there is not None else None
        if there is None:
            columns = dict.fromkeys((*lookup.match.values(), *lookup.take.values()))
            fitting.do_without(lookup, [f"{lookup.file} ({', '.join(columns)})"])
        elif fitted is not None:
            lookups.append(fitted)
            files.append(there.file)
    return tuple(lookups), tuple(files)


def _lookup(lookup: Lookup, there: SystemFile, fitting: _SourceNames) -> Lookup | None:
    """Return a lookup in a company's names; None if its columns are lacking."""
    match = {fitting.own(here): there.own(column) for here, column in lookup.match.items()}
    take = {new: there.own(column) for new, column in lookup.take.items()}
    lacking = [column for column in lookup.match.values() if there.own(column) is None]
    lacking += [column for new, column in lookup.take.items() if take[new] is None]
    lacks = [f"{column} of {there.file.shown}" for column in lacking]
    lacks += [here for here in lookup.match if fitting.own(here) is None]
    is_whole = None not in match and None not in match.values() and any(take.values())
    if not is_whole:
        fitting.do_without(lookup, lacks)
        return None
    fitting.dropped += lacks
    fitting.new |= dict.fromkeys(lookup.take)
    fitting.missing |= {name: list(lacks) for name in lookup.take}
    kept = {fitting.add(new): column for new, column in take.items() if column is not None}
    where = _conditions(lookup.where or {}, there.own, fitting)
    split = {there.own(column): sign for column, sign in lookup.split.items()}
    said = {"match": match, "take": kept, "where": where or None, "split": split, **file_words(there.file.sample)}
    return lookup.model_copy(update=said)


def file_words(sample: FileSample) -> dict[str, object]:
    """Return the words that a file needs to be found and opened."""
    words = {
        "file": sample.shown, "encoding": sample.encoding, "delimiter": sample.delimiter, "sheet": sample.sheet,
        "records": sample.records, "skip_lines": sample.skip_lines,
    }  # fmt: skip
    return {name: word for name, word in words.items() if word and (name, word) != ("delimiter", ",")}


def _derived(
    column: str, cases: Sequence[DerivedCase], fitting: _SourceNames
) -> list[tuple[str, tuple[DerivedCase, ...]]]:
    """Return a derived column with its cases; none where it is a column of the file, or always empty."""
    kept: list[DerivedCase] = []
    for case in cases:
        when = {name: test for name, test in (case.when or {}).items() if fitting.own(name) is not None}
        gone = {name: test for name, test in (case.when or {}).items() if name not in when}
        if not all(met_when_empty(test) for test in gone.values()):
            continue  # no row meets it
        own = {fitting.own(name) or name: test for name, test in when.items()}
        source = fitting.own(case.column) if case.column is not None else None
        if case.column is not None and source is None:
            if case is not cases[-1]:
                fitting.lacking.append(case.column)
            break  # empty in all other rows, as without any case
        kept.append(case.model_copy(update={"when": own or None, "column": source}))
        if not own:
            break
    fitting.new[column] = None
    if len(kept) == 1 and kept[0].when is None and kept[0].column is not None:
        fitting.new[column] = kept[0].column
        return []
    return [(fitting.add(column), tuple(kept))] if kept else []


def _conditions(tests: Mapping[str, CellCondition], own: Spelling, fitting: _SourceNames) -> dict[str, CellCondition]:
    kept = {}
    for column, test in tests.items():
        name = own(column)
        if name is not None:
            kept[name] = test
        elif not met_when_empty(test):
            fitting.lacking += fitting.missing.get(column, [column])
        elif column not in fitting.new:
            fitting.dropped.append(column)
    return kept


def met_when_empty(test: CellCondition) -> bool:
    """
    Test whether an empty cell meets a condition, so that it may be dropped where a file lacks the column.

    >>> met_when_empty(CellTest(is_not=True)), met_when_empty(CellTest(given=False)), met_when_empty("won")
    (True, True, False)
    """
    return isinstance(test, CellTest) and test.starts_with is None and test.given is not True


def _columns(source: FileSource, fitting: _SourceNames) -> object:
    said = source.columns.model_dump(exclude_none=True)
    own = {role: fitting.own(column) for role, column in said.items()}
    needed = _NEEDED_OF_CHANGES if isinstance(source, LeadChangeSource) else _NEEDED
    lacking = [said[role] for role, column in own.items() if column is None and role in needed]
    fitting.lacking += lacking
    fitting.dropped += [said[role] for role, column in own.items() if column is None and role not in needed]
    kept = {role: column for role, column in own.items() if column is not None}
    return source.columns if lacking else type(source.columns)(**kept)


def _more_of_leads(source: FileSource, fitting: _SourceNames) -> dict[str, object]:
    """Return the attributes and the outcome of a table of leads, as far as it has their columns."""
    if not isinstance(source, LeadSource):
        return {}
    own = {name: fitting.own(column) for name, column in (source.attributes or {}).items()}
    fitting.dropped += [column for name, column in (source.attributes or {}).items() if own[name] is None]
    attributes = {name: column for name, column in own.items() if column is not None}
    return {"attributes": attributes, "outcome": _outcome(source.outcome, fitting)}


def _outcome(outcome: OutcomeInLeads | None, fitting: _SourceNames) -> OutcomeInLeads | None:
    if outcome is None:
        return None
    said = outcome.model_dump(exclude_none=True, exclude={"stages"})
    own = {role: fitting.own(column) for role, column in said.items()}
    fitting.dropped += [said[role] for role, column in own.items() if column is None]
    if own["column"] is None or own["reached_at"] is None:
        return None
    return OutcomeInLeads.model_validate({**{k: v for k, v in own.items() if v is not None}, "stages": outcome.stages})
