"""How a source's cells are written, in the playbook's words; said for the source where all its columns agree."""

from collections.abc import Mapping, Sequence
from typing import Any

from data.drafting.column_facts import ColumnContent, ColumnFacts
from data.drafting.commented_yaml import Entry, Remark
from data.drafting.decisions import DECIDE, DecisionLog, DraftQuestion
from data.drafting.drafted_source import DraftedSource

Part = Entry | Remark
_LATER = "undecided"


def writing_entries(source: DraftedSource, log: DecisionLog) -> list[Part]:
    """
    Return the entries that say how a source's file and cells are written; none where nothing needs saying.

    Args:
        source: with the columns it maps.
        log: takes the decisions, and asks about ambiguous dates.
    """
    sample = source.file.sample
    entries: list[Part] = []
    if sample.encoding is not None:
        entries.append(
            Entry(
                "encoding",
                sample.encoding,
                log.take(f"{sample.shown}: encoding", sample.encoding, "its bytes are not UTF-8"),
            )
        )
    if sample.delimiter not in {None, ","}:
        entries.append(Entry("delimiter", sample.delimiter))
    if sample.skip_lines:
        why = log.take(f"{sample.shown}: skip_lines", str(sample.skip_lines), "lines before the header")
        entries.append(Entry("skip_lines", sample.skip_lines, why))
    if sample.footer:
        why = log.take(f"{sample.shown}: footer", str(sample.footer), "lines after the last row, blank ones counted")
        entries.append(Entry("footer", sample.footer, why))
    if sample.sheet is not None:
        why = log.take(f"{sample.shown}: sheet", sample.sheet, "the first of several sheets")
        entries.append(Entry("sheet", sample.sheet, why))
    if sample.records is not None:
        entries.append(Entry("records", sample.records))
    empty = sorted({word for facts in source.used for word in facts.empty_words})
    if empty:
        entries.append(
            Entry(
                "empty", empty, log.take(f"{sample.shown}: empty", ", ".join(empty), "seen in cells that hold nothing")
            )
        )
    return [*entries, *_cells(source, log)]


def _cells(source: DraftedSource, log: DecisionLog) -> list[Part]:
    """Return the entries about cells: of the source where its columns of a kind agree, else by column."""
    entries: list[Part] = []
    by_column: dict[str, dict[str, Any]] = {}
    for contents, says in (
        (ColumnContent.INSTANT, _dates),
        (ColumnContent.NUMBER, _numbers),
        (ColumnContent.BOOLEAN, _truth),
    ):
        columns = [facts for facts in source.used if facts.content is contents]
        said = {facts.name: says(source, facts, log) for facts in columns}
        remarks = dict.fromkeys(words.pop("remark") for words in said.values() if "remark" in words)
        entries += [Remark(remark) for remark in remarks]
        first = next(iter(said.values()), {})
        if (
            first
            and len(said) > 1
            and all(words == first for words in said.values())
            and contents is not ColumnContent.NUMBER
        ):
            entries += [Entry(key, value, _proof(columns)) for key, value in first.items()]
        else:
            by_column |= {name: words for name, words in said.items() if words}
    if by_column:
        entries.append(Entry("written", tuple(_by_column(source, by_column))))
    return entries


def _by_column(source: DraftedSource, said: Mapping[str, dict[str, Any]]) -> list[Entry]:
    return [Entry(name, words, _proof([source.file.facts[name]])) for name, words in said.items()]


def _proof(columns: Sequence[ColumnFacts]) -> str:
    notations = [facts.dates or facts.numbers for facts in columns]
    proofs = dict.fromkeys(notation.proof for notation in notations if notation is not None and notation.proof)
    return next(iter(proofs), "")


def _dates(source: DraftedSource, facts: ColumnFacts, log: DecisionLog) -> dict[str, Any]:
    dates = facts.dates
    if dates is None or not dates.formats:
        return {}
    formats, about = dates.formats, f"{source.file.shown}: dates of {facts.name}"
    if not dates.is_ambiguous:
        log.take(about, " or ".join(formats), dates.proof)
        return {"date_format": _one_or_all(formats)}
    about = f"{source.file.shown}: dates such as {formats[0]} or {dates.others[0]}"  # asked once for columns alike
    choices = {
        "day": f"day first: {facts.example} read as {formats[0]}",
        "month": f"month first: {facts.example} read as {dates.others[0]}",
        _LATER: "leave a line to decide; nothing is guessed",
    }
    question = DraftQuestion(about, "Which comes first, the day or the month?", choices, _LATER)
    chosen, why = log.ask(question, f"{facts.name} holds {facts.example} and {dates.proof}")
    if chosen != _LATER:
        return {"date_format": _one_or_all(formats if chosen == "day" else dates.others)}
    both = f'date_format: "{formats[0]}" or "{dates.others[0]}"'
    return {"remark": f"{DECIDE}write {both} here. {why.removeprefix(DECIDE)}"}


def _one_or_all(formats: Sequence[str]) -> str | list[str]:
    return formats[0] if len(formats) == 1 else list(formats)


def _numbers(source: DraftedSource, facts: ColumnFacts, log: DecisionLog) -> dict[str, Any]:
    numbers = facts.numbers
    if numbers is None or numbers.is_plain or numbers.is_ambiguous:
        return {}
    said: dict[str, Any] = {}
    if numbers.decimal or numbers.thousands:
        said["decimal"] = numbers.decimal or "."
    if numbers.thousands:
        said["thousands"] = numbers.thousands
    if numbers.percent:
        said["percent"] = True
    if numbers.signs:
        said["currency_signs"] = list(numbers.signs)
    shown = ", ".join(f"{key} {value}" for key, value in said.items())
    log.take(f"{source.file.shown}: numbers of {facts.name}", shown, numbers.proof)
    return said


def _truth(source: DraftedSource, facts: ColumnFacts, log: DecisionLog) -> dict[str, Any]:
    said: dict[str, Any] = {key: list(words) for key, words in (("yes", facts.yes), ("no", facts.no)) if words}
    if said:
        shown = " / ".join((*facts.yes, *facts.no))
        log.take(f"{source.file.shown}: yes and no in {facts.name}", shown, "its two words")
    return said
