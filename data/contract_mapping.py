# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""
From rows of an export to rows of the contract: each kind of source as SQL, one SELECT per file.

Every mapping works in three layers: cells are read, instants are completed, the contract's columns and the faults
are written down. No layer filters, so each row of a file arrives, well or marked.
"""

from collections.abc import Mapping, Sequence

from data.business import Business, LeadAttribute
from data.cells import NO, YES, Cells, finite
from data.contract import AttributeType
from data.files.export_file import ExportFile
from data.row_words import Scalar
from data.sources import (
    ActivitySource,
    EventLogSource,
    FileSource,
    LeadSource,
    OutcomeInLeads,
    OutcomeSource,
)
from data.sql import faults_of, in_words, listed, literal, quoted, select
from data.staging import IGNORED, Part, StagingRules, fact_checks, word_meanings

_NEXT_DAY = "local_us(({day} + 1)::TIMESTAMP)"
Columns = dict[str, str]


def lead_attributes(source: LeadSource, business: Business) -> dict[str, str]:
    """Return the column of each attribute; a source that names none has all of them, under their own names."""
    return source.attributes if source.attributes is not None else {name: name for name in business.attributes}


def mapped_columns(source: FileSource, business: Business) -> list[str]:
    """Return the columns of the export that a source names."""
    named: list[str | Sequence[str] | None] = list(source.columns.model_dump().values())
    if isinstance(source, EventLogSource):
        named += list(source.attributes.values())
    if isinstance(source, LeadSource):
        named += list(lead_attributes(source, business).values())
    if isinstance(source, LeadSource) and source.outcome is not None:
        outcome = source.outcome
        named += [outcome.column, outcome.reached_at, outcome.known_at, outcome.amount, outcome.reason]
    if isinstance(source, OutcomeSource):
        named.append(source.stage_column)
    flat = [name for item in named if item is not None for name in ([item] if isinstance(item, str) else item)]
    return list(dict.fromkeys(flat))


def lead_rows(source: LeadSource, part: Part, *, file: ExportFile, file_number: int, rules: StagingRules) -> str:
    """Read a table of leads; a version without ``known_at`` was known when the lead was created."""
    cells, columns = file.cells, source.columns
    named = lead_attributes(source, rules.business)
    read = {
        **_place(part, file, file_number),
        "lead_id": cells.id(columns.lead_id),
        "account_id": cells.id(columns.account_id),
        **_times(cells, columns.created_at, columns.known_at),
        **{f"raw_{name}": cells.text(column) for name, column in named.items()},
    }
    return _leads(_completed(select(read, file.rows)), list(named), rules)


def outcomes_in_leads(
    source: LeadSource, part: Part, *, file: ExportFile, file_number: int, rules: StagingRules
) -> str:
    """Read the outcomes in a table of leads; a row without a stage has no outcome yet."""
    outcome = source.outcome
    if outcome is None:
        message = f"{source.file} has no outcome columns"
        raise ValueError(message)
    cells = file.cells
    read = {
        **_place(part, file, file_number),
        "outcome_id": "NULL::VARCHAR",
        "lead_id": cells.id(source.columns.lead_id),
        "stage": _stage_of(cells, outcome),
        **_times(cells, outcome.reached_at, outcome.known_at),
        **_amount(cells, outcome.amount, outcome.reason),
    }
    made = f"left(md5(concat_ws(chr(31), {literal(source.file)}, lead_id, stage, fact_at)), 20)"
    columns = {**_outcome_columns(), "outcome_id": made}
    return _final(columns, _completed(select(read, file.rows)), _outcome_checks(rules), ignored="stage IS NULL")


def activity_rows(
    source: ActivitySource, part: Part, *, file: ExportFile, file_number: int, rules: StagingRules
) -> str:
    """Read a file of activities, of one kind or with a column that names it."""
    cells, columns = file.cells, source.columns
    salt = f"{source.file}|{source.kind or ''}|{columns.occurred_at}"
    read = {
        **_place(part, file, file_number),
        "activity_id": cells.id(columns.activity_id) if columns.activity_id else cells.content(salt),
        "lead_id": cells.id(columns.lead_id),
        "word": literal(source.kind) if columns.kind is None else cells.joined(columns.kind),
        **_times(cells, columns.occurred_at, columns.known_at),
        **_subject(cells, columns.subject, columns.value),
    }
    words = (
        {source.kind: source.kind} if source.kind else word_meanings(source.kinds, all_known=rules.business.activities)
    )
    return activities_of(_completed(select(read, file.rows)), words, ignore=source.ignore, rules=rules)


def outcome_rows(source: OutcomeSource, part: Part, *, file: ExportFile, file_number: int, rules: StagingRules) -> str:
    """Read a file of stages that leads reached."""
    cells, columns = file.cells, source.columns
    read = {
        **_place(part, file, file_number),
        "outcome_id": cells.id(columns.outcome_id) if columns.outcome_id else cells.content(source.file),
        "lead_id": cells.id(columns.lead_id),
        "word": literal(source.stage) if source.stage else cells.text(source.stage_column),
        **_times(cells, columns.reached_at, columns.known_at),
        **_amount(cells, columns.amount, columns.reason),
    }
    words = (
        {source.stage: source.stage} if source.stage else word_meanings(source.stages, all_known=rules.business.stages)
    )
    return outcomes_of(_completed(select(read, file.rows)), words, ignore=source.ignore, rules=rules)


def event_rows(source: EventLogSource, part: Part, *, file: ExportFile, file_number: int) -> str:
    """Read the events of a log, not yet split into activities, outcomes and the rest."""
    cells, columns = file.cells, source.columns
    made = cells.content(source.file)
    read = {
        **_place(part, file, file_number),
        "activity_id": made,
        "outcome_id": made,
        "lead_id": cells.id(columns.lead_id),
        "account_id": cells.id(columns.account_id),
        "word": cells.joined(columns.kind),
        **_times(cells, columns.occurred_at, None),
        **_subject(cells, columns.subject, columns.value),
        **_amount(cells, None, None),
        **{f"raw_{name}": cells.text(column) for name, column in source.attributes.items()},
    }
    return _completed(select(read, file.rows))


def leads_of_events(source: EventLogSource, part: Part, *, events: str, rules: StagingRules) -> str:
    """Derive each case's lead from its first event that has a usable time."""
    usable = f"lead_id IS NOT NULL AND fact_at <= {rules.now_us}"
    first = "row_number() OVER (PARTITION BY lead_id ORDER BY fact_at, _file, _row)"
    origin = f"SELECT * REPLACE ({part.number} AS _part) FROM {events} WHERE {usable} QUALIFY {first} = 1"
    return _leads(origin, list(source.attributes), rules)


def activities_of(origin: str, words: Mapping[str, str], *, ignore: Sequence[str], rules: StagingRules) -> str:
    """Write rows down as activities; ``word`` is what the export calls the kind."""
    kinds = listed(rules.with_subject), listed(rules.with_value)
    checks = [
        ("activity_id IS NULL", "missing:activity_id"),
        ("lead_id IS NULL", "missing:lead_id"),
        ("word IS NULL", "missing:kind"),
        ("word IS NOT NULL AND kind IS NULL", "unknown_kind:kind"),
        *fact_checks("occurred_at", rules),
        (f"subject IS NOT NULL AND kind NOT IN {kinds[0]}", "unexpected_subject:subject"),
        (_other_subject(rules), "unknown_subject:subject"),
        (f"raw_value IS NOT NULL AND kind NOT IN {kinds[1]}", "unexpected_value:value"),
        (_no_number("raw_value", "value"), "not_a_number:value"),
    ]
    columns = {name: quoted(name) for name in ("activity_id", "lead_id", "kind", "known_at", "subject", "value")}
    read = f"SELECT *, {in_words('word', words)} AS kind FROM ({origin})"
    return _final({**columns, "occurred_at": "fact_at"}, read, checks, ignored=f"word IN {listed(ignore)}")


def _other_subject(rules: StagingRules) -> str:
    """Return whether a row is about a subject that its kind does not list."""
    others = [
        f"(kind = {literal(kind)} AND subject NOT IN {listed(subjects)})"
        for kind, subjects in rules.listed_subjects.items()
    ]
    return " OR ".join(others) or "FALSE"


def outcomes_of(origin: str, words: Mapping[str, str], *, ignore: Sequence[str], rules: StagingRules) -> str:
    """Write rows down as outcomes; ``word`` is what the export calls the stage."""
    checks = [
        ("outcome_id IS NULL", "missing:outcome_id"),
        ("word IS NULL", "missing:stage"),
        ("word IS NOT NULL AND stage IS NULL", "unknown_stage:stage"),
        *_outcome_checks(rules),
    ]
    read = f"SELECT *, {in_words('word', words)} AS stage FROM ({origin})"
    return _final(_outcome_columns(), read, checks, ignored=f"word IN {listed(ignore)}")


def _leads(origin: str, names: Sequence[str], rules: StagingRules) -> str:
    attributes = rules.business.attributes
    checks = [
        ("lead_id IS NULL", "missing:lead_id"),
        *fact_checks("created_at", rules),
        *[check for name in names for check in _attribute_checks(name, attributes[name])],
    ]
    columns = {"lead_id": "lead_id", "account_id": "account_id", "created_at": "fact_at", "known_at": "known_at"}
    columns |= {name: _attribute(f"raw_{name}", attributes[name].type) for name in names}
    return _final(columns, origin, checks, ignored="FALSE")


def _attribute(text: str, kind: AttributeType) -> str:
    match kind:
        case AttributeType.NUMERIC:
            return finite(quoted(text))
        case AttributeType.BOOLEAN:
            return _yes_or_no(quoted(text))
        case AttributeType.CATEGORY:
            return quoted(text)


def _attribute_checks(name: str, attribute: LeadAttribute) -> list[tuple[str, str]]:
    text = quoted(f"raw_{name}")
    match attribute.type:
        case AttributeType.NUMERIC:
            return [(_no_number(text, finite(text)), f"not_a_number:{name}")]
        case AttributeType.BOOLEAN:
            return [(f"{text} IS NOT NULL AND {_yes_or_no(text)} IS NULL", f"not_yes_or_no:{name}")]
        case AttributeType.CATEGORY if attribute.values is not None:
            return [(f"{text} NOT IN {listed(attribute.values)}", f"unknown_value:{name}")]
        case AttributeType.CATEGORY:
            return []


def _no_number(text: str, number: str) -> str:
    """Test for text that is not a number; ``nan`` is not a fault, since many tools write it for a missing number."""
    return f"{text} IS NOT NULL AND {number} IS NULL AND lower({text}) <> 'nan'"


def _yes_or_no(text: str) -> str:
    return f"CASE WHEN lower({text}) IN {listed(YES)} THEN TRUE WHEN lower({text}) IN {listed(NO)} THEN FALSE END"


def _stage_of(cells: Cells, outcome: OutcomeInLeads) -> str:
    text = cells.text(outcome.column)
    cases = " ".join(f"WHEN {_says(text, value)} THEN {literal(stage)}" for value, stage in outcome.stages.items())
    return f"CASE {cases} END"


def _says(text: str, value: Scalar) -> str:
    if isinstance(value, bool):
        return f"{_yes_or_no(text)} IS {'TRUE' if value else 'FALSE'}"
    if isinstance(value, int | float):
        return f"TRY_CAST({text} AS DOUBLE) = {literal(value)}"
    return f"{text} = {literal(value)}"


def _place(part: Part, file: ExportFile, file_number: int) -> Columns:
    return {"_part": str(part.number), "_file": str(file_number), "_row": "_row", "_broken": file.broken}


def _times(cells: Cells, fact_column: str, known_column: str | None) -> Columns:
    return {
        "fact_given": cells.given(fact_column),
        "fact_at": cells.instant(fact_column),
        "fact_day": cells.day(fact_column),
        "known_given": cells.given(known_column),
        "known_raw": cells.instant(known_column),
        "known_day": cells.day(known_column),
        "_assumed": f"NOT ({cells.given(known_column)})" if known_column else "FALSE",
    }


def _subject(cells: Cells, subject: str | None, value: str | None) -> Columns:
    return {"subject": cells.text(subject), "raw_value": cells.text(value), "value": cells.number(value)}


def _amount(cells: Cells, amount: str | None, reason: str | None) -> Columns:
    return {"raw_amount": cells.text(amount), "amount": cells.number(amount), "reason": cells.text(reason)}


def _completed(read: str) -> str:
    """Complete the instants: what is known by its day alone is over, and known, when that day is over."""
    until = f"coalesce({_NEXT_DAY.format(day='fact_day')}, fact_at)"
    known_at = f"coalesce({_NEXT_DAY.format(day='known_day')}, known_raw, {until})"
    return f"SELECT *, {until} AS _until, {known_at} AS known_at FROM ({read})"


def _outcome_columns() -> Columns:
    columns = {name: quoted(name) for name in ("outcome_id", "lead_id", "stage", "known_at", "amount", "reason")}
    return {**columns, "reached_at": "fact_at"}


def _outcome_checks(rules: StagingRules) -> list[tuple[str, str]]:
    checks = [("lead_id IS NULL", "missing:lead_id"), *fact_checks("reached_at", rules)]
    return [*checks, (_no_number("raw_amount", "amount"), "not_a_number:amount")]


def _final(columns: Columns, origin: str, checks: Sequence[tuple[str, str]], *, ignored: str) -> str:
    broken = "CASE WHEN _broken THEN 'broken_line:line'"
    faults = f"{broken} WHEN {ignored} THEN {literal(IGNORED)} ELSE {faults_of(checks)} END"
    place = {name: name for name in ("_part", "_file", "_row", "_until", "_assumed")}
    return select({**place, **columns, "_faults": faults}, f"({origin})")
