"""What each file holds: leads, activities, outcomes, an event log, or nothing that is needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from data.drafting.column_facts import ColumnContent, ColumnFacts
from data.drafting.crm_shapes import RecognisedTable
from data.drafting.decisions import DecisionLog, DraftQuestion
from data.drafting.file_samples import FileSample
from data.drafting.key_joins import IdColumns, KeyJoin
from data.drafting.naming import matches, normal
from data.drafting.vocabulary import column_names, file_words, known_words
from data.errors import IntakeError

ENOUGH_MEET = 0.2
"""The share of a file's ids that must meet a lead."""

FileRole = Literal["leads", "lead_changes", "activities", "outcomes", "event_log", "nothing"]

_MOST_KEYS, _MOST_IDS, _FEW_IDS = 3, 6, 12
_ID_NAMES = (
    "id",
    "id_*",
    "*_id",
    "*id",
    "*_nr",
    "*nr",
    "nr",
    "*_no",
    "*_number",
    "number",
    "*_key",
    "key",
    "*guid",
    "*_ref",
)
_REPEATED = 0.6
_CLEARLY = 0.15
_NEARLY_FULL = 0.95
_STAGE_WORDS = 0.5


@dataclass(frozen=True, slots=True)
class ExaminedFile:
    """A file, what is known of its columns, and the table of a known system that it is, if any."""

    sample: FileSample
    facts: Mapping[str, ColumnFacts]
    shape: RecognisedTable | None

    @property
    def shown(self) -> str:
        """The file's name."""
        return self.sample.shown

    @property
    def named_after(self) -> set[str]:
        """The words of the file's name."""
        return file_words(self.shown)

    def columns_of(self, *contents: ColumnContent) -> list[ColumnFacts]:
        """Return the columns that hold certain things, in the file's order."""
        return [facts for facts in self.facts.values() if facts.content in contents]

    def best(self, role: str, *contents: ColumnContent, but: Sequence[str | None] = ()) -> ColumnFacts | None:
        """Return the column whose name fits a role best, among those that hold certain things."""
        shaped = self.shape.column(role, list(self.facts)) if self.shape is not None else None
        if shaped is not None and shaped not in but and self.facts[shaped].filled:
            return self.facts[shaped]
        ranked = [(column_names().rank(role, facts.name), facts) for facts in self.columns_of(*contents)]
        known = [(rank, facts) for rank, facts in ranked if rank is not None and facts.name not in but]
        return min(known, key=lambda each: each[0])[1] if known else None


@dataclass(frozen=True, slots=True)
class RoledFile:
    """
    A file and what it holds.

    Attributes:
        file: the file.
        role: what it holds.
        key: the column that names a lead; '' where it holds nothing needed.
        join: how that column meets the leads' ids; None for leads themselves.
        why: the comment beside it.
    """

    file: ExaminedFile
    role: FileRole
    key: str
    join: KeyJoin | None
    why: str


def roles_of(files: Sequence[ExaminedFile], ids: IdColumns, log: DecisionLog) -> list[RoledFile]:
    """
    Find out what each file holds, the leads first.

    Raises:
        IntakeError: no file holds leads.
    """
    logs = [file for file in files if file.sample.format == "xes"]
    others = [file for file in files if file not in logs]
    found = [_event_log(file, "case:concept:name", "XES is a format of event logs", log) for file in logs]
    if not others:
        return found
    if not logs and (alone := _lone_event_log(others)) is not None:
        return [_event_log(others[0], alone, "the only file: several rows a lead, each with a kind and a time", log)]
    if not logs:
        leads = _leads(others, ids, log)
        found += leads
        others = [file for file in others if file not in [each.file for each in leads]]
    keys = next(each for each in found if each.role in {"leads", "event_log"})
    return [*found, *(role_of(file, keys, ids, log) for file in others)]


def _event_log(file: ExaminedFile, key: str, why: str, log: DecisionLog) -> RoledFile:
    return RoledFile(file, "event_log", key, None, log.take(f"{file.shown}: holds", "event_log", why))


def _lone_event_log(files: Sequence[ExaminedFile]) -> str | None:
    """Return the key of the only file, if that has several rows for each and a column of kinds."""
    if len(files) > 1 or files[0].shape is not None:
        return None
    file = files[0]
    kind = file.best("kind", ColumnContent.CATEGORY)
    keys = [facts for facts in _keys(file) if facts.distinct < _REPEATED * file.sample.rows]
    is_log = kind is not None and keys and file.columns_of(ColumnContent.INSTANT)
    versions = file.best("version_at", ColumnContent.INSTANT)
    return keys[0].name if is_log and versions is None else None


def _leads(files: Sequence[ExaminedFile], ids: IdColumns, log: DecisionLog) -> list[RoledFile]:
    shaped = [file for file in files if file.shape is not None and file.shape.shape.holds == "leads"]
    known = [(file, named) for file in shaped if (named := file.best("lead_id")) is not None]
    if known:
        return [_taken_as_leads(file, named.name, file.shape.says if file.shape else "", log) for file, named in known]
    scored = sorted(_scored(files, ids), key=lambda each: -each[0])
    if not scored:
        message = (
            f"None of {', '.join(file.shown for file in files)} holds leads: one file must have a row for each lead, "
            "with its id and the time of its creation. Add it to the files."
        )
        raise IntakeError(message)
    score, file, key, why = scored[0]
    rivals = {other.shown: other_score for other_score, other, *_ in reversed(scored) if other is not file}
    if all(score - other > _CLEARLY for other in rivals.values()):
        return [_taken_as_leads(file, key, why, log)]
    choices = {each.shown: f"{each.shown}, column {column}" for _, each, column, _ in reversed(scored)}
    question = DraftQuestion("leads", "Which file has one row for each lead?", choices, file.shown)
    chosen, _ = log.ask(question, "several files could hold the leads")
    return [_taken_as_leads(each, column, about, log) for _, each, column, about in scored if each.shown == chosen][:1]


def _taken_as_leads(file: ExaminedFile, key: str, why: str, log: DecisionLog) -> RoledFile:
    return RoledFile(file, "leads", key, None, log.take(f"{file.shown}: holds", "leads", why))


def _scored(files: Sequence[ExaminedFile], ids: IdColumns) -> list[tuple[float, ExaminedFile, str, str]]:
    """Return each file and column that may hold the leads, with how well it fits and why."""
    found = []
    for file in files:
        if not file.columns_of(ColumnContent.INSTANT) or _is_shaped(file):
            continue
        for facts in _keys(file)[:_MOST_KEYS]:
            joins = [_best_join(other, file, facts.name, ids) for other in files if other is not file]
            shares = [join.share if join else 0.0 for join in joins]
            score = sum(shares) / len(shares) if shares else 0.0
            if score > 0 or not shares or file.named_after & set(column_names().files["leads"]):
                found.append((score + _hints(file, facts), file, facts.name, _why_leads(file, facts, joins)))
    return found


def _is_shaped(file: ExaminedFile) -> bool:
    return file.shape is not None and file.shape.shape.holds != "leads"


def _hints(file: ExaminedFile, facts: ColumnFacts) -> float:
    named = file.named_after & set(column_names().files["leads"])
    unique = facts.distinct > _NEARLY_FULL * file.sample.rows
    created = file.best("created_at", ColumnContent.INSTANT) is not None
    return (
        0.5 * bool(named)
        + 0.2 * (column_names().rank("lead_id", facts.name) is not None)
        + 0.2 * unique
        + 0.3 * created
    )


def _why_leads(file: ExaminedFile, facts: ColumnFacts, joins: Sequence[KeyJoin | None]) -> str:
    meets = [join.says for join in joins if join is not None and join.met]
    return "; ".join(meets) or f"{facts.name} names its {file.sample.rows:,} rows"


def _keys(file: ExaminedFile) -> list[ColumnFacts]:
    """Return the columns that may name a lead in each row, those with a fitting name first."""
    return [facts for facts in _ids(file) if facts.filled >= _NEARLY_FULL * file.sample.rows]


def _ids(file: ExaminedFile) -> list[ColumnFacts]:
    """Return the columns that may hold ids: numbers only where the name says so, since any number may meet another."""
    may_be = [facts for facts in file.facts.values() if facts.may_be_id and _is_id_like(facts)]
    return sorted(may_be, key=lambda facts: (_name_rank(facts), -facts.distinct))


def _is_id_like(facts: ColumnFacts) -> bool:
    is_named = _name_rank(facts) < len(column_names().lead_id) or matches(normal(facts.name), _ID_NAMES)
    is_text = facts.content is ColumnContent.TEXT
    names_each = facts.distinct > _FEW_IDS or ("@" in facts.example and facts.distinct >= facts.filled)
    return is_named or is_text or (facts.content is ColumnContent.CATEGORY and names_each)


def _name_rank(facts: ColumnFacts) -> int:
    rank = column_names().rank("lead_id", facts.name)
    return len(column_names().lead_id) if rank is None else rank


def _best_join(other: ExaminedFile, leads: ExaminedFile, key: str, ids: IdColumns) -> KeyJoin | None:
    """Return the column of a file that meets the most of the leads' ids."""
    shaped = other.shape.column("lead_id", list(other.facts)) if other.shape is not None else None
    names = [shaped] if shaped is not None else [facts.name for facts in _ids(other)[:_MOST_IDS]]
    keys = ids.of(leads.sample, key)
    joins = [ids.join(ids.of(other.sample, name), keys) for name in names]
    return max(joins, key=lambda join: (join.share, join.met), default=None)


def role_of(file: ExaminedFile, leads: RoledFile, ids: IdColumns, log: DecisionLog) -> RoledFile:
    """Find out what a file holds beside the leads."""
    about = f"{file.shown}: holds"
    if file.shape is not None and file.shape.shape.holds == "nothing":
        return RoledFile(
            file, "nothing", "", None, log.take(about, "nothing", f"{file.shape.says}; {file.shape.shape.why}")
        )
    join = _best_join(file, leads.file, leads.key, ids)
    if join is None or join.share < ENOUGH_MEET:
        return RoledFile(file, "nothing", "", join, log.take(about, "nothing", why_apart(join, ids)))
    role, why, is_certain = _role_of_facts(file)
    choices = {
        "activities": "things that happened to leads",
        "outcomes": "stages that leads reached",
        "nothing": "leave it out",
    }
    if is_certain:
        return RoledFile(file, role, join.ids.column, join, log.take(about, role, why))
    chosen, says = log.ask(DraftQuestion(about, "What are the rows of this file?", choices, role), why)
    return RoledFile(file, _as_role(chosen), join.ids.column, join, says)


def _as_role(text: str) -> FileRole:
    roles: tuple[FileRole, ...] = ("activities", "outcomes", "nothing")
    return next(role for role in roles if role == text)


def why_apart(join: KeyJoin | None, ids: IdColumns) -> str:
    """Return in words how few ids meet a lead, and how theirs and the leads' begin."""
    if join is None:
        return "no column names a lead"
    begin, wanted = ids.prefixes(join.ids), ids.prefixes(join.keys)
    met = f"{join.met} of {join.ids.distinct:,} {join.ids.column} meet a lead"
    return f"{met}: they begin with {begin}, the leads' ids with {wanted}"


def _role_of_facts(file: ExaminedFile) -> tuple[FileRole, str, bool]:
    """Return what a file holds that names leads, why, and whether that is certain."""
    if file.shape is not None:
        return file.shape.shape.holds, file.shape.says, True
    if not file.columns_of(ColumnContent.INSTANT):
        return "nothing", "no column says when", True
    stages = file.best("stage", ColumnContent.CATEGORY)
    known = [word for word in stages.words if known_words().stage(word)] if stages is not None else []
    share = len(known) / len(stages.words) if stages is not None and stages.words else 0.0
    named = file.named_after & set(column_names().files["outcomes"])
    if stages is not None and share >= _STAGE_WORDS:
        words = ", ".join(known[:4])
        return "outcomes", f"{stages.name} holds stages: {words}", bool(named) or _no_kind(file, stages.name)
    if stages is not None and named:
        return "outcomes", f"{file.shown} is named after outcomes, and {stages.name} may hold their stages", False
    return "activities", "its rows name a lead and a time", True


def _no_kind(file: ExaminedFile, stage: str) -> bool:
    return file.best("kind", ColumnContent.CATEGORY, but=[stage]) is None
