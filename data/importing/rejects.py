# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""The rows that were rejected: counted, three of each kind shown, all saved with their reasons."""

import json
from pathlib import Path

from data.errors import IntakeError, QualityError
from data.files.export_file import ExportFile
from data.importing.exports import reading
from data.importing.intake import StagedRows
from data.importing.lost_values import lost_values
from data.importing.mends import mend_of
from data.importing.quality import EXAMPLES, QualityReport, SourceCount, Violation, ViolationExample
from data.importing.row_faults import describe_fault, split_fault
from data.importing.staging import IGNORED, LEAD_CHANGES, Part
from data.sql import literal
from data.words.playbook import Business
from data.words.source_columns import attribute_words
from data.words.sources import EventLogSource, FileSource, LeadChangeSource, LeadSource

_REJECTED = (
    "CREATE TABLE rejected (_part USMALLINT, source VARCHAR, file VARCHAR, row BIGINT, holds VARCHAR,"
    " rules VARCHAR[], reasons VARCHAR, original VARCHAR)"
)


def report_of(staged: StagedRows, business: Business) -> QualityReport:
    """
    Count what became of every row, and collect the rejected ones in the table ``rejected``.

    Raises:
        IntakeError: a source has no rows at all.
        QualityError: rows in are not rows out plus rejected plus ignored, which would be a bug.
    """
    staged.connection.execute(_REJECTED)
    for part in staged.parts:
        _gather(staged, part)
    _put_reasons_into_words(staged)
    return QualityReport(
        playbook=business.name,
        sources=tuple(_count(staged, part) for part in staged.parts),
        violations=tuple(violation for part in staged.parts for violation in _violations(staged, part, business)),
        lost=tuple(
            lost
            for part in staged.parts
            if part.holds in {"leads", LEAD_CHANGES}
            for lost in lost_values(staged, part, business)
        ),
        most_rejected=business.most_rejected,
        joins=tuple(join for export in staged.exports for join in export.joins),
    )


def write_rejected(staged: StagedRows, path: Path) -> bool:
    """Write the rejected rows to a Parquet file, and return whether there were any."""
    if _number(staged, "SELECT count(*) FROM rejected") == 0:
        return False
    rows = "SELECT * EXCLUDE (_part) FROM rejected ORDER BY source, file, row"
    staged.connection.execute(f"COPY ({rows}) TO {literal(str(path))} (FORMAT parquet)")
    return True


def _tables(part: Part) -> list[str]:
    return ["activities", "outcomes"] if part.holds == "events" else [part.holds]


def _gather(staged: StagedRows, part: Part) -> None:
    marked = " UNION ALL ".join(
        f"SELECT _file, _row, string_split(_faults, ' ') AS rules, '{table}' AS holds FROM {table}"
        f" WHERE _part = {part.number} AND _faults NOT IN ('', '{IGNORED}')"
        for table in _tables(part)
    )
    staged.connection.execute(f"CREATE OR REPLACE TEMP TABLE marked AS {marked}")
    for file_number, file in enumerate(staged.files_of(part)):
        if _number(staged, f"SELECT count(*) FROM marked WHERE _file = {file_number}"):
            with reading(file.shown, file.format):
                _gather_marked(staged, part, file=file, file_number=file_number)
        if not part.derived:
            _gather_broken_lines(staged, part, file=file, file_number=file_number)


def _gather_marked(staged: StagedRows, part: Part, *, file: ExportFile, file_number: int) -> None:
    """Fetch the originals of marked rows from their file."""
    wanted = f"_row IN (SELECT _row FROM marked WHERE _file = {file_number})"
    originals = f"SELECT _row, any_value({file.as_json}) AS original FROM {file.rows} WHERE {wanted} GROUP BY _row"
    where_from = f"{part.number}, {literal(part.source)}, {literal(file.shown)}, m._row"
    staged.connection.execute(
        f"INSERT INTO rejected SELECT {where_from}, m.holds, m.rules, NULL, o.original"
        f" FROM marked AS m JOIN ({originals}) AS o USING (_row) WHERE m._file = {file_number}"
    )


def _gather_broken_lines(staged: StagedRows, part: Part, *, file: ExportFile, file_number: int) -> None:
    where_from = f"{part.number}, {literal(part.source)}, {literal(file.shown)}, line"
    original = "to_json({'line': content, 'why': why})::VARCHAR"
    staged.connection.execute(
        f"INSERT INTO rejected SELECT {where_from}, {literal(part.holds)}, ['broken_line:line'], NULL, {original}"
        f" FROM broken WHERE _part = {part.number} AND _file = {file_number}"
    )


def _put_reasons_into_words(staged: StagedRows) -> None:
    faults = staged.connection.execute("SELECT DISTINCT unnest(rules) FROM rejected").fetchall()
    cases = " ".join(f"WHEN {literal(fault)} THEN {literal(describe_fault(fault))}" for (fault,) in faults)
    if faults:
        words = f"array_to_string(list_transform(rules, lambda r: CASE r {cases} END), '; ')"
        staged.connection.execute(f"UPDATE rejected SET reasons = {words}")


def _count(staged: StagedRows, part: Part) -> SourceCount:
    kept = _marked(staged, part, "_faults = ''")
    ignored = _marked(staged, part, f"_faults = '{IGNORED}'") + _left_out(staged, part)
    rejected = _number(staged, f"SELECT count(*) FROM rejected WHERE _part = {part.number}")
    rows = _rows_in(staged, part)
    if rows == 0 and not part.derived:
        message = f"{part.source} has no rows: export it again, or remove the source from playbook.yaml."
        raise IntakeError(message)
    if rows != kept + rejected + ignored:
        message = (
            f"{part.source}: {rows} rows in, but {kept} kept + {rejected} rejected + {ignored} ignored."
            " This is a bug: please report it."
        )
        raise QualityError(message)
    assumed = 0 if part.holds == "leads" else _marked(staged, part, "_assumed AND _faults = ''")
    return SourceCount(
        source=part.source,
        holds=part.holds,
        rows=rows,
        kept=kept,
        rejected=rejected,
        ignored=ignored,
        assumed_known=assumed,
        derived=part.derived,
        days=_days(staged, part),
    )


def _days(staged: StagedRows, part: Part) -> tuple[str, ...]:
    """Return the columns of a source whose midnights were taken as days; they are told once, with its main part."""
    readings = staged.files_of(part)[0].readings if not part.derived else {}
    return tuple(column for column, reading in readings.items() if reading.days is not None)


def _rows_in(staged: StagedRows, part: Part) -> int:
    """Return how many rows the readers of the files counted, so that a lost row would be missed."""
    if part.derived:
        return _marked(staged, part, "TRUE")
    read = sum(file.count + int(file.broken_lines.num_rows) for file in staged.files_of(part))
    return read + _left_out(staged, part)


def _left_out(staged: StagedRows, part: Part) -> int:
    """Return how many rows of the files the source's ``where`` and ``via`` left out."""
    return 0 if part.derived else sum(file.skipped for file in staged.files_of(part))


def _marked(staged: StagedRows, part: Part, condition: str) -> int:
    counts = [f"SELECT count(*) FROM {table} WHERE _part = {part.number} AND {condition}" for table in _tables(part)]
    return sum(_number(staged, count) for count in counts)


def _number(staged: StagedRows, query: str) -> int:
    return int(staged.connection.execute(query).fetchall()[0][0])


def _violations(staged: StagedRows, part: Part, business: Business) -> list[Violation]:
    single = f"SELECT unnest(rules) AS fault, file, row, original FROM rejected WHERE _part = {part.number}"
    first = f"min_by({{'file': file, 'row': row, 'original': original}}, (file, row), {EXAMPLES})"
    counted = f"SELECT fault, count(*), {first} FROM ({single}) GROUP BY fault ORDER BY 2 DESC, 1"
    groups = staged.connection.execute(counted).fetchall()
    source = staged.exports[part.export_index].source
    found = []
    for fault, count, shown in groups:
        columns = _columns_about(source, part, split_fault(fault)[1], business)
        mend = mend_of(staged, part, fault, column=columns[-1] if columns else None, business=business)
        found.append(_violation(part, columns, fault=fault, mend=mend, count=count, shown=shown))
    return found


def _violation(
    part: Part, columns: list[str], *, fault: str, mend: str, count: int, shown: list[dict[str, str]]
) -> Violation:
    rule, about = split_fault(fault)
    examples = tuple(
        ViolationExample(
            file=example["file"],
            row=int(example["row"]),
            found=_excerpt(example["original"], columns),
        )
        for example in shown
    )
    return Violation(
        rule=rule, about=about, source=part.source, holds=part.holds, count=count,
        says=describe_fault(fault), mend=mend, examples=examples,
    )  # fmt: skip


def _columns_about(source: FileSource, part: Part, about: str, business: Business) -> list[str]:
    """Return the export's columns behind one of the contract's, the id first."""
    columns = source.columns.model_dump()
    if isinstance(source, LeadChangeSource) and about in attribute_words(source, business).values():
        return list(filter(None, (columns[name] for name in ("lead_id", "attribute", "previous", "value"))))
    if isinstance(source, LeadSource):
        columns["snapshot_date"] = source.snapshot_date
    if isinstance(source, LeadSource) and part.derived and source.outcome is not None:
        columns |= {**source.outcome.model_dump(), "stage": source.outcome.column}
    renamed = (
        {"created_at": "occurred_at", "reached_at": "occurred_at", "stage": "kind"}
        if isinstance(source, EventLogSource)
        else {}
    )
    attributes = (source.attributes or {}) if isinstance(source, LeadSource | EventLogSource) else {}
    named = [columns.get("lead_id"), columns.get(renamed.get(about, about)), attributes.get(about, about)]
    flat = [name for item in named if item for name in ([item] if isinstance(item, str) else item)]
    return list(dict.fromkeys(flat))


def _excerpt(original: str, columns: list[str]) -> str:
    try:
        whole = json.loads(original)
    except ValueError:
        return original[:120]
    if not isinstance(whole, dict):
        return original[:120]
    part = {name: whole[name] for name in columns if name in whole} or whole
    return ", ".join(f"{name}={value}" for name, value in part.items())[:120]
