"""
Why the service cannot do something for now, though nothing is wrong with the request.

RequestError
├── ClockBehindError   503  the machine's clock is behind what the store knows
├── BacklogFullError   503  facts come faster than leads can be scored
├── DiskFullError      503  the disk of the store has hardly any space left
├── LedgerError        503  the ledger beside the store cannot be written
└── StoppingError      503  the service is shutting down and accepts no new requests
"""

from serving.errors import RequestError


class ClockBehindError(RequestError):
    """The machine's clock is behind what the store knows, so that the newest facts would count in no score."""

    status = 503
    slug = "clock-behind"
    title = "The clock is behind the store"
    cause = "The machine's clock is behind the newest fact in the store, as after a virtual machine was restored."
    cure = "Set the clock of the machine; the service is ready as soon as it shows the right time."


class BacklogFullError(RequestError):
    """Facts come faster than leads can be scored, so that new ones must wait."""

    status = 503
    slug = "backlog-full"
    title = "Facts come faster than leads can be scored"
    cause = "The first of the leads with new facts has waited for its score longer than `LEADSCORE_BACKLOG_S`."
    cure = "Send the same request again after the seconds in `Retry-After`, and less at once; nothing of it was stored."
    retry_after_s = 10


class DiskFullError(RequestError):
    """The disk of the store has so little space left that facts may be refused any moment."""

    status = 503
    slug = "disk-full"
    title = "The disk of the store is full"
    cause = "The disk that holds the store has less than 16 MiB left."
    cure = "Make room on the disk, or give the store a larger one; then the service is ready again."


class LedgerError(RequestError):
    """The ledger beside the store cannot be written, so that a restored backup would undo the act: it is not done."""

    status = 503
    slug = "ledger-unwritable"
    title = "The ledger cannot be written"
    cause = "The ledger, which keeps erasures, revocations and deployments outside the store, cannot be written."
    cure = "Nothing was done. Make its folder writable, or name another file in `LEADSCORE_LEDGER`, then try again."

    @classmethod
    def of(cls, reason: str) -> "LedgerError":
        """Return the error for what the operating system says."""
        mend = "make its folder writable, or name another file in LEADSCORE_LEDGER."
        return cls(f"The ledger outside the store cannot be written ({reason}), so nothing was done: {mend}")


class StoppingError(RequestError):
    """The service is shutting down and accepts no new requests."""

    status = 503
    slug = "stopping"
    title = "The service is stopping"
    cause = "The process is shutting down and accepts no new work."
    cure = "Send the request again after the seconds in `Retry-After`: the next process answers."
    retry_after_s = 1
