"""Where a training leaves its report, and the scorecard that was distilled from its model."""

from pathlib import Path

from models.bundle_versions import UnknownBundleError, find_bundle
from training.errors import UnknownVersionError
from training.evaluation.evaluation_document import LEARNED_RULES

CHALLENGER, CHAMPION = "challenger", "champion"
"""The newest registered version, and the version that serves."""


def report_folder(models: Path, run_id: str) -> Path:
    """Return the folder of the report, the model card and the evaluation of a training run."""
    return models / "reports" / run_id


def learned_rules_file(models: Path, run_id: str) -> Path:
    """Return the place of the scorecard that was distilled from a run's model."""
    return report_folder(models, run_id) / LEARNED_RULES


def find_run(models: Path, version: str) -> tuple[str, str]:
    """
    Find the run of a trained version by the reports beside the bundles, without opening the registry.

    Args:
        models: the playbook's models folder.
        version: ``challenger`` (the newest), ``champion`` or a number.

    Returns:
        The version's number, and the id of its run.

    Raises:
        UnknownVersionError: no training left a report of it.
        NoChampionError: the champion is wanted, and none was promoted.
    """
    try:
        found = find_bundle(models, version)
    except UnknownBundleError:
        message = f"{models / 'reports'} has no report of version {version}: run leadscore train, or name another one."
        raise UnknownVersionError(message) from None
    return found.version, Path(found.bundle).name
