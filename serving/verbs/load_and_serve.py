"""The verbs `load` and `serve`."""

from data.progress import Progress, silent
from data.workspace import Workspace
from serving.intake.loading import LoadResult, import_playbook_history, load_history
from serving.scorers.active_scorer import ActiveScorer
from serving.scorers.deployments import deployments_in_force
from serving.server.run import ServeResult, listening, run
from serving.settings import Settings, settings_for
from serving.store.database import Database
from serving.verbs.opened_store import opened_store


def load(workspace: Workspace, *, keeps_stored: bool = False, progress: Progress = silent) -> LoadResult:
    """
    Load the history of a playbook into the store; facts that are there already stay as they are.

    Rows that contradict them are named in the result, which has not passed then unless the user accepts that.

    Leads are scored by the champion in force. A model promoted on this machine is put in force only where there is no
    champion yet; later promotions are left to the service, since a load may run on a machine with an old model.

    Args:
        workspace: the playbook, and where tables and models are kept.
        keeps_stored: whether the user accepts that what the store holds stays where the history says otherwise.
        progress: is told how far the load has come.

    Raises:
        DataError: the exports do not match the playbook.
        ServingError: the store cannot be opened, or is another company's.
    """
    settings_for(workspace)  # a place where nothing may be kept is told of before the exports are read
    history = import_playbook_history(workspace, progress=progress)
    with opened_store(workspace) as (settings, database):
        following = _following_first_promotion(settings, database)
        live = ActiveScorer(workspace.playbook, following, database=database).current
        return load_history(
            history, database, playbook=workspace.playbook, live=live, keeps_stored=keeps_stored, progress=progress
        )


def _following_first_promotion(settings: Settings, database: Database) -> Settings:
    """Return settings that follow promotions only where no champion is in force yet."""
    with database.reading() as connection:
        is_first = "champion" not in deployments_in_force(connection)
    return settings.model_copy(update={"follow_promotions": settings.follow_promotions and is_first})


def serve(
    workspace: Workspace,
    *,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
) -> ServeResult:
    """
    Serve until SIGTERM or Ctrl-C; requests that were begun are answered first.

    What is None is as in the settings.

    Raises:
        LeadscoreError: the playbook, a setting or the store is invalid, or the address is taken.
    """
    return run(settings_for(workspace, host=host, port=port, workers=workers))


__all__ = ["ServeResult", "listening", "load", "run", "serve"]
