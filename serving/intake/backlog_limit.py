"""A bound on how long leads wait for their score: beyond it, new facts are refused for a while."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from data.instants import SECOND_US
from serving.clock import Clock
from serving.unready_errors import BacklogFullError

_LOOK_EVERY_S = 0.5


@dataclass
class BacklogLimit:
    """Looks twice a second, at most, since when the first lead waits; half a second is little beside the bound."""

    oldest_since: Callable[[], int | None]
    clock: Clock
    most_s: float
    _waited_s: float = 0.0
    _looked_at: float = -_LOOK_EVERY_S

    def require_room(self) -> None:
        """
        Check that leads do not wait too long for their score.

        Raises:
            BacklogFullError: the first of them has.
        """
        now = time.monotonic()
        if now >= self._looked_at + _LOOK_EVERY_S:
            self._looked_at = now
            since = self.oldest_since()
            self._waited_s = 0.0 if since is None else (self.clock.now() - since) / SECOND_US
        if self._waited_s > self.most_s:
            message = (
                f"Leads wait {self._waited_s:,.0f} s for their score, more than {self.most_s:,.0f} s: "
                "send the same request again later."
            )
            raise BacklogFullError(message)
