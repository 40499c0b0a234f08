"""
The journal: who moved which version to serve, when and why.

``champion.json`` is the truth: in one file, replaced in one step, it names the bundle that serves and the move that put
it there. ``history.jsonl`` beside it keeps every move, one JSON object a line, and is only ever appended to. A process
that ends between the two leaves a move that the pointer knows and the journal does not: whoever reads them counts it,
and the next move writes it down first.
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
        who: as `mover` says it.
        reason: as whoever moved it gave it; None where nobody did.
        says: what the gate found, or what was gone back from.
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
        """Write the move as the journal keeps it."""
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
        Read a move back.

        Raises:
            StructureError: it is not one.
        """
        given = fields(content, "move", ("number", "action", "at", "who", "reason", "says", *_PLACE, "before"))
        spoken = [given[name] for name in ("at", "who", "says")] + [given["reason"] or ""]
        if given["action"] not in get_args(Action) or not all(isinstance(text, str) for text in spoken):
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
        seen: the pointer's bytes; None where there is none. Two moves never write the same ones.
        champion: what serves; where the pointer is damaged, what the last move put there.
        moves: all that are known, oldest first.
        unwritten: the pointer's own move, where the journal does not hold it.
        damaged: numbers of the journal's lines that cannot be read.
        problem: what is wrong with the pointer; empty where nothing is.
    """

    seen: bytes | None
    champion: Champion | None
    moves: tuple[ChampionChange, ...]
    unwritten: ChampionChange | None
    damaged: tuple[int, ...]
    problem: str

    @property
    def next_number(self) -> int:
        """Give the number of the move that comes."""
        return 1 + max((move.number for move in self.moves), default=0)

    @property
    def previous(self) -> Champion | None:
        """
        Give the champion that a rollback returns to; None where there is none.

        Promotions pile up and a rollback takes the uppermost off, so that a second one goes one further back.
        """
        pile: list[Champion] = []
        for move in self.moves:
            pile = pile if move.before is None else _up_to(pile, move.before)
            pile = _up_to(pile[:-1] if move.action == "rollback" else pile, move.to, again=move.action != "rollback")
        if self.champion is None:
            return pile[-1] if pile else None
        pile = _up_to(pile, self.champion)
        return pile[-2] if len(pile) > 1 else None

    def told(self, models: Path) -> str:
        """Say which lines of the journal cannot be read; nothing where all can."""
        if not self.damaged:
            return ""
        lines = ", ".join(map(str, self.damaged))
        return (
            f"{models / JOURNAL} has lines that cannot be read ({lines}): they are kept as they stand and left out "
            "here; bring them back from a backup, or take them out."
        )


def _up_to(pile: list[Champion], one: Champion, *, again: bool = False) -> list[Champion]:
    """Take off what lies above a champion, or put it on top where it is not in the pile, or is promoted again."""
    if pile and pile[-1] == one:
        return pile
    if again or one not in pile:
        return [*pile, one]
    return pile[: len(pile) - pile[::-1].index(one)]


def read_succession(models: Path) -> ChampionHistory:
    """
    Read the journal and then the pointer, so that no move is in the one and not yet in the other.

    Raises:
        RegistryError: they cannot be read.
    """
    try:
        lines = _bytes(models / JOURNAL) or b""
        seen = _bytes(models / POINTER)
    except OSError as error:
        message = f"{error.filename} cannot be read ({error.strerror}): allow reading it."
        raise RegistryError(message) from None
    moves, damaged = _moves(lines, models)
    try:
        champion, unwritten = _pointed(seen, models)
        problem = ""
    except ModelError as error:
        champion, unwritten, problem = (moves[-1].to if moves else None), None, str(error)
    if unwritten in moves:
        unwritten = None
    return ChampionHistory(seen, champion, (*moves, *_one(unwritten)), unwritten, damaged, problem)


def _one(move: ChampionChange | None) -> tuple[ChampionChange, ...]:
    return () if move is None else (move,)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _moves(lines: bytes, models: Path) -> tuple[tuple[ChampionChange, ...], tuple[int, ...]]:
    """Give the moves that the journal holds, and the numbers of the lines that are none."""
    moves, damaged = [], []
    for number, line in enumerate(lines.split(b"\n"), start=1):
        if line.strip():
            try:
                moves.append(ChampionChange.from_json(loads(line.decode()), models))
            except (ModelError, UnicodeDecodeError):
                damaged.append(number)
    return tuple(moves), tuple(damaged)


def _pointed(seen: bytes | None, models: Path) -> tuple[Champion | None, ChampionChange | None]:
    """Give what serves, and the move that put it there where the pointer says it."""
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
