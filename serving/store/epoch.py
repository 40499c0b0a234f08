"""
The epoch of a store: which store this is, and how often a backup took its place.

A copy of a store has the same id, so the id alone does not tell a store from an older state of itself. Each restore
begins a new epoch, and what was made of an earlier or a later epoch is recognised as such.
"""

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection

from serving.store.audit_log import keyed_hash
from serving.store.state import read_state, write_state

_STORE_ID, _EPOCH = "store_id", "epoch"
_ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class StoreEpoch:
    """
    Which store something was made of, and when in its life.

    Attributes:
        store_id: random, made once; the same in every copy of the store.
        number: counts from 1; each restore raises it.
    """

    store_id: str
    number: int

    def __str__(self) -> str:
        """
        Return it in words.

        >>> str(StoreEpoch("3f1c", 2))
        'store 3f1c in epoch 2'
        """
        return f"store {self.store_id} in epoch {self.number}"


def identify_store(connection: Connection) -> None:
    """Create the id, the first epoch and the secret of a store that has none; the transaction must write."""
    if read_state(connection, _STORE_ID) is None:
        write_state(connection, _STORE_ID, secrets.token_hex(_ID_BYTES))
        write_state(connection, _EPOCH, "1")
        keyed_hash(connection, "")  # makes the secret, without which no backup could erase again


def epoch_of(connection: Connection) -> StoreEpoch:
    """Return which store this is, and in which epoch."""
    return StoreEpoch(str(read_state(connection, _STORE_ID)), int(read_state(connection, _EPOCH) or 1))


def begin_epoch(connection: Connection, number: int) -> None:
    """Begin an epoch of the store; the transaction must write."""
    write_state(connection, _EPOCH, str(number))
