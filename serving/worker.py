"""The worker: what a process does between answers, on a thread of its own."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from data.instants import SECOND_US
from serving.clock import Clock
from serving.intake.idempotent_requests import delete_expired
from serving.scores.backlog import BacklogFollower
from serving.scores.recorder import Recorder
from serving.store.database import Database
from serving.store.leases import WORKER, Lease
from serving.store.state import read_state, write_state
from serving.store.store_errors import STORE_ERRORS, name_of

_LOG = logging.getLogger("leadscore.serving")
_PAUSE_S = 0.2
_CALLERS_FIRST, _LEAST_REST_S, _LONGEST_REST_S = 2.0, 0.1, 0.5
_SWEEPS_IN = 5
"""The sweep gets one round in so many, however long the backlog is."""
_BEHIND_S = 5.0
"""The sweep gets none while the first lead of the backlog has waited so long."""
_TIDY_US = 60_000_000
SWEPT = "swept_at"
"""Where the store remembers when the last sweep ended."""


@dataclass
class Worker:
    """
    Saves receipts of answers, scores the backlog, sweeps, and tidies up.

    Every process saves the receipts of its own answers. The rest is done by the one that holds the lease.

    Args:
        database: the store.
        clock: the service's clock.
        recorder: the receipts of what this process answered.
        backlog_follower: scores the leads that new facts are about, and sweeps.
        sweep_every_s: how often all open leads are scored again.
        chores: what else is done once a minute, by name.
        woken: set when there is new work, so that the worker does not wait for its next look.
        store_errors: how often the store did not answer, by the database's name of the error.
    """

    database: Database
    clock: Clock
    recorder: Recorder
    backlog_follower: BacklogFollower
    sweep_every_s: float
    chores: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    woken: threading.Event = field(default_factory=threading.Event)
    store_errors: Counter[str] = field(default_factory=Counter)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _sweep_after: str | None = None
    _tidied_at: int = 0
    _rounds: int = 0

    def __post_init__(self) -> None:
        self._lease = Lease(self.database, WORKER)

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the current round, save the receipts, and leave the rest to another process."""
        self._stop.set()
        self.woken.set()
        if self._thread is not None:
            self._thread.join()
            with suppress(*STORE_ERRORS):  # a store that is gone saves nothing, and must not hold up the end
                while self.recorder.save(self.database):
                    pass
                self._lease.release()

    def catch_up(self) -> None:
        """Do all the work there is now; a sweep only if it is due."""
        while self.step():
            pass

    def step(self) -> bool:
        """Do the next piece of work; return whether there was any."""
        kept = self.recorder.save(self.database)
        if not self._lease.acquire(self.clock.now()):
            return kept > 0
        followed = self.backlog_follower.step()
        self._rounds += 1
        has_time = followed == 0 or (self._rounds % _SWEEPS_IN == 0 and self.backlog_follower.waited_s < _BEHIND_S)
        swept = has_time and self._sweep_on()
        self._tidy()
        return kept > 0 or followed > 0 or swept

    def _run(self) -> None:
        while not self._stop.is_set():
            served, began = self._served(), time.monotonic()
            if not self._try_step():
                self.woken.wait(_PAUSE_S)
                self.woken.clear()
            elif self._served() != served:
                self._stop.wait(_rest_s(time.monotonic() - began))

    def _served(self) -> int:
        """Return how many facts and answers this process has handled so far."""
        return self.database.fact_writes + self.recorder.answered

    def _try_step(self) -> bool:
        """Do the next piece of work; return whether there was any. No error ends the thread."""
        try:
            return self.step()
        except STORE_ERRORS as error:  # the store is gone for a while: the next round tries again
            self.store_errors[name_of(error)] += 1
            _LOG.error("The worker waits for the store: %s", name_of(error))
        except Exception:  # noqa: BLE001 - no error of one round may end the worker
            _LOG.exception("The worker could not finish its round; it goes on with the next")
        return False

    def _sweep_on(self) -> bool:
        """Continue the sweep, or begin one that is due; return whether there was anything to do."""
        if self._sweep_after is None:
            if not self._is_due():
                return False
            self._sweep_after = ""
        self._sweep_after = self.backlog_follower.sweep(self._sweep_after)
        if self._sweep_after is None:
            self._note_sweep()
        return True

    def _is_due(self) -> bool:
        with self.database.reading() as connection:
            last = read_state(connection, SWEPT)
        return last is None or int(last) + self.sweep_every_s * SECOND_US <= self.clock.now()

    def _note_sweep(self) -> None:
        with self.database.writing() as connection:
            write_state(connection, SWEPT, str(self.clock.now()))

    def _tidy(self) -> None:
        now = self.clock.now()
        if now < self._tidied_at + _TIDY_US:
            return
        self._tidied_at = now
        with self.database.writing() as connection:
            delete_expired(connection, now)
        for name, chore in self.chores.items():
            _LOG.debug("chore: %s", name)
            chore()


def _rest_s(worked_s: float) -> float:
    """
    Return how long the worker rests while callers are active: they go first, and facts that trickle in are batched.

    >>> _rest_s(0.001), _rest_s(0.2), _rest_s(5)
    (0.1, 0.4, 0.5)
    """
    return min(max(_LEAST_REST_S, _CALLERS_FIRST * worked_s), _LONGEST_REST_S)
