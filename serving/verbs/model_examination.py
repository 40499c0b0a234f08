"""What the doctor looks at in the models: the champion, what was promoted, and the log of promotions."""

import json
from collections.abc import Iterator
from pathlib import Path

from data.instants import iso
from models.champion import NoChampionError, read_pointer
from models.errors import ModelError
from serving.errors import UnknownScorerError
from serving.scorers.deployments import Deployment, deployments_in_force, load_scorer
from serving.settings import Settings
from serving.store.database import Database
from serving.verbs.examination import ExaminationResult, fine, warning, wrong

_LOG_OF_PROMOTIONS = "history.jsonl"
"""The file beside the pointer to which training appends every promotion."""


def examine_models(settings: Settings, database: Database) -> Iterator[ExaminationResult]:
    """
    Yield which model is in force, whether it is the one that was promoted, and who promoted last.

    Args:
        settings: the settings of the service.
        database: the store.
    """
    with database.reading() as connection:
        champion = deployments_in_force(connection).get("champion")
        if champion is None or champion.scorer is None:
            cure = "leadscore train, leadscore promote, leadscore deploy"
            yield warning("champion", "no model is in force: the point rules answer", cure=cure)
        else:
            try:
                load_scorer(connection, champion.scorer.fingerprint)
            except (ModelError, UnknownScorerError) as error:
                yield wrong("champion", str(error), cure="leadscore deploy, which stores its bundle again")
            else:
                scorer = champion.scorer
                yield fine("champion", f"{scorer.name} {scorer.version}, since {iso(champion.deployed_at)[:16]}Z")
    yield _promoted(settings, champion)
    yield _log_of_promotions(settings.models / _LOG_OF_PROMOTIONS)


def _promoted(settings: Settings, champion: Deployment | None) -> ExaminationResult:
    """Check whether the model that was promoted on this machine is the one in force."""
    try:
        pointer = read_pointer(settings.models)
    except NoChampionError:
        return fine("promoted", "nothing on this machine")
    except ModelError as error:
        return wrong("promoted", str(error), cure="leadscore promote, or restore champion.json from a backup")
    in_force = champion.scorer.fingerprint if champion is not None and champion.scorer is not None else None
    if in_force == pointer.fingerprint or not settings.follow_promotions:
        return fine("promoted", f"version {pointer.version}")
    says = f"version {pointer.version} was promoted and is not in force"
    return warning("promoted", says, cure="start the service, which follows it; GET /v1/model says why it cannot")


def _log_of_promotions(path: Path) -> ExaminationResult:
    if not path.exists():
        return fine("promotions", "none is logged on this machine")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        newest = json.loads(lines[-1])
        says = f"{len(lines)} logged, the last {newest['action']} by {newest['who']}, {newest['at'][:16]}Z"
    except (OSError, ValueError, LookupError, TypeError):
        return wrong(
            "promotions", f"{path} cannot be read", cure="restore it from a backup; leadscore history checks it"
        )
    return fine("promotions", says)
