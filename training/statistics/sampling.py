"""Random numbers drawn from names: the same name always draws the same number, whatever else is in the data."""

import hashlib
from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_UNIT = 2.0**-53


def uniforms(names: Iterable[str], purpose: str, *, seed: int) -> NDArray[np.float64]:
    """
    Draw one number from each name.

    Args:
        names: n names.
        purpose: what the draw decides; draws for different purposes are independent.
        seed: another seed gives other draws.

    Returns:
        (n,) in [0, 1).

    >>> uniforms(["ada", "bob", "ada"], "block", seed=1).round(3).tolist()
    [0.005, 0.868, 0.005]
    """
    return _unit(_hashes(names, purpose, seed))


def uniforms_by_time(
    names: "pd.Series[str]", times: NDArray[np.int64], purpose: str, *, seed: int
) -> NDArray[np.float64]:
    """
    Draw one number from each pair of a name and a time.

    Args:
        names: n names, with repetitions.
        times: (n,) days, or instants.
        purpose: what the draw decides.
        seed: another seed gives other draws.

    Returns:
        (n,) in [0, 1).
    """
    codes, unique = pd.factorize(names)
    hashes = _hashes(unique.astype(str), purpose, seed)[codes]
    return _unit(_mixed(hashes ^ _mixed(times.astype(np.uint64))))


def _hashes(names: Iterable[str], purpose: str, seed: int) -> NDArray[np.uint64]:
    """Return 64 bits for each name."""
    start = hashlib.blake2b(f"{seed}|{purpose}|".encode(), digest_size=8)
    digests = bytearray()
    for name in names:
        hasher = start.copy()
        hasher.update(name.encode())
        digests += hasher.digest()
    return np.frombuffer(bytes(digests), dtype="<u8").astype(np.uint64)


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """
    Scramble 64 bits so that neighbours have nothing in common.

    Source: splitmix64, Steele, Lea and Flood 2014.
    """
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _unit(bits: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return the upper 53 bits as a number in [0, 1)."""
    return (bits >> np.uint64(11)).astype(np.float64) * _UNIT
