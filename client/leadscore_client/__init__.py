"""Python client for the leadscore API: send facts, read scores, synchronously or asynchronously."""

from leadscore_client.client import AsyncClient, Client
from leadscore_client.errors import (
    ClientError,
    InvalidArgumentError,
    InvalidItemError,
    InvalidUrlError,
    ProblemError,
    UnreachableError,
)
from leadscore_client.sending import RefusedItem, SendResult

__all__ = [
    "AsyncClient",
    "Client",
    "ClientError",
    "InvalidArgumentError",
    "InvalidItemError",
    "InvalidUrlError",
    "ProblemError",
    "RefusedItem",
    "SendResult",
    "UnreachableError",
]
