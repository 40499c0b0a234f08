"""
Which bundle a version is, found without the registry: a machine that serves has the models folder and no MLflow.

The pointer says which version is champion. The reports that trainings left beside their bundles say the versions of the
rest; the newest of them is the challenger.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.bundle import MANIFEST
from models.champion import Champion, bundle_folder, read_pointer
from models.checked_json import loads
from models.errors import BundleError, ModelError

_EVALUATION = "evaluation.json"


class UnknownBundleError(BundleError):
    """No bundle goes by this name."""


def find_bundle(models: Path, wanted: str) -> Champion:
    """
    Find the bundle of a version.

    Args:
        models: the playbook's models folder.
        wanted: ``champion``, ``challenger`` (the newest that was trained), a version's number, or a bundle's folder.

    Returns:
        Version, fingerprint and folder; the fingerprint is empty where only the folder is known.

    Raises:
        UnknownBundleError: there is none.
        NoChampionError: the champion is wanted, and none was promoted.
    """
    if wanted == "champion":
        return read_pointer(models)
    if (Path(wanted) / MANIFEST).is_file():
        return Champion("", "", str(Path(wanted).resolve()))
    found = [one for one in _trained(models) if wanted in {"challenger", one[1].version}]
    if not found:
        message = f"no bundle goes by {wanted!a}: name champion, challenger, a trained version's number or a folder."
        raise UnknownBundleError(message)
    return max(found, key=lambda one: one[0])[1]


def _trained(models: Path) -> Iterator[tuple[str, Champion]]:
    """Give what each training made whose bundle is still there, with the instant it was trained at."""
    for path in sorted(models.glob(f"reports/*/{_EVALUATION}")):
        told = _told(path)
        if told is not None and (bundle_folder(models, path.parent.name) / MANIFEST).is_file():
            fingerprint, version, trained_at = told
            yield trained_at, Champion(version, fingerprint, f"bundles/{path.parent.name}")


def _told(path: Path) -> tuple[str, str, str] | None:
    """Give the fingerprint, the version and the instant of a training; None where its report does not say them."""
    try:
        content: Any = loads(path.read_text(encoding="utf-8"))
        told = (content["model"]["fingerprint"], content["version"], content["trained_at"])
    except (OSError, UnicodeDecodeError, KeyError, TypeError, ModelError):
        return None
    return told if all(isinstance(text, str) and text for text in told) else None
