"""The open connections of a process: how many there may be, and which one makes room for another."""

import logging
import time
from collections import Counter, OrderedDict
from http import HTTPStatus
from typing import Protocol

_LOG = logging.getLogger("leadscore.serving")
_LOGGED_EVERY_S = 60.0


class Closable(Protocol):
    """A connection that can be cut off."""

    def cut_off(self) -> None:
        """Close it at once, without an answer."""


class OpenConnections:
    """
    Bounds the connections of a process, in all and per address, so that nobody can take them all.

    A connection is waiting while its caller has no whole request there. Where there are too many, the one that has
    waited longest is cut off; where none waits, the new one is refused.

    Args:
        most: connections in all.
        most_per_address: connections of one address.

    Attributes:
        cut_off: how many were cut off to make room.
        refused: how many requests the server itself refused, by HTTP status.
    """

    def __init__(self, most: int, most_per_address: int) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._addresses: dict[Closable, str] = {}
        self._of_address: Counter[str] = Counter()
        self._waiting: OrderedDict[Closable, None] = OrderedDict()
        self._logged_at = -_LOGGED_EVERY_S
        self.cut_off = 0
        self.refused: Counter[HTTPStatus] = Counter()

    def __len__(self) -> int:
        return len(self._addresses)

    def admit(self, connection: Closable, address: str) -> bool:
        """Take in a new connection, which waits, and make room for it; return whether there is room."""
        is_full = len(self) >= self._most or self._of_address[address] >= self._most_per_address
        if is_full and not self._make_room(address):
            return False
        self._addresses[connection] = address
        self._of_address[address] += 1
        self._waiting[connection] = None
        return True

    def has_request(self, connection: Closable) -> None:
        """Note that a whole request is there: the connection is not cut off before it is answered."""
        self._waiting.pop(connection, None)

    def is_answered(self, connection: Closable) -> None:
        """Note that the connection waits again."""
        if connection in self._addresses:
            self._waiting[connection] = None
            self._waiting.move_to_end(connection)

    def forget(self, connection: Closable) -> None:
        """Forget a connection that is closed."""
        self._waiting.pop(connection, None)
        address = self._addresses.pop(connection, None)
        if address is not None:
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]

    def _make_room(self, address: str) -> bool:
        """Cut off the connection that has waited longest, one of the address itself where that has too many."""
        has_its_share = self._of_address[address] >= self._most_per_address
        longest = next((one for one in self._waiting if not has_its_share or self._addresses[one] == address), None)
        self._log()
        if longest is None:
            return False
        self.forget(longest)
        self.cut_off += 1
        longest.cut_off()
        return True

    def _log(self) -> None:
        """Log once a minute that there are too many, without an address, which is personal data."""
        now = time.monotonic()
        if now >= self._logged_at + _LOGGED_EVERY_S:
            self._logged_at = now
            _LOG.warning("Too many connections (%d): those that have waited longest are cut off", len(self))
