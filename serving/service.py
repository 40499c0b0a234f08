"""The service: its parts in one place, opened together and closed together."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from fastapi import Request

from data.playbook import PlaybookFolder
from serving.clock import Clock
from serving.database import Database
from serving.ingestion import Ingestion
from serving.ladder import Ladder
from serving.preview import Previews
from serving.settings import Settings


@dataclass(frozen=True, slots=True)
class Service:
    """
    What the routes of the API work with.

    Reads run where they are asked, on the thread of the event loop: one takes less time than handing it over would.
    Writes wait for disks and for each other, so they run one after the other on ``writer``, a single thread.
    """

    settings: Settings
    folder: PlaybookFolder
    database: Database
    clock: Clock
    ladder: Ladder
    ingestion: Ingestion
    previews: Previews
    writer: ThreadPoolExecutor

    async def watch_models(self) -> None:
        """Take another model as soon as one is promoted, for ever."""
        while True:
            await asyncio.sleep(self.settings.model_check_s)
            await asyncio.to_thread(self.ladder.refresh)

    def close(self) -> None:
        """Let the writes under way finish, then close the store."""
        self.writer.shutdown(wait=True)
        self.previews.close()
        self.database.close()


def service_of(request: Request) -> Service:
    """Give the service that a request came to."""
    service: Service = request.app.state.service
    return service
