"""
The history: who let which version serve, when and why.

``champion.json`` is the truth: in one file, replaced in one step, it names the bundle that serves and the change that
put it there. ``history.jsonl`` beside it, the journal, keeps every change, one JSON object a line, and is only ever
appended to. A process that ends between the two leaves a change that the pointer knows and the journal does not: it
counts when both are read, and the next change writes it into the journal first.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from models.champion import POINTER, Champion, champion_of, pointer_of
from models.checked_json import fields, loads, whole
from models.errors import BundleError, ModelError, StructureError
from training.errors import RegistryError

Action = Literal["promote", "force", "rollback"]
JOURNAL = "history.jsonl"
_PLACE = ("version", "fingerprint", "bundle")


@dataclass(frozen=True, slots=True)
class ChampionChange:
    """
    One version put in the place of another.

    Attributes:
        number: counted from 1.
        action: ``promote``, ``force`` (past the gate) or ``rollback``.
        at: when, in UTC.
        who: the user who did it.
        reason: the user's own; None where none was given.
        says: what the gate found, or which version was left.
        to: what serves from then on.
        before: what served until then; None where nothing did.
    """

    number: int
    action: Action
    at: str
    who: str
    reason: str | None
    says: str
    to: Champion
    before: Champion | None

    def as_json(self) -> dict[str, Any]:
        """Return the change as the journal keeps it."""
        return {
            "number": self.number,
            "action": self.action,
            "at": self.at,
            "who": self.who,
            "reason": self.reason,
            "says": self.says,
            **_placed(self.to),
            "before": None if self.before is None else _placed(self.before),
        }

    @classmethod
    def from_json(cls, content: object, models: Path) -> "ChampionChange":
        """
        Read a change back.

        Raises:
            StructureError: it is not one.
        """
        given = fields(content, "move", ("number", "action", "at", "who", "reason", "says", *_PLACE, "before"))
        texts = [given[name] for name in ("at", "who", "says")] + [given["reason"] or ""]
        if given["action"] not in get_args(Action) or not all(isinstance(text, str) for text in texts):
            raise StructureError(where="move", found=given["action"], expected=", ".join(get_args(Action)))
        to = champion_of({name: given[name] for name in _PLACE}, models, where="move")
        before = None if given["before"] is None else champion_of(given["before"], models, where="before")
        number = whole(given["number"], "number")
        return cls(number, given["action"], given["at"], given["who"], given["reason"], given["says"], to, before)


@dataclass(frozen=True, slots=True)
class ChampionHistory:
    """
    What serves, and all that served before it.

    Attributes:
        seen: the pointer's bytes; None where there is none. Two changes never write the same ones.
        champion: what serves; where the pointer is damaged, what the last change put there.
        changes: all that are known, oldest first.
        unwritten: the pointer's own change, where the journal does not hold it.
        damaged: numbers of the journal's lines that cannot be read.
        problem: what is wrong with the pointer; empty where nothing is.
    """

    seen: bytes | None
    champion: Champion | None
    changes: tuple[ChampionChange, ...]
    unwritten: ChampionChange | None
    damaged: tuple[int, ...]
    problem: str

    @property
    def next_number(self) -> int:
        """The number of the change that comes."""
        return 1 + max((change.number for change in self.changes), default=0)

    @property
    def previous(self) -> Champion | None:
        """
        The champion that a rollback returns to; None where there is none.

        Promotions pile up and a rollback takes the uppermost off, so that a second one goes one further back.
        """
        pile: list[Champion] = []
        for change in self.changes:
            is_rollback = change.action == "rollback"
            pile = pile if change.before is None else _up_to(pile, change.before)
            pile = _up_to(pile[:-1] if is_rollback else pile, change.to, again=not is_rollback)
        if self.champion is None:
            return pile[-1] if pile else None
        pile = _up_to(pile, self.champion)
        return pile[-2] if len(pile) > 1 else None

    def damage_note(self, models: Path) -> str:
        """Return which lines of the journal cannot be read; empty where all can."""
        if not self.damaged:
            return ""
        lines = ", ".join(map(str, self.damaged))
        return (
            f"{models / JOURNAL} has lines that cannot be read ({lines}): they are kept as they stand and left out "
            "here; bring them back from a backup, or take them out."
        )


def _up_to(pile: list[Champion], champion: Champion, *, again: bool = False) -> list[Champion]:
    """Take off what lies above a champion, or put it on top where it is not in the pile, or is promoted again."""
    if pile and pile[-1] == champion:
        return pile
    if again or champion not in pile:
        return [*pile, champion]
    return pile[: len(pile) - pile[::-1].index(champion)]


def read_champion_history(models: Path) -> ChampionHistory:
    """
    Read the journal and then the pointer, so that no change is in the one and not yet in the other.

    Raises:
        RegistryError: they cannot be read.
    """
    try:
        lines = _bytes(models / JOURNAL) or b""
        seen = _bytes(models / POINTER)
    except OSError as error:
        message = f"{error.filename} cannot be read ({error.strerror}): allow reading it."
        raise RegistryError(message) from None
    changes, damaged = _read_changes(lines, models)
    try:
        champion, unwritten = _pointed(seen, models)
        problem = ""
    except ModelError as error:
        champion, unwritten, problem = (changes[-1].to if changes else None), None, str(error)
    if unwritten is not None and unwritten not in changes:
        return ChampionHistory(seen, champion, (*changes, unwritten), unwritten, damaged, problem)
    return ChampionHistory(seen, champion, changes, None, damaged, problem)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _read_changes(lines: bytes, models: Path) -> tuple[tuple[ChampionChange, ...], tuple[int, ...]]:
    """Return the changes that the journal holds, and the numbers of the lines that are none."""
    changes, damaged = [], []
    for number, line in enumerate(lines.split(b"\n"), start=1):
        if line.strip():
            try:
                changes.append(ChampionChange.from_json(loads(line.decode()), models))
            except (ModelError, UnicodeDecodeError):
                damaged.append(number)
    return tuple(changes), tuple(damaged)


def _pointed(seen: bytes | None, models: Path) -> tuple[Champion | None, ChampionChange | None]:
    """Return what serves, and the change that put it there where the pointer holds it."""
    if seen is None:
        return None, None
    try:
        pointer = pointer_of(seen.decode(), models)
    except UnicodeDecodeError:
        message = f"{models / POINTER} is not UTF-8 text: run leadscore rollback, or promote a model again."
        raise BundleError(message) from None
    champion = replace(pointer, move=None)
    try:
        return champion, None if pointer.move is None else ChampionChange.from_json(pointer.move, models)
    except StructureError:
        return champion, None  # a hand wrote it: what serves is clear, who put it there is not


def _placed(champion: Champion) -> dict[str, str]:
    return {name: getattr(champion, name) for name in _PLACE}
