"""The service's clock: instants never repeat, and "now" never passes a write in flight."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from data.instants import now_us


class Clock:
    """
    Instants in microseconds, each later than the one before.

    A fact known at ``t`` counts from ``t + 1`` on. If a score were as of an instant at which a write with an earlier
    ``known_at`` is not yet visible, the same request for that instant would return another score later. So while this
    process writes, "now" stays at the beginning of that write; and while another process writes, at the beginning of
    its write.

    >>> clock = Clock(lambda: 7)
    >>> clock.tick(), clock.tick(), clock.as_of(), clock.as_of(lambda: 8)
    (7, 8, 9, 8)
    """

    def __init__(self, now: Callable[[], int] = now_us) -> None:
        self._now = now
        self._last = -(2**62)
        self._writing_since: int | None = None
        self._lock = threading.Lock()

    def now(self) -> int:
        """Return the present instant by the machine's clock."""
        return self._now()

    def tick(self) -> int:
        """Return an instant later than every one returned before."""
        with self._lock:
            return self._next()

    def as_of(self, others_since: Callable[[], int | None] | None = None) -> int:
        """
        Return the instant that a score "as of now" is as of.

        Args:
            others_since: returns since when another process has been writing, None if none is. It is called after the
                clock was read: a write that begins later is known later.
        """
        with self._lock:
            now = self._next() if self._writing_since is None else self._writing_since
        since = None if others_since is None else others_since()
        return now if since is None else min(now, since)

    @contextmanager
    def writing(self) -> Iterator[Callable[[], int]]:
        """Yield what stops the clock for reads, to be called under the write lock; it goes on after the block."""
        try:
            yield self._stop
        finally:
            with self._lock:
                self._writing_since = None

    def _stop(self) -> int:
        with self._lock:
            self._writing_since = self._next()
            return self._writing_since

    def _next(self) -> int:
        self._last = max(self._now(), self._last + 1)
        return self._last


class SharedTime:
    """
    The present instant by a clock that several machines share, so that no machine is ahead of another.

    Args:
        now: this machine's clock [us since 1970 UTC].
        clock_offset_us: measures how far the shared clock is ahead of this machine's [us].

    >>> SharedTime(lambda: 100, clock_offset_us=lambda now: 5)()
    105
    """

    def __init__(self, now: Callable[[], int], clock_offset_us: Callable[[Callable[[], int]], int]) -> None:
        self._now = now
        self._measure = clock_offset_us
        self._ahead_us = clock_offset_us(now)

    def __call__(self) -> int:
        """Return the present instant."""
        return self._now() + self._ahead_us

    def measure(self) -> None:
        """Measure the difference again, since clocks drift."""
        self._ahead_us = self._measure(self._now)
