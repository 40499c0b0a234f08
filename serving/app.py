"""The application: the only place where the parts of the service meet."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from data.instants import now_us
from data.playbook import load_playbook
from serving.api import add_routes
from serving.api.allowed import check_open, open_door
from serving.clock import Clock
from serving.database import Database
from serving.ingestion import Ingestion
from serving.ladder import Ladder
from serving.preview import Previews
from serving.problems import add_problem_handlers
from serving.routing import Routing
from serving.service import Service
from serving.settings import Settings


def create_app(settings: Settings, *, now: Callable[[], int] = now_us) -> FastAPI:
    """
    Wire the service.

    Args:
        settings: where everything stands.
        now: the machine's clock, in microseconds since 1970 UTC.

    Raises:
        SettingsError: keys are off and others than this machine could listen.
        PlaybookError: the playbook has mistakes.
        StoreError: the store cannot be opened.
    """
    check_open(settings)
    app = FastAPI(
        title="leadscore",
        version="1",
        description="Which leads to call first, why, and what changed.",
        lifespan=_lifespan,
        redirect_slashes=False,
    )
    app.state.service = open_service(settings, now=now)
    open_door(app, settings, database=app.state.service.database, now=app.state.service.clock.now)
    add_problem_handlers(app)
    add_routes(app)
    return app


def open_service(settings: Settings, *, now: Callable[[], int] = now_us) -> Service:
    """Open the parts of the service: playbook, store, and the scorer in use."""
    folder = load_playbook(settings.playbook)
    clock, ladder = Clock(now), Ladder(folder, settings.models)
    database = Database(settings.database, busy_timeout_s=settings.busy_timeout_s)
    ingestion = Ingestion(
        folder.playbook,
        database,
        clock=clock,
        ladder=ladder,
        routing=Routing(folder),
        clock_skew_s=settings.clock_skew_s,
    )
    previews = Previews(folder.playbook, database, ladder=ladder)
    writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
    return Service(settings, folder, database, clock, ladder, ingestion, previews, writer)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    watching = asyncio.create_task(service.watch_models())
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        service.close()
