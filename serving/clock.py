"""The service's clock: instants that never repeat, and reads that never pass a write that is under way."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from data.instants import now_us


class Clock:
    """
    Instants in microseconds, each later than the one before.

    A fact known at ``t`` counts from ``t + 1`` on. If a score as of now were given while a write with an earlier
    ``known_at`` is not yet visible, asking for that instant later would give another score. So as long as this
    process writes, "now" stands at the beginning of that write; and so it does while another process writes, if one
    says since when.

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
        """Give the present instant as the machine's clock says it."""
        return self._now()

    def tick(self) -> int:
        """Give an instant later than every one given before."""
        with self._lock:
            return self._next()

    def as_of(self, others_since: Callable[[], int | None] | None = None) -> int:
        """
        Give the instant that a score as of now stands for.

        Args:
            others_since: gives since when another process writes what is not visible yet, if one does. It is asked
                after the clock: a write that begins later is known later.
        """
        with self._lock:
            mine = self._next() if self._writing_since is None else self._writing_since
        others = None if others_since is None else others_since()
        return mine if others is None else min(mine, others)

    @contextmanager
    def writing(self) -> Iterator[Callable[[], int]]:
        """Give what makes reads stand still, to be called once the write lock is held; the block's end lets go."""
        try:
            yield self._stand_still
        finally:
            with self._lock:
                self._writing_since = None

    def _stand_still(self) -> int:
        with self._lock:
            self._writing_since = self._next()
            return self._writing_since

    def _next(self) -> int:
        self._last = max(self._now(), self._last + 1)
        return self._last


class SharedTime:
    """
    The present instant by a clock that several machines share, so that none is ahead of another.

    Args:
        now: this machine's clock [us since 1970 UTC].
        clock_offset_us: measures how far the shared clock is ahead of it.

    >>> SharedTime(lambda: 100, clock_offset_us=lambda now: 5)()
    105
    """

    def __init__(self, now: Callable[[], int], clock_offset_us: Callable[[Callable[[], int]], int]) -> None:
        self._now = now
        self._measure = clock_offset_us
        self._ahead_us = clock_offset_us(now)

    def __call__(self) -> int:
        """Give the present instant."""
        return self._now() + self._ahead_us

    def measure(self) -> None:
        """Measure again, since clocks drift."""
        self._ahead_us = self._measure(self._now)
