"""
Finding a version's bundle without the registry: a serving machine has the models folder, but no MLflow.

The pointer says which version is champion. The reports that trainings left beside their bundles say the versions of the
rest; the newest of them is the challenger.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.champion import MANIFEST, Champion, bundle_folder, read_pointer
from models.checked_json import loads
from models.errors import BundleError, ModelError

_EVALUATION = "evaluation.json"


class UnknownBundleError(BundleError):
    """No bundle has this name."""


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
        NoChampionError: the champion is requested, and none was promoted.
    """
    if wanted == "champion":
        return read_pointer(models)
    if (Path(wanted) / MANIFEST).is_file():
        return Champion("", "", str(Path(wanted).resolve()))
    candidates = [version for version in _trained(models) if wanted in {"challenger", version[1].version}]
    if not candidates:
        message = f"no bundle is called {wanted!a}: name champion, challenger, a trained version's number or a folder."
        raise UnknownBundleError(message)
    return max(candidates, key=lambda version: version[0])[1]


def _trained(models: Path) -> Iterator[tuple[str, Champion]]:
    """Yield each trained version whose bundle still exists, with the instant of its training."""
    for path in sorted(models.glob(f"reports/*/{_EVALUATION}")):
        training = _training_of(path)
        if training is not None and (bundle_folder(models, path.parent.name) / MANIFEST).is_file():
            fingerprint, version, trained_at = training
            yield trained_at, Champion(version, fingerprint, f"bundles/{path.parent.name}")


def _training_of(path: Path) -> tuple[str, str, str] | None:
    """Return fingerprint, version and instant of a training; None if its report lacks one of them."""
    try:
        content: Any = loads(path.read_text(encoding="utf-8"))
        training = (content["model"]["fingerprint"], content["version"], content["trained_at"])
    except (OSError, UnicodeDecodeError, KeyError, TypeError, ModelError):
        return None
    return training if all(isinstance(text, str) and text for text in training) else None
