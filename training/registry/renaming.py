"""
A company by another name: its folders here, its model in the registry, and last its playbook.

The id stays, and the playbook remembers the names that the company had: so bundles, exports and stores that still say
an earlier one are known to be its own. What leadscore did not make stays where it is.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from rich.console import Console

from data.atomic_files import write_whole
from data.errors import DataError
from data.home import DEMO, Home
from data.table_caches import TRAINING_SETS, caches_in
from data.words.playbook import Playbook
from data.workspace import Workspace

if TYPE_CHECKING:
    from training.registry.mlflow_registry import Registry

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_STORE = "leadscore.db"
_STORE_FILES = (_STORE, f"{_STORE}-shm", f"{_STORE}-processes")
_IN_USE = f"{_STORE}-wal"


class RenameError(DataError):
    """A company cannot be given another name."""


@dataclass(frozen=True, slots=True)
class RenameResult:
    """
    A company that has another name.

    Attributes:
        before: its name so far.
        after: its name from now on.
        moved: the new places of its store, tables and models.
        left: what stays in the old folder of tables, since leadscore did not make it.
    """

    before: str
    after: str
    moved: tuple[Path, ...]
    left: tuple[Path, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "before": self.before,
            "after": self.after,
            "moved": [str(path) for path in self.moved],
            "left": [str(path) for path in self.left],
        }

    def show(self, console: Console) -> None:
        """Print it, with what is left to do elsewhere."""
        lines = [f"{self.before} is now called {self.after}, in playbook.yaml and in the registry."]
        lines += [f"moved: {path}" for path in self.moved]
        lines += [f"left, since leadscore did not make it: {path}" for path in self.left]
        lines.append(
            "Commit the playbook. Other machines follow when they rename too; stores take the new name when opened."
        )
        for line in lines:
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def rename_company(workspace: Workspace, name: str) -> RenameResult:
    """
    Call a company by another name.

    Nothing is changed unless everything can be. After an interruption the same call does what is left.

    Args:
        workspace: the playbook, and where tables and models are kept.
        name: the new name.

    Raises:
        RenameError: the name is taken or no name, the store is in use, or the playbook cannot be changed.
        RegistryError: the registry cannot be read or written.
    """
    playbook, home = workspace.playbook, workspace.home
    before = playbook.business.name
    text = _renamed_text(playbook, name)
    moves = _moves(home, before, name)
    registry = _registry(home, before)
    if registry is not None:
        registry.require_company(playbook.company)
        registry.require_free(name)
    for old, new in moves:
        new.parent.mkdir(parents=True, exist_ok=True)
        old.rename(new)
    if registry is not None:
        registry.rename(name)
    write_whole(playbook.path / "playbook.yaml", text)
    return RenameResult(before, name, tuple(new for _, new in moves), _left(home.tables(before)))


def _registry(home: Home, name: str) -> "Registry | None":
    """Return the registry; None on a machine that has none, and so perhaps no MLflow."""
    if not (home.registry / "mlflow.db").exists():
        return None
    from training.registry.mlflow_registry import Registry  # noqa: PLC0415 - loads MLflow

    return Registry(home, name)


def _renamed_text(playbook: Playbook, name: str) -> str:
    """Return playbook.yaml with the new name, and the old one among the former."""
    path, before = playbook.path / "playbook.yaml", playbook.business.name
    if not _NAME.fullmatch(name) or name == before:
        message = f"{name!a} is not a new name for {before}: use small letters, digits and _, beginning with a letter."
        raise RenameError(message)
    if playbook.path.resolve() == DEMO:
        message = "The demo's playbook is part of leadscore: copy it, or name another one with --playbook."
        raise RenameError(message)
    former = [*dict.fromkeys([*(each for each in playbook.business.formerly if each != name), before])]
    kept = re.sub(r"^formerly:.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    line = re.compile(rf"^name:[ \t]*[\"']?{before}[\"']?(?P<rest>[ \t]*(?:#.*)?)$", re.MULTILINE)
    text = line.sub(lambda found: f"name: {name}{found['rest']}\nformerly: [{', '.join(former)}]", kept)
    if not os.access(path, os.W_OK) or not _says(text, name, former):
        message = (
            f"{path} cannot be changed: make it writable, with `name: {before}` and `formerly: [...]` on a line each."
        )
        raise RenameError(message)
    return text


def _says(text: str, name: str, former: list[str]) -> bool:
    """Return whether a text is YAML with these names."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        return False
    return isinstance(content, dict) and (content.get("name"), content.get("formerly")) == (name, former)


def _moves(home: Home, before: str, name: str) -> list[tuple[Path, Path]]:
    """Return what is to be moved, from where to where; what an interrupted call has moved is not there any more."""
    tables = home.tables(before)
    if (tables / _IN_USE).exists():
        message = (
            f"The store {tables / _STORE} is in use, or was not closed: stop the service, run leadscore keys list, and "
            "rename again."
        )
        raise RenameError(message)
    own = [*(tables / each for each in _STORE_FILES), *(cache.place for cache in caches_in(tables))]
    moves = [(old, home.tables(name) / old.relative_to(tables)) for old in own]
    moves.append((home.models(before), home.models(name)))
    moves = [(old, new) for old, new in moves if old.exists()]
    taken = next((new for _, new in moves if os.path.lexists(new)), None)
    if taken is not None:
        message = f"{taken} exists already: choose another name, or move it away."
        raise RenameError(message)
    return moves


def _left(tables: Path) -> tuple[Path, ...]:
    """Return what is left in a folder of tables; empty folders go."""
    for folder in (tables / TRAINING_SETS, tables):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return tuple(sorted(tables.iterdir())) if tables.is_dir() else ()
