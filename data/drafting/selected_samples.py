# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""The rows of a sample that a source selects, looked up, derived and filtered by the very code that imports them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from data.drafting.column_facts import ColumnContent, ColumnFacts, facts_of
from data.drafting.file_roles import ExaminedFile
from data.drafting.file_samples import FileSample, SampleTools
from data.drafting.notation_agreement import agreeing
from data.drafting.source_fitting import FittedSource
from data.files.export_file import ExportFile, ImportTools
from data.importing.quality import JoinCount
from data.importing.row_selection import select_rows
from data.progress import silent
from data.reading.cells import NEVER_IN_A_NAME
from data.sql import literal, quoted
from data.words.business import Business
from data.words.row_words import Lookup, RowWords
from data.words.sources import OutcomeSource
from data.words.writing import CellWriting

STAGE = f"{NEVER_IN_A_NAME}stage"
"""The column of a sample that holds the one stage of all its rows."""

_WRITTEN = {ColumnContent.INSTANT, ColumnContent.NUMBER, ColumnContent.BOOLEAN}


@dataclass(frozen=True, slots=True)
class SelectedSample:
    """
    The rows that a source selects.

    Attributes:
        file: they as a file of their own; the whole file where there are none.
        taken: how many rows of the whole file are among them; lookups may repeat one.
        joins: what the lookups met.
    """

    file: ExaminedFile
    taken: int
    joins: tuple[JoinCount, ...]


def select_sample(
    fitted: FittedSource, ids: Sequence[str], *, playbook: Business, tools: SampleTools
) -> SelectedSample:
    """
    Select the rows of a company's file as a source says.

    Args:
        fitted: the source in the company's names.
        ids: columns that hold ids, whatever their cells look like.
        playbook: by its ids rule keys compare.
        tools: the connection that holds the samples.
    """
    samples = {file.shown: file.sample for file in (fitted.file, *fitted.there)}

    def find(lookup: Lookup) -> list[ExportFile]:
        return [_opened(samples[lookup.file])]

    scratch = tools.scratch / f"{fitted.file.sample.table}_{fitted.source.holds}"
    scratch.mkdir(exist_ok=True)
    columns = fitted.source.columns
    own_id: str | None = getattr(columns, "activity_id", None) or getattr(columns, "outcome_id", None)
    selected = select_rows(
        _opened(fitted.file.sample),
        _with_words(fitted.source, fitted.file.facts),
        find=find,
        playbook=playbook,
        repeated_id=own_id,
        tools=ImportTools(tools.connection, scratch, silent),
    )
    if not selected.file.count:
        return SelectedSample(fitted.file, 0, selected.joins)
    sample = _stored(fitted, selected.file, tools)
    facts = _facts(sample, fitted.file.facts, ids, tools)
    taken = fitted.file.sample.rows - selected.file.skipped
    return SelectedSample(replace(fitted.file, sample=sample, facts=facts), taken, selected.joins)


def _opened(sample: FileSample) -> ExportFile:
    types = dict.fromkeys(sample.columns, "VARCHAR")
    return ExportFile(sample.shown, sample.format, types, sample.table, sample.rows, original="NULL::VARCHAR")


def _with_words(source: RowWords, facts: Mapping[str, ColumnFacts]) -> RowWords:
    """Return a source that knows the company's words for yes and no, which its conditions look at."""
    written = {
        name: CellWriting(yes=each.yes or None, no=each.no or None)
        for name, each in facts.items()
        if each.yes or each.no
    }
    return source.model_copy(update={"written": written})


def _stored(fitted: FittedSource, selected: ExportFile, tools: SampleTools) -> FileSample:
    """Keep the selected rows as a table of their own, beside the one of the whole file."""
    names = list(selected.types)
    number = "row_number() OVER (ORDER BY _row) AS _row"
    columns = ", ".join([number, *(quoted(name) for name in names)])
    source = fitted.source
    if isinstance(source, OutcomeSource) and source.stage is not None:
        columns += f", {literal(source.stage)} AS {quoted(STAGE)}"
        names.append(STAGE)
    whole = fitted.file.sample
    table = f"{whole.table}_{source.holds}"  # a file may be read for its stages and for its changes
    tools.connection.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT {columns} FROM {selected.rows} ORDER BY 1")
    return replace(whole, table=table, columns=tuple(names), rows=selected.count, name_dates=None)


def _facts(
    sample: FileSample, whole: Mapping[str, ColumnFacts], ids: Sequence[str], tools: SampleTools
) -> dict[str, ColumnFacts]:
    """Return the facts of the selected rows; how cells are written, the whole file shows better."""
    facts = agreeing(facts_of(sample, tools))
    for name, each in facts.items():
        if name in ids:
            facts[name] = replace(each, content=ColumnContent.TEXT, dates=None, numbers=None)
        elif name in whole and whole[name].content in _WRITTEN and each.filled:
            known = whole[name]
            facts[name] = replace(
                each, content=known.content, dates=known.dates, numbers=known.numbers, yes=known.yes, no=known.no
            )
    return facts
