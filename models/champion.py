"""
Where the trained models of a playbook are, and which of them serves.

The folder holds ``bundles/<run>/`` and ``judged/<run>/`` (never changed; the second is the same recipe without the
weeks that tested it), ``champion.json`` (which bundle serves, and the promotion that put it there) and
``scorecard.json`` (what history taught about the point rules). Training writes, serving reads.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from data.atomic_files import write_whole
from models.checked_json import fields, loads
from models.errors import BundleError, StructureError

MANIFEST = "manifest.json"
"""Names each file of a bundle with its hash; a folder that holds one is a bundle."""
POINTER = "champion.json"


class NoChampionError(BundleError):
    """No model has been promoted yet."""


@dataclass(frozen=True, slots=True)
class Champion:
    """
    Which bundle serves.

    Attributes:
        version: its label in the registry.
        fingerprint: the hash of all that is in it.
        bundle: its place inside the folder.
        move: who promoted it, when and why, as training wrote it; None if unknown. Serving does not read it.
    """

    version: str
    fingerprint: str
    bundle: str
    move: Mapping[str, Any] | None = None


def bundle_folder(models: Path, run_id: str) -> Path:
    """Return the folder of the bundle that a training run made."""
    return models / "bundles" / run_id


def judged_folder(models: Path, run_id: str) -> Path:
    """Return the folder of the model that a training run judged: its recipe, fitted to the weeks before its test."""
    return models / "judged" / run_id


def point_to(models: Path, champion: Champion) -> None:
    """Make a bundle the serving one, in one step."""
    content = {"version": champion.version, "fingerprint": champion.fingerprint, "bundle": champion.bundle}
    move = {} if champion.move is None else {"move": dict(champion.move)}
    write_whole(models / POINTER, json.dumps(content | move, sort_keys=True, indent=1))


def read_pointer(models: Path) -> Champion:
    """
    Read which bundle serves.

    Raises:
        NoChampionError: nothing was promoted yet.
        BundleError: the pointer is damaged.
    """
    path = models / POINTER
    if not path.exists():
        message = f"no model serves yet ({path} does not exist): run leadscore train, then leadscore promote."
        raise NoChampionError(message)
    return pointer_of(read_text(path), models)


def pointer_of(text: str, models: Path) -> Champion:
    """
    Read the pointer's text.

    Raises:
        BundleError: it is damaged.
    """
    path = models / POINTER
    try:
        return _with_move(loads(text), models)
    except StructureError as error:
        reason = str(error).removesuffix("; export the model again.")
        message = (
            f"{path} does not say which model serves ({reason}): run leadscore rollback, or promote a model again."
        )
        raise BundleError(message) from None


def _with_move(content: object, models: Path) -> Champion:
    move = content.pop("move", None) if isinstance(content, dict) else None
    if move is not None and not isinstance(move, dict):
        raise StructureError(where="move", found=move, expected="an object")
    return replace(champion_of(content, models, where="champion"), move=move)


def champion_of(content: object, models: Path, *, where: str) -> Champion:
    """
    Read which bundle is named: version, fingerprint and a folder inside this one.

    Args:
        content: JSON with these three texts.
        models: the folder that holds the bundles.
        where: the place it was read from, to name it.

    Raises:
        StructureError: it says something else.
    """
    given = fields(content, where, ("version", "fingerprint", "bundle"))
    for name, value in given.items():
        if not isinstance(value, str) or not value:
            raise StructureError(where=f"{where}, {name}", found=value, expected="text")
    if not _is_inside(given["bundle"], models):
        raise StructureError(where=where, found=given["bundle"], expected="a folder beside it")
    return Champion(**given)


def _is_inside(bundle: str, models: Path) -> bool:
    try:
        return (models / bundle).resolve().is_relative_to(models.resolve())
    except (ValueError, OSError, RuntimeError):  # characters that no path may hold, or links in a circle
        return False


def read_text(path: Path) -> str:
    """
    Read a file of the folder.

    Raises:
        BundleError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read ({error}): promote a model again."
        raise BundleError(message) from None
