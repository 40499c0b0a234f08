"""Processes of this machine: whether one that wrote down its number is still alive."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

_STARTED = 19
_ENDED = ("Z", "X")


def process_identity(process: int) -> int:
    """
    Return what tells a process from a later one with the same number: a hash of its start and of the machine's.

    Process numbers are reused, in a container after every start. 0 where the system does not say.
    """
    try:
        started = _state(process)[_STARTED]
        machine = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8")
    except (OSError, IndexError):
        return 0
    return int.from_bytes(hashlib.sha256(f"{machine} {started}".encode()).digest()[:7], "big")


def is_alive(process: int, known_as: int) -> bool:
    """
    Return whether the process of this number and identity is alive, and not merely another one with its number.

    A process that ended counts as gone although its parent has not reaped it, which in a container may never happen.

    >>> is_alive(os.getpid(), process_identity(os.getpid())), is_alive(os.getpid(), 12345)
    (True, False)
    """
    with suppress(ProcessLookupError):
        with suppress(PermissionError):
            os.kill(process, 0)
        return process_identity(process) == known_as and not _has_ended(process)
    return False


def _has_ended(process: int) -> bool:
    with suppress(OSError, IndexError):
        return _state(process)[0] in _ENDED
    return False


def _state(process: int) -> list[str]:
    """Return the fields of the process's ``stat`` after its name, the state first."""
    return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
