"""How much memory an import or a build may take."""

import os

from data.errors import DataError

_VARIABLE = "LEADSCORE_MEMORY"
_GB = 2**30
_LEAST_GB, _USUAL_GB = 1.0, 4.0


def memory_bytes() -> int:
    """
    Return the bytes that an import or a build may take: those of ``LEADSCORE_MEMORY``, which is in GB.

    By default it is half the machine's memory, 4 GB at most. A longer history is done in more parts, or on disk.

    Raises:
        DataError: the setting is no number of GB from 1 on.
    """
    named = os.environ.get(_VARIABLE)
    if named is None:
        half_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2 / _GB
        return round(max(_LEAST_GB, min(_USUAL_GB, half_gb)) * _GB)
    try:
        wanted_gb = float(named)
    except ValueError:
        wanted_gb = 0.0
    if not _LEAST_GB <= wanted_gb <= 2**20:
        message = f"{_VARIABLE} is {named!r}, expected gigabytes from {_LEAST_GB:g} on, such as {_USUAL_GB:g}."
        raise DataError(message)
    return round(wanted_gb * _GB)
