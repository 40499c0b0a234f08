"""Processes of this machine: whether one that left its number behind is still there."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

_BEGAN = 19
_ENDED = ("Z", "X")


def process_identity(process: int) -> int:
    """
    Tell a process from another one of the same number: by when it began, and by which start of the machine.

    Numbers of processes come again, in a container after every start. 0 where the system does not say.
    """
    try:
        began = _state(process)[_BEGAN]
        machine = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8")
    except (OSError, IndexError):
        return 0
    return int.from_bytes(hashlib.sha256(f"{machine} {began}".encode()).digest()[:7], "big")


def is_alive(process: int, known_as: int) -> bool:
    """
    Say whether a process is still there, and no other one under its number.

    One that ended and that its parent has not asked after, which in a container may be for ever, is there no more.

    Args:
        process: its number.
        known_as: which it was, as `which` said.

    >>> is_alive(os.getpid(), which(os.getpid())), is_alive(os.getpid(), 12345)
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
    """Give what the system says of a process after its name: its state first."""
    return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
