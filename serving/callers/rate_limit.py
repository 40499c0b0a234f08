"""
Rate limits: a token bucket per caller, in the memory of each process.

A bucket holds one second's worth of tokens and fills up evenly, so a caller may send bursts but not more on average.
What a request costs beyond its first token is taken once it is known: a bucket may hold less than nothing for a while.
The library `limits` (5, in memory) takes 11 to 20 µs for what takes 1 µs here, on the path of every request.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

_MOST_CALLERS = 10_000


class RateLeft(NamedTuple):
    """
    What a caller may still spend.

    Attributes:
        quota: tokens after a pause.
        remaining: tokens now.
        reset_s: until there is a token, 0 where there is one [s].
    """

    quota: int
    remaining: int
    reset_s: float


class Limiter:
    """
    Token buckets, one per caller; beyond 10,000 the least recently seen callers are forgotten.

    >>> limiter = Limiter(2, seconds=lambda: 0.0)
    >>> limiter.wait_s("crm"), limiter.wait_s("crm"), limiter.wait_s("crm")
    (0.0, 0.0, 0.5)

    Args:
        per_s: how many tokens a second a caller gets; 0 is no limit.
        burst: how many at once after a pause; default: one second's worth, at least one.
        seconds: a monotonic clock [s].
    """

    def __init__(
        self, per_s: float, *, burst: float | None = None, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_s = per_s
        self._burst = max(1.0, per_s if burst is None else burst)
        self._seconds = seconds
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, caller: str) -> float:
        """Take a token for a request and return 0; if there is none, return in how many seconds there will be [s]."""
        if not self._per_s:
            return 0.0
        tokens, now = self._filled(caller)
        is_allowed = tokens >= 1
        self._keep(caller, (tokens - is_allowed, now))
        return 0.0 if is_allowed else (1 - tokens) / self._per_s

    def charge(self, caller: str, tokens: float) -> None:
        """
        Take more tokens for a request that was allowed, also those that are not there yet.

        >>> limiter = Limiter(100, seconds=lambda: 0.0)
        >>> limiter.wait_s("crm"), limiter.charge("crm", 1000), limiter.wait_s("crm")
        (0.0, None, 9.02)
        """
        if self._per_s:
            left, now = self._filled(caller)
            self._keep(caller, (left - tokens, now))

    def left(self, caller: str) -> RateLeft | None:
        """Return what a caller may still spend; None where there is no limit."""
        if not self._per_s:
            return None
        tokens, _ = self._filled(caller)
        return RateLeft(math.ceil(self._burst), max(0, math.floor(tokens)), max(0.0, (1 - tokens) / self._per_s))

    def _filled(self, caller: str) -> tuple[float, float]:
        """Return the tokens of a caller now, and the instant that is [s]."""
        now = self._seconds()
        tokens, at = self._buckets.get(caller, (self._burst, now))
        return min(self._burst, tokens + (now - at) * self._per_s), now

    def _keep(self, caller: str, bucket: tuple[float, float]) -> None:
        self._buckets[caller] = bucket
        self._buckets.move_to_end(caller)
        if len(self._buckets) > _MOST_CALLERS:
            self._buckets.popitem(last=False)
