# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""How a file of activities is mapped: its ids, its instants, its kinds."""

from collections.abc import Mapping
from dataclasses import replace

from data.drafting.column_facts import ColumnContent, ColumnFacts
from data.drafting.drafted_source import ColumnPicker, DraftedSource, DraftTools, distinct_words
from data.drafting.file_roles import RoledFile
from data.drafting.naming import in_words, normal, playbook_name, snake
from data.drafting.vocabulary import known_words

MOST_KINDS = 150
_NEARLY_FULL = 0.95
_MOST_KIND_VALUES = 60


def map_activities(roled: RoledFile, tools: DraftTools) -> DraftedSource | None:
    """
    Map a file of activities.

    Returns:
        The source; None if no column says when something happened.
    """
    picker = ColumnPicker(roled.file, tools)
    picker.take_own_id("activity_id")
    join = roled.join
    picker.take("lead_id", roled.key, join.says if join else "", is_certain=join is None or join.share > _NEARLY_FULL)
    if not picker.take_instant("occurred_at", "When did the activity happen?"):
        return None
    picker.take_known_at("occurred_at")
    kind = _kind_column(picker)
    if kind is not None:
        picker.take("kind", kind.name, "")
    picker.take_best("subject", ColumnContent.CATEGORY)
    picker.take_best("value", ColumnContent.NUMBER)
    source = DraftedSource(roled, picker.columns, picker.whys)
    return (
        _of_one_kind(source, tools) if kind is None else with_kinds(replace(source, kind_columns=(kind.name,)), tools)
    )


def _kind_column(picker: ColumnPicker) -> ColumnFacts | None:
    contents = (ColumnContent.CATEGORY, ColumnContent.NUMBER, ColumnContent.TEXT)
    facts = picker.file.best("kind", *contents, but=list(picker.columns.values()))
    if facts is None or not 0 < len(facts.words) <= _MOST_KIND_VALUES:
        return None
    return facts if facts.filled >= _NEARLY_FULL * picker.file.sample.rows and not facts.empty_words else None


def _of_one_kind(source: DraftedSource, tools: DraftTools) -> DraftedSource:
    file = source.file
    shaped = file.shape.shape.kind if file.shape is not None else None
    word = shaped or file.shown.partition(".")[0]
    entry = known_words().activity(word, file.shown)
    name = entry.name if entry is not None else playbook_name(word, fallback="activity")
    why = "no column says the kind: all rows are of this one"
    return replace(source, kind=name, whys={**source.whys, "kind": tools.log.take(f"{file.shown}: kind", name, why)})


def with_kinds(source: DraftedSource, tools: DraftTools) -> DraftedSource:
    """Return a source with the kind that each of its words stands for; a shape says which words are not wanted."""
    file, shape = source.file, source.file.shape
    counted = distinct_words(source, tools.sampling, MOST_KINDS)
    unwanted = {snake(word) for word in shape.shape.ignore} if shape is not None else set()
    ignore = tuple(word for word, _ in counted if snake(word) in unwanted)
    meant = shape.shape.kind_words if shape is not None else {}
    kinds = {word: kind_of(meant.get(snake(word), word), file.shown) for word, _ in counted if word not in ignore}
    whys = {word: f"{n:,} rows" + (f", {meant[snake(word)]}" if snake(word) in meant else "") for word, n in counted}
    for word, kind in kinds.items():
        tools.log.take(f"{file.shown}: kind {word}", kind, whys[word])
    return replace(source, words=kinds, word_whys=whys, ignore=ignore)


def kind_of(word: str, file: str) -> str:
    """
    Return the playbook's kind for an export's word.

    >>> kind_of("open", "email.jsonl"), kind_of("Demo requested", "sales.csv"), kind_of("O_SENT|COMPLETE", "log.xes")
    ('email_open', 'demo_request', 'o_sent_complete')
    """
    entry = known_words().activity(word, file) if "|" not in word else None
    return entry.name if entry is not None else playbook_name(word, fallback="activity")


def carried(source: DraftedSource, tools: DraftTools) -> Mapping[str, tuple[bool, bool]]:
    """Return for each kind of a source whether its rows carry a subject, and whether they carry a value."""
    counts = [f"count({_cell(source, role)})" for role in ("subject", "value")]
    if source.kind is not None:
        rows = tools.sampling.values(f"SELECT '', {', '.join(counts)} FROM {source.file.sample.table}")
        return {source.kind: (bool(rows[0][1]), bool(rows[0][2]))}
    rows = tools.sampling.values(
        f"SELECT {source.word}, {', '.join(counts)} FROM {source.file.sample.table} GROUP BY 1"
    )
    found: dict[str, tuple[bool, bool]] = {}
    for word, subjects, values in rows:
        kind = source.words.get(word)
        if kind is not None:
            before = found.get(kind, (False, False))
            found[kind] = (before[0] or bool(subjects), before[1] or bool(values))
    return found


def _cell(source: DraftedSource, role: str) -> str:
    column = source.columns.get(role)
    return "NULL" if column is None else '"' + column.replace('"', '""') + '"'


def unit_of(column: str) -> str:
    """Return the unit that a column of values names."""
    return in_words(column) or normal(column)
