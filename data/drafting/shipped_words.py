"""The words of a company's cells beside those that a shipped playbook knows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from data.drafting.decisions import DecisionLog
from data.drafting.naming import playbook_name, snake
from data.drafting.vocabulary import known_words
from data.words.sources import ActivitySource, FileSource, OutcomeSource


@dataclass(frozen=True, slots=True)
class WordMeanings:
    """The kind or stage that each word stands for, the words that are not wanted, and why."""

    named: Mapping[str, str]
    ignore: tuple[str, ...]
    whys: Mapping[str, str]


def meanings(source: FileSource, counted: Iterable[tuple[str, int]], *, file: str, log: DecisionLog) -> WordMeanings:
    """
    Return what the words of a source mean: those of the shipped playbook, and what the company's file has besides.

    Args:
        source: of the shipped playbook.
        counted: the words of the company's file, with their numbers of rows.
        file: the company's file.
        log: takes the decisions; a word that nothing explains is ignored and marked.
    """
    noun, known, ignored = _known(source)
    named, ignore, whys = dict(known), list(ignored), {}
    spelled = {_plain(word): name for word, name in known.items()}
    for word, rows in counted:
        about = f"{file}: {noun} {word}"
        if word in ignored or _plain(word) in {_plain(each) for each in ignored}:
            ignore += [word] if word not in ignored else []
            log.take(about, "ignored", f"{rows:,} rows")
        elif (name := named.get(word) or spelled.get(_plain(word)) or _explained(word, known, noun, file)) is not None:
            named[word], whys[word] = name, log.take(about, name, f"{rows:,} rows")
        else:
            ignore.append(word)
            is_certain = noun == "stage" and known_words().is_beginning(word)
            why = f"{rows:,} rows" if is_certain else f"{word}: {rows:,} rows, unknown to the shipped playbook"
            whys[word] = log.take(about, "ignored", why, is_certain=is_certain)
    return WordMeanings(named, tuple(ignore), whys)


def _known(source: FileSource) -> tuple[str, Mapping[str, str], Sequence[str]]:
    match source:
        case ActivitySource():
            return "kind", source.kinds or {}, source.ignore
        case OutcomeSource():
            cases = source.derived.get(source.stage_column or "", ())
            derived = {str(case.value): str(case.value) for case in cases if case.value is not None}
            return "stage", derived if source.stages is None else source.stages, source.ignore
        case _:
            return "", {}, ()


def _plain(word: str) -> str:
    """
    Return a word as its spellings share it.

    >>> _plain("Marketing Qualified Lead") == _plain("marketingqualifiedlead")
    True
    """
    return snake(word).replace("_", "")


def _explained(word: str, known: Mapping[str, str], noun: str, file: str) -> str | None:
    """Return the kind or stage that the words known to drafts make of a word."""
    if noun == "stage":
        stage = known_words().stage(word)
        same = (name for name in known.values() if known_words().stage(name) is stage)
        return None if stage is None else next(same, playbook_name(word, fallback="stage"))
    entry = known_words().activity(word, file)
    return entry.name if entry is not None else None
