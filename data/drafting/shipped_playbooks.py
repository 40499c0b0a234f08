"""The playbooks that leadscore ships for known systems, and which of a company's files are which of theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from data.drafting.crm_shapes import CrmShape, ShippedFile, crm_shapes, named_column
from data.drafting.file_roles import ExaminedFile
from data.drafting.naming import normal
from data.words.business import Business
from data.words.playbook import load_playbook

PLAYBOOKS = Path(__file__).parents[1] / "playbooks"


@dataclass(frozen=True, slots=True)
class ShippedPlaybook:
    """A shipped playbook: the shape of the system it is for, and what it says."""

    shape: CrmShape
    business: Business


@dataclass(frozen=True, slots=True)
class SystemFile:
    """A company's file that is a certain file of a shipped playbook."""

    file: ExaminedFile
    name: str
    known: ShippedFile

    def own(self, column: str) -> str | None:
        """Return how the company spells a column of the shipped playbook; None if its file lacks it."""
        return _own(column, self.known, list(self.file.facts))


@cache
def shipped_playbooks() -> tuple[ShippedPlaybook, ...]:
    """Return the playbook of each system that has one."""
    named = [(shape, shape.playbook) for shape in crm_shapes() if shape.playbook is not None]
    return tuple(ShippedPlaybook(shape, load_playbook(PLAYBOOKS / name).business) for shape, name in named)


def system_files(shipped: ShippedPlaybook, files: Sequence[ExaminedFile]) -> list[SystemFile]:
    """Return the files that are one of a shipped playbook's, each as the one that the most speaks for."""
    found = []
    for file in files:
        scored = [
            (score, name, known)
            for name, known in shipped.shape.files.items()
            if (score := _evidence(file, known, shipped.shape.name)) is not None
        ]
        if scored:
            _, name, known = max(scored, key=lambda each: each[0])
            found.append(SystemFile(file, name, known))
    return found


def _own(column: str, known: ShippedFile, columns: Sequence[str]) -> str | None:
    if column in columns:
        return column
    return named_column((normal(column), *known.spelled.get(normal(column), ())), columns)


def _evidence(file: ExaminedFile, known: ShippedFile, system: str) -> tuple[bool, bool, int] | None:
    """Return what speaks for a file: its name or cells, its recognised table, its columns; None if it is another."""
    if any(_own(need, known, list(file.facts)) is None for need in known.has) or not _may_be(file, known, system):
        return None
    is_table = file.shape is not None and file.shape.table in known.tables
    is_named = any(file.named_after >= set(words) for words in known.named) or _has_cells(file, known)
    needs_more = bool(known.tables or known.named or known.cells)
    return (is_named, is_table, len(known.has)) if is_named or is_table or not needs_more else None


def _may_be(file: ExaminedFile, known: ShippedFile, system: str) -> bool:
    """Test whether a recognised table may be a certain file of its system's playbook."""
    shape = file.shape
    if shape is None:
        return True
    allowed = shape.shape.holds == "nothing" or shape.table in (*known.tables, *known.may_be)
    return shape.system == system and allowed


def _has_cells(file: ExaminedFile, known: ShippedFile) -> bool:
    """Test whether a column holds nothing but the values that mark the file."""
    for column, values in known.cells.items():
        own = _own(column, known, list(file.facts))
        words = set(file.facts[own].words) if own is not None else set()
        if words and words <= set(values):
            return True
    return False
