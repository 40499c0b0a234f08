"""The text of how a source selects its rows: lookups with what they met, derived columns, conditions."""

from typing import Any

from pydantic import BaseModel

from data.drafting.commented_yaml import Block, Entry, Remark
from data.drafting.drafted_source import DraftedSource
from data.importing.quality import JoinCount
from data.words.row_words import Lookup
from data.words.sources import OutcomeSource

_LOOKUP = ("file", "format", "encoding", "delimiter", "skip_lines", "sheet", "records", "match", "take", "where")
_AFTER = ("split", "ids", "several", "unmet")
_MANY = 0.5


def selection_entries(source: DraftedSource) -> list[Entry | Remark]:
    """Return the entries that say which rows count; none for a source that takes all rows as they are."""
    selection = source.selection
    if selection is None:
        return []
    said, entries = selection.source, list[Entry | Remark]()
    if selection.dropped:
        entries.append(Remark(f"The export lacks {', '.join(selection.dropped)}: done without."))
    if isinstance(said, OutcomeSource) and said.stage is not None:
        entries.append(Entry("stage", said.stage))
    if said.via:
        pairs = zip(said.via, selection.joins, strict=True)
        entries.append(Entry("via", [_lookup(lookup, join) for lookup, join in pairs]))
    if said.derived:
        derived = tuple(Entry(name, [_plain(case) for case in cases]) for name, cases in said.derived.items())
        entries.append(Entry("derived", derived))
    if said.where is not None:
        counted = f"{selection.taken:,} of {selection.whole.sample.rows:,} rows count"
        entries.append(Entry("where", {name: _plain(test) for name, test in said.where.items()}, counted))
    return entries


def _lookup(lookup: Lookup, join: JoinCount) -> Block:
    """Return a lookup as an item of ``via``, above it the share of keys that meet."""
    met = f"of {join.rows:,} {', '.join(join.keys)}, {join.met:,} meet a row of {join.there}"
    are_few = _MANY * join.rows <= join.met < join.rows and join.examples
    others = f"; the others are such as {', '.join(join.examples)}" if are_few else ""
    said = {name: _plain(getattr(lookup, name)) for name in (*_LOOKUP, *_AFTER)}
    usual = {name: field.default for name, field in Lookup.model_fields.items()}
    entries = tuple(Entry(name, each) for name, each in said.items() if each and each != usual[name])
    return (Remark(f"{met}{others}"), *entries)


def _plain(said: Any) -> Any:
    """Return words of a playbook as YAML holds them."""
    if isinstance(said, BaseModel):
        return {name: _plain(each) for name, each in said.model_dump(by_alias=True, exclude_none=True).items()}
    if isinstance(said, dict):
        return {name: _plain(each) for name, each in said.items()}
    return list(said) if isinstance(said, tuple) else said
