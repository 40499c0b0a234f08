"""The service: its parts in one place, opened together and closed together."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from fastapi import Request
from sqlalchemy import Connection

from data.playbook import Playbook
from serving.clock import Clock
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


def _writer() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")


def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=_READERS, thread_name_prefix="reader")


@dataclass(frozen=True, slots=True)
class Service:
    """
    What the routes of the API work with.

    On SQLite reads run where they are asked, on the thread of the event loop: one takes less time than handing it over
    would. PostgreSQL is asked on threads. Writes wait for disks and for each other, so they run one after the other on
    ``writer``, a single thread.
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
    writer: ThreadPoolExecutor = field(default_factory=_writer)
    readers: ThreadPoolExecutor = field(default_factory=_readers)

    async def read(self, ask: Callable[[RawConnection, int], Answer], *, at_once: bool = False) -> Answer:
        """
        Ask the store.

        Args:
            ask: gets the engine's own connection and the instant that "now" stands for [us since 1970 UTC].
            at_once: whether it asks one question that needs no other to be of the same moment.
        """
        if self.database.dialect == "sqlite":
            return self._read(ask, at_once=at_once)
        asked = partial(self._read, ask, at_once=at_once)
        return await asyncio.get_running_loop().run_in_executor(self.readers, asked)

    async def ask(self, ask: Callable[[], Answer]) -> Answer:
        """Do what takes a while, and writes nothing, on a thread, so that nobody else waits."""
        return await asyncio.get_running_loop().run_in_executor(self.readers, ask)

    async def ask_store(self, ask: Callable[[Connection, int], Answer]) -> Answer:
        """
        Ask the store what takes a while, on a thread.

        Args:
            ask: gets a connection that sees one moment, and the instant that "now" stands for [us since 1970 UTC].
        """

        def asked() -> Answer:
            now = self.clock.as_of(self.database.other_writer_since)
            with self.database.reading() as connection:
                return ask(connection, now)

        return await self.ask(asked)

    async def write(self, act: Callable[[], Answer]) -> Answer:
        """Do what writes, after all that was to be written before it."""
        return await asyncio.get_running_loop().run_in_executor(self.writer, act)

    async def watch_models(self) -> None:
        """Take another model as soon as one is put in force, for ever."""
        while True:
            await asyncio.sleep(self.settings.model_check_s)
            await asyncio.to_thread(self.active_scorer.refresh)

    def close(self) -> None:
        """Let the writes under way finish, then close the store."""
        self.writer.shutdown(wait=True)
        self.readers.shutdown(wait=True)
        self.worker.stop()
        self.previews.close()
        self.active_scorer.close()
        self.database.close()

    def _read(self, ask: Callable[[RawConnection, int], Answer], *, at_once: bool) -> Answer:
        now = self.clock.as_of(self.database.other_writer_since)  # before the store's moment: all that counts is in it
        with self.database.live_statement() if at_once else self.database.live_snapshot() as store:
            return ask(store, now)


def service_of(request: Request) -> Service:
    """Give the service that a request came to."""
    service: Service = request.app.state.service
    return service
