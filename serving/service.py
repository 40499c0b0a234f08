"""The service: all its parts in one place, which are opened and closed together."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from fastapi import Request
from sqlalchemy import Connection

from data.words.playbook import Playbook
from serving.clock import Clock
from serving.intake.backlog_limit import BacklogLimit
from serving.intake.ingestion import Ingestion
from serving.scorers.active_scorer import ActiveScorer
from serving.scores.crossings import CrossingRules
from serving.scores.preview import Previews
from serving.scores.recorder import Recorder
from serving.settings import Settings
from serving.store.database import Database, RawConnection
from serving.worker import Worker

Answer = TypeVar("Answer")
_READERS = 8


@dataclass(frozen=True, slots=True)
class Service:
    """
    What the routes of the API work with.

    Reads of SQLite run on the thread of the event loop, since handing a query to another thread takes longer than the
    query. Reads of PostgreSQL run on the threads of ``readers``. Writes wait for disks and for each other, so they run
    one after the other on the single thread of ``writer``. Long answers are made in parts on the single thread of
    ``batcher``, one part of each in turn, so that they hold up neither the event loop nor each other. Bundles are
    verified one after the other, under the lock ``bundles``: the largest takes some hundred megabytes while it is.
    """

    settings: Settings
    playbook: Playbook
    database: Database
    clock: Clock
    active_scorer: ActiveScorer
    crossing_rules: CrossingRules
    ingestion: Ingestion
    previews: Previews
    recorder: Recorder
    worker: Worker
    backlog_limit: BacklogLimit
    writer: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, 1, "writer"))
    readers: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, _READERS, "reader"))
    batcher: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, 1, "batch"))
    bundles: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def read(self, query: Callable[[RawConnection, int], Answer]) -> Answer:
        """
        Read from the store.

        Args:
            query: takes the driver's own connection and the instant that "now" stands for [us since 1970 UTC].
        """
        if self.database.dialect == "sqlite":
            return self._read(query)
        return await self.ask(partial(self._read, query))

    async def read_part(self, query: Callable[[RawConnection], Answer]) -> Answer:
        """
        Read one part of a long answer, after the parts that others wait for.

        Args:
            query: takes the driver's own connection.
        """

        def work() -> Answer:
            with self.database.live_snapshot() as store:
                return query(store)

        return await asyncio.get_running_loop().run_in_executor(self.batcher, work)

    async def ask(self, work: Callable[[], Answer]) -> Answer:
        """Do work that takes long and writes nothing on another thread, so that other requests go on."""
        return await asyncio.get_running_loop().run_in_executor(self.readers, work)

    async def ask_store(self, query: Callable[[Connection, int], Answer]) -> Answer:
        """Run a query that takes long on another thread; it gets a connection that sees one moment, and "now" [us]."""

        def work() -> Answer:
            now = self.clock.as_of(self.database.other_writer_since)
            with self.database.reading() as connection:
                return query(connection, now)

        return await self.ask(work)

    async def require_room(self) -> None:
        """
        Check that leads do not wait too long for their score.

        Raises:
            BacklogFullError: the first of them has.
        """
        if self.database.dialect == "sqlite":
            self.backlog_limit.require_room()
        else:
            await self.ask(self.backlog_limit.require_room)

    async def write(self, work: Callable[[], Answer]) -> Answer:
        """Do work that writes, after all earlier writes of this process."""
        return await asyncio.get_running_loop().run_in_executor(self.writer, work)

    async def watch_models(self) -> None:
        """Switch to another model whenever one is put in force, for ever."""
        while True:
            await asyncio.sleep(self.settings.model_check_s)
            await asyncio.to_thread(self.active_scorer.refresh)

    def close(self) -> None:
        """Finish the writes in flight, then close the store."""
        self.writer.shutdown(wait=True)
        self.readers.shutdown(wait=True)
        self.batcher.shutdown(wait=True)
        self.worker.stop()
        self.active_scorer.close()
        self.database.close()

    def _read(self, query: Callable[[RawConnection, int], Answer]) -> Answer:
        now = self.clock.as_of(
            self.database.other_writer_since
        )  # taken first, so that the store holds all known by then
        with self.database.live_snapshot() as store:
            return query(store, now)


def service_of(request: Request) -> Service:
    """Return the service that a request came to."""
    service: Service = request.app.state.service
    return service
