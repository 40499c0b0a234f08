"""The app of one process of the service, as uvicorn builds it in whatever process it starts."""

import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable

from fastapi import FastAPI

from data.errors import LeadscoreError
from serving.app import create_app
from serving.observability.logs import write_logs
from serving.server.watchdog import send_heartbeats
from serving.settings import Settings

_LOG = logging.getLogger("leadscore.serving")
_SWITCH_S = 0.00003
"""How long the worker's thread may compute while an answer waits for its turn; Python's own 5 ms show in answers."""


class Replacements:
    """How many processes the supervisor has replaced; it counts, and every process reads."""

    def __init__(self) -> None:
        self._count = multiprocessing.get_context("spawn").Value("L", 0)

    def add_one(self) -> None:
        """Count one more."""
        with self._count:
            self._count.value += 1

    def count(self) -> int:
        """Return how many there were."""
        return int(self._count.value)


def member_app(settings: Settings, replaced: Replacements) -> FastAPI:
    """
    Build the app of a process that the supervisor started.

    A process that cannot open its parts ends with one sentence in the log, and the supervisor tries again.
    """
    write_logs(settings.log_format)
    threading.Thread(target=_end_with_supervisor, name="supervisor", daemon=True).start()
    try:
        return tuned_app(settings, replaced=replaced.count)
    except LeadscoreError as error:
        _LOG.error("A process cannot answer: %s", error)
        sys.exit(1)


def tuned_app(settings: Settings, *, replaced: Callable[[], int] = int) -> FastAPI:
    """
    Build the app and tune this process to answer quickly, and to end when it stands still.

    Args:
        settings: the settings of the service.
        replaced: counts the processes that were replaced so far.

    Raises:
        LeadscoreError: the playbook, a setting or the store is invalid.
    """
    sys.setswitchinterval(_SWITCH_S)
    app = create_app(settings, beside=[send_heartbeats])
    app.state.meter.processes_replaced = replaced
    gc.collect()
    gc.freeze()  # what stays for ever is not searched again: that would take a tenth of a second of some answer
    return app


def _end_with_supervisor() -> None:
    """Stop this process once the supervisor is gone, even if it was killed."""
    supervisor = multiprocessing.parent_process()
    if supervisor is not None:
        supervisor.join()
        os.kill(os.getpid(), signal.SIGTERM)
