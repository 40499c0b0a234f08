# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""The text of one source of a drafted playbook, and the words of its kinds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from data.drafting.activity_mapping import carried, unit_of
from data.drafting.cell_writing_draft import writing_entries
from data.drafting.commented_yaml import Block, Entry, Remark
from data.drafting.decisions import DECIDE, DecisionLog
from data.drafting.drafted_source import DraftedSource, DraftTools, distinct_words
from data.drafting.late_columns import met_leads
from data.drafting.naming import in_words
from data.drafting.selection_text import selection_entries
from data.drafting.vocabulary import known_words
from data.importing.exports import FORMATS
from data.instants import now_us
from data.sql import quoted
from data.words.business import ActivityKind
from data.words.sources import OutcomeSource

_MOST_SUBJECTS = 12
_OF_CHANGES = ("lead_id", "attribute", "value", "previous", "known_at")
_IDS = ("activity_id", "outcome_id", "lead_id", "account_id", "stage")
_ROLES = (
    *_IDS,
    "created_at",
    "occurred_at",
    "reached_at",
    "known_at",
    "subject",
    "value",
    "amount",
    "currency",
    "reason",
)
_FORMATS = {*(f".{suffix}" for suffix in FORMATS), ".gz", ".zip"}
_MOST_WORDS = 200


@dataclass(frozen=True, slots=True)
class KindText:
    """The words of one kind, its number of rows, and what its rows carry."""

    words: dict[str, str]
    rows: int = 0
    has_subject: bool = False
    subjects: tuple[str, ...] = ()
    unit: str | None = None
    files: tuple[str, ...] = field(default=())
    intent: bool = False

    def as_yaml(self) -> dict[str, object]:
        """Return it as a playbook holds it."""
        said: dict[str, object] = dict(self.words)
        if self.unit is not None:
            said["value"] = self.unit
        if self.has_subject:
            said["subject"] = True
        if self.subjects:
            said["subjects"] = {subject: _about(self.words, subject) for subject in self.subjects}
        if self.intent:
            said["intent"] = True
        return said


def _about(words: dict[str, str], subject: str) -> dict[str, str]:
    return {key: f"{text} ({in_words(subject) or subject})" for key, text in words.items()}


def kinds_seen(
    sources: Sequence[DraftedSource], tools: DraftTools, shipped: Mapping[str, ActivityKind]
) -> dict[str, KindText]:
    """Return the kinds of activities of all sources, in their order; those of a shipped playbook have its words."""
    kinds: dict[str, KindText] = {}
    for source in sources:
        if source.roled.role not in {"activities", "event_log"}:
            continue
        for name, kind in _kinds_of(source, tools).items():
            kinds[name] = kind if name not in kinds else _merged(kinds[name], kind)
    return {name: _as_shipped(kind, shipped[name]) if name in shipped else kind for name, kind in kinds.items()}


def _as_shipped(kind: KindText, shipped: ActivityKind) -> KindText:
    return replace(kind, words=shipped.model_dump(include={"did", "one", "many"}), intent=shipped.intent)


def _merged(first: KindText, other: KindText) -> KindText:
    subjects = tuple(dict.fromkeys((*first.subjects, *other.subjects)))
    return replace(
        first,
        rows=first.rows + other.rows,
        has_subject=first.has_subject or other.has_subject,
        subjects=subjects,
        unit=first.unit or other.unit,
        intent=first.intent or other.intent,
    )


def _kinds_of(source: DraftedSource, tools: DraftTools) -> dict[str, KindText]:
    has = carried(source, tools)
    unit = unit_of(source.columns["value"]) if "value" in source.columns else None
    kinds: dict[str, KindText] = {}
    for word, kind, rows in _rows_by_kind(source, tools):
        subject, value = has.get(kind, (False, False))
        text = _text_of(word, source, rows=rows, has_subject=subject, unit=unit if value else None)
        if subject:
            text = replace(text, subjects=_subjects(source, kind, tools))
        kinds[kind] = text if kind not in kinds else _merged(kinds[kind], text)
    for word, kind in source.words.items():  # a shipped playbook knows words that no row has yet
        kinds.setdefault(kind, _text_of(word, source))
    return kinds


def _text_of(
    word: str, source: DraftedSource, *, rows: int = 0, has_subject: bool = False, unit: str | None = None
) -> KindText:
    words, file = known_words(), source.file.shown
    return KindText(
        words.activity_words(word, file), rows, has_subject, unit=unit, intent=words.shows_intent(word, file)
    )


def _rows_by_kind(source: DraftedSource, tools: DraftTools) -> list[tuple[str, str, int]]:
    """Return each word of a source that is an activity, its kind and its number of rows."""
    if source.kind is not None:
        return [(source.kind, source.kind, source.file.sample.rows)]
    shape = source.file.shape
    meant = shape.shape.kind_words if shape is not None else {}
    counted = distinct_words(source, tools.sampling, _MOST_WORDS)
    return [(meant.get(word, word), source.words[word], rows) for word, rows in counted if word in source.words]


def _subjects(source: DraftedSource, kind: str, tools: DraftTools) -> tuple[str, ...]:
    """Return the subjects of a kind where they are few enough to have words of their own."""
    words = [word for word, name in source.words.items() if name == kind]
    subject = quoted(source.columns["subject"])
    of_kind = f"WHERE {source.word} IN ({', '.join(_literal(word) for word in words)})" if words else ""
    counted = f"SELECT {subject} AS s, count(*) AS n FROM {source.file.sample.table} {of_kind} GROUP BY 1"
    query = f"SELECT s, n FROM ({counted}) WHERE s IS NOT NULL ORDER BY n DESC, 1 LIMIT {_MOST_SUBJECTS + 1}"
    found = tools.sampling.values(query)
    return tuple(str(value) for value, _ in found) if len(found) <= _MOST_SUBJECTS else ()


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def rejected_share(source: DraftedSource, tools: DraftTools) -> float:
    """Return the share of a source's rows that cannot be used: of no lead, or without an instant that has passed."""
    role = {"leads": "created_at", "outcomes": "reached_at", "lead_changes": "known_at"}.get(
        source.roled.role, "occurred_at"
    )
    fails = [f"coalesce({source.instant(role)} > {now_us()}, TRUE)"]
    if source.roled.join is not None:
        fails.append(f"NOT coalesce({met_leads(source)}, FALSE)")
    wanted = f"WHERE {source.word} NOT IN ({', '.join(map(_literal, source.ignore))})" if source.ignore else ""
    query = f"SELECT avg(({' OR '.join(fails)})::INTEGER) FROM {source.file.sample.spread} {wanted}"
    return float(tools.sampling.values(query)[0][0] or 0.0)


def source_block(source: DraftedSource, log: DecisionLog) -> Block:
    """
    Return a source as YAML entries.

    Args:
        source: as drafted.
        log: takes the decisions about how the file is written.
    """
    path = source.file.sample.path
    entries: list[Entry | Remark] = [
        Entry("file", source.file.shown, _size(source)),
        Entry("holds", source.roled.role, source.roled.why),
    ]
    if path.suffix.lower() not in _FORMATS:
        entries.append(Entry("format", source.file.sample.format))
    entries += writing_entries(source, log)
    entries += selection_entries(source)
    entries += _snapshot(source)
    entries += _columns(source)
    if source.attributes:
        entries.append(Entry("attributes", tuple(Entry(n, c) for n, c in source.attributes.items())))
    elif source.roled.role == "leads":
        entries.append(Entry("attributes", {}))
    entries += _outcome(source) + _words(source)
    entries += _left_out(source)
    return tuple(entries)


def _snapshot(source: DraftedSource) -> list[Entry | Remark]:
    """Return the entries that make versions of full dumps."""
    dump = source.snapshot
    if dump is None:
        return []
    named = [Entry("from_name", {dump.column: dump.from_name})] if dump.from_name is not None else []
    return [*named, Entry("snapshot_date", dump.column, dump.why)]


def _left_out(source: DraftedSource) -> list[Entry | Remark]:
    """Return a remark for each reason to leave columns out, with its columns."""
    columns: dict[str, list[str]] = {}
    for column, why in source.left_out.items():
        columns.setdefault(why, []).append(column)
    return [Remark(f"not used: {', '.join(names)}: {why}") for why, names in columns.items()]


def _size(source: DraftedSource) -> str:
    sample = source.whole.sample
    return f"{sample.rows:,} rows" if sample.is_whole else f"the first {sample.rows:,} rows were read for this draft"


def _columns(source: DraftedSource) -> list[Entry | Remark]:
    roles = _OF_CHANGES if source.roled.role == "lead_changes" else _ROLES
    entries = [Entry(role, source.columns[role], source.whys.get(role, "")) for role in roles if role in source.columns]
    if source.kind is not None:
        return [Entry("kind", source.kind, source.whys.get("kind", "")), Entry("columns", tuple(entries))]
    if source.kind_columns and source.roled.role != "outcomes":
        names = list(source.kind_columns)
        place = next(place for place, entry in enumerate(entries) if entry.key == "occurred_at")
        entries.insert(place, Entry("kind", names[0] if len(names) == 1 else names))
    return [Entry("columns", tuple(entries))]


def _words(source: DraftedSource) -> list[Entry | Remark]:
    key = {"outcomes": "stages", "lead_changes": "attributes"}.get(source.roled.role, "kinds")
    entries: list[Entry | Remark] = []
    if source.stages:
        entries.append(Entry("outcomes", tuple(_word(source, word, stage) for word, stage in source.stages.items())))
    if source.words and not _are_stages(source):
        entries.append(Entry(key, tuple(_word(source, word, name) for word, name in source.words.items())))
    if source.ignore:
        open_words = [source.word_whys[word] for word in source.ignore if DECIDE in source.word_whys.get(word, "")]
        entries += [Remark(f"{why}. Name it above, or leave it here") for why in open_words]
        entries.append(Entry("ignore", list(source.ignore)))
    if source.roled.role == "lead_changes":
        entries.append(Entry("ignore", "others"))
    return entries


def _are_stages(source: DraftedSource) -> bool:
    """Test whether the words of a source are the playbook's stages, so that none needs translating."""
    said = source.selection.source if source.selection is not None else None
    return isinstance(said, OutcomeSource) and said.stages is None and all(w == s for w, s in source.words.items())


def _word(source: DraftedSource, word: str, name: str) -> Entry:
    return Entry(word, name, source.word_whys.get(word, ""))


def _outcome(source: DraftedSource) -> list[Entry | Remark]:
    outcome = source.outcome
    if outcome is None:
        return []
    stages = Entry("stages", dict(outcome.stages))
    column = Entry("column", outcome.columns["column"])
    others = [Entry(role, name) for role, name in outcome.columns.items() if role != "column"]
    return [Entry("outcome", (column, stages, *others), outcome.why)]
