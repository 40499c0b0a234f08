# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""
From rows of an export to rows of the contract: each kind of source as SQL, one SELECT per file.

Every mapping works in three layers: cells are read, instants are completed, the contract's columns and the faults
are written down. No layer filters, so each row of a file arrives, well or marked.
"""

from collections.abc import Mapping, Sequence

from data.files.export_file import ExportFile
from data.importing.attribute_mapping import attribute_cells, attribute_checks, lost_cells
from data.importing.staging import IGNORED, PREVIOUS, Part, StagingRules, fact_checks, word_meanings
from data.reading.cells import Cells
from data.reading.currency_cells import (
    attribute_currencies,
    beside_currency,
    currency_checks,
    currency_read,
    with_currency,
)
from data.reading.id_cells import id_checks
from data.sql import faults_of, in_words, listed, literal, quoted, select
from data.words.source_columns import attribute_words, history_columns, lead_attributes, mapped_columns
from data.words.sources import (
    ActivitySource,
    EventLogSource,
    Ignored,
    LeadChangeSource,
    LeadSource,
    OutcomeInLeads,
    OutcomeSource,
)

Columns = dict[str, str]


def lead_rows(source: LeadSource, part: Part, *, file: ExportFile, file_number: int, rules: StagingRules) -> str:
    """Read a table of leads; a version without ``known_at`` was known when the lead was created."""
    (cells, rows), columns = file.tidied(mapped_columns(source, rules.business)), source.columns
    named = lead_attributes(source, rules.business)
    times = columns.created_at, source.snapshot_date or columns.known_at
    read = {
        **_place(part, file, file_number),
        "lead_id": cells.id(columns.lead_id, rules.business.ids),
        "account_id": cells.id(columns.account_id, rules.business.account_ids),
        **_times(cells, *times),
        **attribute_cells(cells, named, rules),
    }
    currencies = attribute_currencies(cells, source)
    for name, currency in currencies.items():
        read[f"raw_{name}"] = beside_currency(read[f"raw_{name}"], currency)
        read[f"read_{name}"] = with_currency(read[f"read_{name}"], currency)
        read[f"currency_{name}"] = currency
    origin = _completed(select(read, rows), cells, *times)
    if source.snapshot_date is None:
        return _leads(origin, list(named), rules, money=list(currencies))
    # a dump that was made during a day is known when that day is over, like one of which only the day is said
    day_over = "greatest(known_at, day_end(zone_clock(known_us)::DATE))"
    return _leads(
        f"SELECT * REPLACE ({day_over} AS known_at) FROM ({origin})",
        list(named),
        rules,
        dumped=True,
        money=list(currencies),
    )


def lead_change_rows(
    source: LeadChangeSource, part: Part, *, file: ExportFile, file_number: int, rules: StagingRules
) -> str:
    """Read a history of attributes: each row is a change of the attribute that its word means."""
    (cells, rows), columns = file.tidied(mapped_columns(source, rules.business)), source.columns
    histories = history_columns(source, rules.business)
    named = {name: each.value for name, each in histories.items()}
    named |= {f"{PREVIOUS}{name}": each.previous for name, each in histories.items() if each.previous is not None}
    words = attribute_words(source, rules.business)
    read = {
        **_place(part, file, file_number),
        "lead_id": cells.id(columns.lead_id, rules.business.ids),
        "word": cells.text(columns.attribute),
        **_times(cells, columns.known_at, None),
        **attribute_cells(cells, named, rules),
    }
    checks = [
        ("lead_id IS NULL", "missing:lead_id"),
        *id_checks("lead_id", rules.business.ids),
        ("word IS NULL", "missing:attribute"),
        ("word IS NOT NULL AND _attribute IS NULL", "unknown_attribute:attribute"),
        *fact_checks("known_at", rules),
        *[check for name in named for check in attribute_checks(name, rules)],
    ]
    own = {name: quoted(name) for name in ("lead_id", "_attribute", "known_at")}
    own |= {name: quoted(f"read_{name}") for name in named} | {"_lost": lost_cells(list(named), rules)}
    completed = _completed(select(read, rows), cells, columns.known_at, None)
    meant = f"SELECT *, {in_words('word', words)} AS _attribute FROM ({completed})"
    return _final(own, meant, checks, ignored=_unwanted(source.ignore, words))


def outcomes_in_leads(
    source: LeadSource, part: Part, *, file: ExportFile, file_number: int, rules: StagingRules
) -> str:
    """Read the outcomes in a table of leads; a row without a stage has no outcome yet."""
    outcome = source.outcome
    if outcome is None:
        message = f"{source.file} has no outcome columns"
        raise ValueError(message)
    cells, rows = file.tidied(mapped_columns(source, rules.business))
    read = {
        **_place(part, file, file_number),
        "outcome_id": "NULL::VARCHAR",
        "lead_id": cells.id(source.columns.lead_id, rules.business.ids),
        "stage": _stage_of(cells, outcome),
        **_times(cells, outcome.reached_at, outcome.known_at),
        **_amount(cells, outcome.amount, outcome.reason),
        **currency_read(cells, outcome.currency, source.currency),
    }
    made = f"left(md5(concat_ws(chr(31), {literal(source.file)}, lead_id, stage, fact_at)), 20)"
    columns = {**_outcome_columns(), "outcome_id": made}
    completed = _completed(select(read, rows), cells, outcome.reached_at, outcome.known_at)
    return _final(columns, completed, _outcome_checks(rules), ignored="stage IS NULL")


def activity_rows(
    source: ActivitySource, part: Part, *, file: ExportFile, file_number: int, rules: StagingRules
) -> str:
    """Read a file of activities, of one kind or with a column that names it."""
    (cells, rows), columns = file.tidied(mapped_columns(source, rules.business)), source.columns
    salt = f"{source.file}|{source.kind or ''}|{columns.occurred_at}"
    read = {
        **_place(part, file, file_number),
        "activity_id": cells.id(columns.activity_id, "exact") if columns.activity_id else cells.content(salt),
        "lead_id": cells.id(columns.lead_id, rules.business.ids),
        "word": literal(source.kind) if columns.kind is None else cells.joined(columns.kind),
        **_times(cells, columns.occurred_at, columns.known_at),
        **_subject(cells, columns.subject, columns.value),
        **currency_read(cells, columns.currency, source.currency),
    }
    words = (
        {source.kind: source.kind} if source.kind else word_meanings(source.kinds, all_known=rules.business.activities)
    )
    completed = _completed(select(read, rows), cells, columns.occurred_at, columns.known_at)
    return activities_of(completed, words, ignore=source.ignore, rules=rules)


def outcome_rows(source: OutcomeSource, part: Part, *, file: ExportFile, file_number: int, rules: StagingRules) -> str:
    """Read a file of stages that leads reached."""
    (cells, rows), columns = file.tidied(mapped_columns(source, rules.business)), source.columns
    read = {
        **_place(part, file, file_number),
        "outcome_id": cells.id(columns.outcome_id, "exact") if columns.outcome_id else cells.content(source.file),
        "lead_id": cells.id(columns.lead_id, rules.business.ids),
        "word": literal(source.stage) if source.stage else cells.text(source.stage_column),
        **_times(cells, columns.reached_at, columns.known_at),
        **_amount(cells, columns.amount, columns.reason),
        **currency_read(cells, columns.currency, source.currency),
    }
    words = (
        {source.stage: source.stage} if source.stage else word_meanings(source.stages, all_known=rules.business.stages)
    )
    completed = _completed(select(read, rows), cells, columns.reached_at, columns.known_at)
    return outcomes_of(completed, words, ignore=source.ignore, rules=rules)


def event_rows(source: EventLogSource, part: Part, *, file: ExportFile, file_number: int, rules: StagingRules) -> str:
    """Read the events of a log, not yet split into activities, outcomes and the rest."""
    (cells, rows), columns = file.tidied(mapped_columns(source, rules.business)), source.columns
    made = cells.content(source.file)
    read = {
        **_place(part, file, file_number),
        "activity_id": made,
        "outcome_id": made,
        "lead_id": cells.id(columns.lead_id, rules.business.ids),
        "account_id": cells.id(columns.account_id, rules.business.account_ids),
        "word": cells.joined(columns.kind),
        **_times(cells, columns.occurred_at, None),
        **_subject(cells, columns.subject, columns.value),
        **_amount(cells, None, None),
        **currency_read(cells, None, None),
        **attribute_cells(cells, source.attributes, rules),
    }
    return _completed(select(read, rows), cells, columns.occurred_at, None)


def leads_of_events(source: EventLogSource, part: Part, *, events: str, rules: StagingRules) -> str:
    """Derive each case's lead from its first event that has a usable time."""
    usable = f"lead_id IS NOT NULL AND fact_at <= {rules.now_us}"
    first = "row_number() OVER (PARTITION BY lead_id ORDER BY fact_at, _file, _row)"
    origin = f"SELECT * REPLACE ({part.number} AS _part) FROM {events} WHERE {usable} QUALIFY {first} = 1"
    return _leads(origin, list(source.attributes), rules)


def activities_of(origin: str, words: Mapping[str, str], *, ignore: Ignored, rules: StagingRules) -> str:
    """Write rows down as activities; ``word`` is what the export calls the kind."""
    kinds = listed(rules.with_subject), listed(rules.with_value)
    is_money = f"kind IN {listed(rules.of_money)}"
    checks = [
        ("activity_id IS NULL", "missing:activity_id"),
        ("lead_id IS NULL", "missing:lead_id"),
        *id_checks("activity_id", "exact"),
        *id_checks("lead_id", rules.business.ids),
        ("word IS NULL", "missing:kind"),
        ("word IS NOT NULL AND kind IS NULL", "unknown_kind:kind"),
        *fact_checks("occurred_at", rules),
        (f"subject IS NOT NULL AND kind NOT IN {kinds[0]}", "unexpected_subject:subject"),
        (_other_subject(rules), "unknown_subject:subject"),
        (f"raw_value IS NOT NULL AND kind NOT IN {kinds[1]}", "unexpected_value:value"),
        (_no_number("raw_value", "value"), "not_a_number:value"),
        *currency_checks("raw_value", where=is_money),
    ]
    columns = {name: quoted(name) for name in ("activity_id", "lead_id", "kind", "known_at", "subject", "value")}
    columns["_currency_value"] = f"CASE WHEN {is_money} THEN currency END"
    read = f"SELECT *, {in_words('word', words)} AS kind FROM ({origin})"
    return _final({**columns, "occurred_at": "fact_at"}, read, checks, ignored=_unwanted(ignore, words))


def _other_subject(rules: StagingRules) -> str:
    """Return whether a row is about a subject that its kind does not list."""
    others = [
        f"(kind = {literal(kind)} AND subject NOT IN {listed(subjects)})"
        for kind, subjects in rules.listed_subjects.items()
    ]
    return " OR ".join(others) or "FALSE"


def outcomes_of(origin: str, words: Mapping[str, str], *, ignore: Ignored, rules: StagingRules) -> str:
    """Write rows down as outcomes; ``word`` is what the export calls the stage."""
    checks = [
        ("outcome_id IS NULL", "missing:outcome_id"),
        *id_checks("outcome_id", "exact"),
        ("word IS NULL", "missing:stage"),
        ("word IS NOT NULL AND stage IS NULL", "unknown_stage:stage"),
        *_outcome_checks(rules),
    ]
    read = f"SELECT *, {in_words('word', words)} AS stage FROM ({origin})"
    return _final(_outcome_columns(), read, checks, ignored=_unwanted(ignore, words))


def _unwanted(ignore: Ignored, words: Mapping[str, str]) -> str:
    """Return whether a row's word is one that the source ignores; a row without a word is not."""
    if isinstance(ignore, str):
        return f"word IS NOT NULL AND NOT coalesce(word IN {listed(words)}, FALSE)"
    return f"word IN {listed(ignore)}"


def _leads(
    origin: str, names: Sequence[str], rules: StagingRules, *, dumped: bool = False, money: Sequence[str] = ()
) -> str:
    checks = [
        ("lead_id IS NULL", "missing:lead_id"),
        *id_checks("lead_id", rules.business.ids),
        *id_checks("account_id", rules.business.account_ids),
        *fact_checks("created_at", rules, known_at="snapshot_date" if dumped else "known_at"),
        *([("NOT known_given", "missing:snapshot_date")] if dumped else []),
        *[check for name in names for check in attribute_checks(name, rules)],
    ]
    columns = {"lead_id": "lead_id", "account_id": "account_id", "created_at": "fact_at", "known_at": "known_at"}
    columns |= {name: quoted(f"read_{name}") for name in names}
    columns |= {f"_currency_{name}": quoted(f"currency_{name}") for name in money}
    return _final({**columns, "_lost": lost_cells(names, rules)}, origin, checks, ignored="FALSE")


def _no_number(text: str, number: str) -> str:
    return f"{text} IS NOT NULL AND {number} IS NULL"


def _stage_of(cells: Cells, outcome: OutcomeInLeads) -> str:
    column = outcome.column
    cases = " ".join(
        f"WHEN {cells.says(column, value)} THEN {literal(stage)}" for value, stage in outcome.stages.items()
    )
    return f"CASE {cases} END"


def _place(part: Part, file: ExportFile, file_number: int) -> Columns:
    return {"_part": str(part.number), "_file": str(file_number), "_row": "_row", "_broken": file.broken}


def _times(cells: Cells, fact_column: str, known_column: str | None) -> Columns:
    columns = {"fact": fact_column, "known": known_column}
    read = {f"{name}_given": cells.given(column) for name, column in columns.items()}
    read |= {f"{name}_us": cells.instant(column) for name, column in columns.items()}
    read |= {f"{name}_day": cells.day(column) for name, column in columns.items()}
    read |= {f"{name}_midnight": cells.own_midnight(column) for name, column in columns.items()}
    return {**read, "_assumed": f"NOT ({cells.given(known_column)})" if known_column else "FALSE"}


def _subject(cells: Cells, subject: str | None, value: str | None) -> Columns:
    return {"subject": cells.text(subject), "raw_value": cells.filled(value), "value": cells.number(value)}


def _amount(cells: Cells, amount: str | None, reason: str | None) -> Columns:
    return {"raw_amount": cells.filled(amount), "amount": cells.number(amount), "reason": cells.text(reason)}


def _completed(read: str, cells: Cells, fact_column: str, known_column: str | None) -> str:
    """Complete the instants: what is known by its day alone is over, and known, when that day is over."""
    columns = {"fact": fact_column, "known": known_column}
    ends = {
        name: cells.midnight_end(column, us=f"{name}_us", own_midnight=f"{name}_midnight")
        for name, column in columns.items()
    }
    until = f"coalesce(day_end(fact_day), {ends['fact']}, fact_us)"
    known_at = f"coalesce(day_end(known_day), {ends['known']}, known_us, {until})"
    plausible = "plausible(fact_us) AS fact_at, plausible(known_us) AS known_raw"
    return f"SELECT *, {plausible}, {until} AS _until, {known_at} AS known_at FROM ({read})"


def _outcome_columns() -> Columns:
    columns = {name: quoted(name) for name in ("outcome_id", "lead_id", "stage", "known_at", "amount", "reason")}
    return {**columns, "reached_at": "fact_at", "_currency_amount": "currency"}


def _outcome_checks(rules: StagingRules) -> list[tuple[str, str]]:
    checks = [
        ("lead_id IS NULL", "missing:lead_id"),
        *id_checks("lead_id", rules.business.ids),
        *fact_checks("reached_at", rules),
    ]
    return [*checks, (_no_number("raw_amount", "amount"), "not_a_number:amount"), *currency_checks("raw_amount")]


def _final(columns: Columns, origin: str, checks: Sequence[tuple[str, str]], *, ignored: str) -> str:
    broken = "CASE WHEN _broken THEN 'broken_line:line'"
    faults = f"{broken} WHEN {ignored} THEN {literal(IGNORED)} ELSE {faults_of(checks)} END"
    place = {name: name for name in ("_part", "_file", "_row", "_until", "_assumed")}
    return select({**place, **columns, "_faults": faults}, f"({origin})")
