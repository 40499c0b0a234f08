"""The application: the only place where the parts of the service meet."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from data.errors import LeadscoreError
from data.instants import now_us
from data.words.playbook import load_playbook
from serving.api import add_routes, documentation
from serving.api.auth import check_open, open_door
from serving.api.middleware import GuardedApp
from serving.api.problems import add_problem_handlers
from serving.backup.ledger_replay import catch_up_with_ledger
from serving.clock import Clock, SharedTime
from serving.intake.backlog_limit import BacklogLimit
from serving.intake.ingestion import Ingestion
from serving.intake.rejected_items import delete_old_rejected
from serving.observability.request_log import watch
from serving.privacy.erasure import scrub_if_due
from serving.scorers.active_scorer import ActiveScorer
from serving.scores.backlog import BacklogFollower
from serving.scores.crossings import CrossingRules
from serving.scores.preview import Previews
from serving.scores.receipt_retention import ReceiptRetention
from serving.scores.recorder import Recorder
from serving.scores.rescoring import Rescorer
from serving.service import Service
from serving.settings import Settings
from serving.store.database import Database
from serving.store.store_company import claim_store
from serving.worker import Worker

_LOG = logging.getLogger("leadscore.serving")
_LARGEST_USUAL_BODY_BYTES = 64 * 2**10
"""The limit of a route that sets none; most routes take no body at all."""


_NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""Requests are counted for Prometheus; asking OpenTelemetry each time whether it is there costs 3 % of a score."""


def create_app(
    settings: Settings,
    *,
    now: Callable[[], int] = now_us,
    works_behind: bool = True,
    beside: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
) -> FastAPI:
    """
    Return the application with all of its parts.

    Args:
        settings: the settings of the service.
        now: the machine's clock, in microseconds since 1970 UTC.
        works_behind: whether the worker runs on a thread of its own; else the owner of the service steps it.
        beside: what else runs on the event loop while the app is open.

    Raises:
        SettingsError: keys are off and other machines could connect.
        PlaybookError: the playbook has mistakes.
        StoreError: the store cannot be opened.
    """
    check_open(settings)
    app = GuardedApp(
        title="leadscore",
        version="1",
        description="Which leads to call first, why, and what changed.",
        lifespan=_lifespan,
        redirect_slashes=False,
        docs_url=None,  # serving/api/documentation.py has pages that need no internet
        redoc_url=None,
        max_body_size=_LARGEST_USUAL_BODY_BYTES,
        telemetry=_NO_TELEMETRY,
    )
    app.state.service = open_service(settings, now=now)
    app.state.works_behind, app.state.beside = works_behind, beside
    open_door(app, settings, database=app.state.service.database, now=app.state.service.clock.now)
    watch(app, app.state.service)
    add_problem_handlers(app)
    add_routes(app)
    app.include_router(documentation.router)
    return app


def open_service(settings: Settings, *, now: Callable[[], int] = now_us) -> Service:
    """Open the parts of the service: playbook, store, and the scorer in use."""
    playbook = load_playbook(settings.playbook)
    database = Database(settings.database, busy_timeout_s=settings.busy_timeout_s, ledger=settings.ledger_file)
    try:
        if changed := claim_store(database, playbook.company):
            _LOG.warning("%s", changed)
    except LeadscoreError:
        database.close()
        raise
    replayed = catch_up_with_ledger(database)
    if replayed:
        _LOG.warning("an older store was put back: erased %d leads again, ended %d keys again", *replayed.counts)
    time = SharedTime(now, database.clock_offset_us if now is now_us else lambda _now: 0)
    clock = Clock(time)
    active_scorer = ActiveScorer(playbook, settings, database=database, now=clock.now)
    crossing_rules, recorder = CrossingRules(playbook), Recorder()
    rescoring = Rescorer(database, clock, active_scorer=active_scorer, crossing_rules=crossing_rules)
    backlog_follower = BacklogFollower(database, clock, rescoring=rescoring, crossing_rules=crossing_rules)
    retention = ReceiptRetention(database, settings.keep_receipts_days)
    chores: dict[str, Callable[[], object]] = {
        "scrub": partial(scrub_if_due, database),
        "clock": time.measure,
        "receipts": lambda: retention.step(clock.now()),
        "rejected items": lambda: delete_old_rejected(database, clock.now()),
    }
    worker = Worker(database, clock, recorder, backlog_follower, settings.sweep_every_s, chores)
    ingestion = Ingestion(
        playbook.business, database, clock=clock, clock_skew_s=settings.clock_skew_s, on_stored=worker.woken.set
    )
    return Service(
        settings,
        playbook,
        database,
        clock=clock,
        active_scorer=active_scorer,
        crossing_rules=crossing_rules,
        ingestion=ingestion,
        previews=Previews(playbook.business, database, active_scorer=active_scorer),
        recorder=recorder,
        worker=worker,
        backlog_limit=BacklogLimit(backlog_follower.oldest_since, clock, settings.backlog_s),
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[dict[str, object]]:
    service: Service = app.state.service
    runs = [service.watch_models, app.state.meter.keep_fresh, app.state.door.keep_use, *app.state.beside]
    behind = [asyncio.create_task(run()) for run in runs]
    if app.state.works_behind:
        service.worker.start()
    try:
        yield {"shutdown": app.state.stopping, "connections": app.state.connections}  # which the server keeps
    finally:
        for task in behind:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        app.state.door.use.save(app.state.door.use.take())
        service.close()
