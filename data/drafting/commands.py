"""The verb ``draft``."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from data.atomic_files import new_folder
from data.drafting.column_facts import ColumnContent
from data.drafting.commented_yaml import Block, to_yaml
from data.drafting.decisions import Answers, Decision, DecisionLog, nobody
from data.drafting.drafted_source import DraftTools
from data.drafting.file_series import common_folder
from data.drafting.playbook_draft import PlaybookDraft, draft_playbook, open_tools
from data.drafting.playbook_text import PlaybookPlace, playbook_block
from data.drafting.questions import answers_at
from data.drafting.scorecard_draft import routing_block, scorecard_block, sized_attributes
from data.drafting.source_text import KindText, kinds_seen
from data.duckdb_settings import interruptible
from data.errors import DataError
from data.progress import Progress, silent
from data.screen import print_table
from data.sql import quoted
from data.words.playbook import load_playbook


@dataclass(frozen=True, slots=True)
class FileUse:
    """What a file was found to hold, and why."""

    file: str
    holds: str
    rows: int
    why: str


@dataclass(frozen=True, slots=True)
class DraftResult:
    """A drafted playbook: where it is, what each file holds, what was decided and what is still to decide."""

    folder: Path
    files: tuple[FileUse, ...]
    decisions: tuple[Decision, ...]

    @property
    def undecided(self) -> list[Decision]:
        """The decisions that a person should look at."""
        return [decision for decision in self.decisions if not decision.is_certain]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "folder": str(self.folder),
            "files": [{"file": f.file, "holds": f.holds, "rows": f.rows, "why": f.why} for f in self.files],
            "decisions": [decision.as_json() for decision in self.decisions],
        }

    def show(self, console: Console) -> None:
        """Print the files, what is still to decide, and what to do next."""
        table = Table()
        table.add_column("file", no_wrap=True)
        table.add_column("holds", no_wrap=True)
        table.add_column("rows", justify="right", no_wrap=True)
        table.add_column("because")
        for file in self.files:
            table.add_row(escape(file.file), file.holds, f"{file.rows:,}", escape(file.why))
        print_table(console, table)
        folder = escape(str(self.folder))
        console.print(
            f"\n{len(self.decisions)} decisions are in {folder}, each with its reason beside it.", soft_wrap=True
        )
        if self.undecided:
            console.print("\nPlease look at these; playbook.yaml marks them with DECIDE:", soft_wrap=True)
        for decision in self.undecided:
            line = f"{decision.about} → {decision.chosen}. {decision.why[:1].upper()}{decision.why[1:]}"
            console.print(f"  · {escape(line)}", highlight=False, soft_wrap=True)
        console.print(f"\nNext: leadscore check --playbook {folder}", soft_wrap=True, highlight=False)


def draft(
    files: Sequence[Path], *, out: Path, asks: bool, console: Console, progress: Progress = silent
) -> DraftResult:
    """
    Draft a playbook, asking whoever sits at the terminal.

    Args:
        files: exports of any of the known formats.
        out: folder for the playbook; it must be new or empty.
        asks: whether to ask at all.
        console: where to ask.
        progress: is told how far it is, unless questions are asked there.
    """
    answers = answers_at(console) if asks else nobody
    return draft_from(files, out=out, answers=answers, progress=progress if answers is nobody else silent)


def draft_from(
    files: Sequence[Path], *, out: Path, answers: Answers = nobody, progress: Progress = silent
) -> DraftResult:
    """
    Draft a playbook for the files of a company.

    Args:
        files: exports of any of the known formats.
        out: folder for the playbook; it must be new or empty.
        answers: whoever answers the questions that the files leave open.
        progress: is told how far it is.

    Raises:
        DataError: the folder holds something, a file cannot be read, or the files lack leads or outcomes.
    """
    _require_free(out)
    paths = list(dict.fromkeys(path.resolve() for path in files))
    log = DecisionLog(answers)
    with TemporaryDirectory(prefix="leadscore-draft-") as scratch, interruptible():
        tools = open_tools(Path(scratch), log)
        try:
            drafted = draft_playbook(paths, tools, progress)
            _write(drafted, PlaybookPlace(_name(out), out, common_folder(paths)), tools)
        finally:
            tools.sampling.connection.close()
    used = [FileUse(s.file.shown, s.roled.role, s.whole.sample.rows, _plain(s.roled.why)) for s in drafted.sources]
    used += [FileUse(file.shown, "lookup", file.sample.rows, why) for file, why in drafted.looked_up]
    unused = [FileUse(each.file.shown, "nothing", each.file.sample.rows, _plain(each.why)) for each in drafted.unused]
    return DraftResult(out, (*used, *unused), tuple(log))


def _plain(why: str) -> str:
    return why.removeprefix("DECIDE: ")


def _require_free(out: Path) -> None:
    if out.exists() and not out.is_dir():
        message = f"{out} is a file: name a new folder for the playbook."
        raise DataError(message)
    found = sorted(path.name for path in out.iterdir()) if out.is_dir() else []
    if found:
        message = f"{out} holds {found[0]}, and a draft overwrites nothing: name a new folder for the playbook."
        raise DataError(message)


def _name(out: Path) -> str:
    """
    Return the name of a company: that of its folder, in the letters that a name may have.

    >>> _name(Path("x/Acme GmbH")), _name(Path("42"))
    ('acme_gmbh', 'company_42')
    """
    name = re.sub(r"[^a-z0-9]+", "_", out.resolve().name.lower()).strip("_")
    return name if name[:1].isalpha() else f"company_{name}".rstrip("_")


def _write(drafted: PlaybookDraft, place: PlaybookPlace, tools: DraftTools) -> None:
    """Write the three files, and check that they are a playbook."""
    kinds = kinds_seen(drafted.sources, tools, drafted.shipped.activities if drafted.shipped is not None else {})
    blocks = {
        "playbook": playbook_block(drafted, kinds, place, tools),
        "scorecard": _scorecard(drafted, kinds, tools),
        "routing": routing_block(),
    }
    try:
        with new_folder(place.out.resolve()) as folder:
            for name, block in blocks.items():
                (folder / f"{name}.yaml").write_text(to_yaml(block), encoding="utf-8")
            load_playbook(folder)
    except OSError as error:
        message = f"{place.out} cannot be written ({error.strerror or error}): name a folder that can."
        raise DataError(message) from error


def _scorecard(drafted: PlaybookDraft, seen: Mapping[str, KindText], tools: DraftTools) -> Block:
    by_rows = sorted(seen.items(), key=lambda item: -item[1].rows)
    kinds = {name: (kind.words["did"], kind.rows) for name, kind in by_rows}
    facts = drafted.leads.file.facts
    numeric = [n for n, c in drafted.leads.attributes.items() if facts[c].content is ColumnContent.NUMBER]
    never_use = {choice.name for choice in drafted.attributes if choice.use == "never_use"} | drafted.late_kinds.keys()
    sizes = {name: _upper_quarter(drafted, name, tools) for name in sized_attributes(numeric)}
    return scorecard_block(kinds, {name: least for name, least in sizes.items() if least}, never_use)


def _upper_quarter(drafted: PlaybookDraft, name: str, tools: DraftTools) -> float:
    """Return the value that a quarter of the leads reach, to two digits."""
    leads = drafted.leads
    facts = leads.file.facts[leads.attributes[name]]
    number = facts.numbers.as_number(quoted(facts.name)) if facts.numbers is not None else "NULL"
    found = tools.sampling.values(f"SELECT quantile_cont({number}, 0.75) FROM {leads.file.sample.table}")[0][0]  # noqa: S608
    return float(f"{found or 0:.2g}")
