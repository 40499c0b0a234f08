"""Loops compiled by numba: the types of arrays that they only read, and where the compiled code is kept."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit, types, void

Function = TypeVar("Function", bound=Callable[..., Any])


def read_only(item: Any, dimensions: int = 1) -> Any:
    """Return numba's type of a contiguous array that is only read; writable arrays match it too."""
    return types.Array(item, dimensions, "C", readonly=True)


def compiled(*arguments: Any) -> Callable[[Function], Function]:
    """Compile a loop now, or load what an earlier process compiled; work without a cache where none can be written."""

    def compile_it(function: Function) -> Function:
        # error_model="numpy": a division by zero gives inf or nan as in numpy, and needs no branch in the loop.
        try:
            made = njit(void(*arguments), cache=True, nogil=True, error_model="numpy")(function)
        except (RuntimeError, OSError):  # neither the package folder nor a cache folder can be written
            made = njit(void(*arguments), nogil=True, error_model="numpy")(function)
        return cast("Function", made)

    return compile_it


def compiled_when_called(function: Function) -> Function:
    """Compile a loop at its first call, for the types of the arguments, or load what an earlier process compiled."""
    try:
        made = njit(cache=True, nogil=True, error_model="numpy")(function)
    except (RuntimeError, OSError):
        made = njit(nogil=True, error_model="numpy")(function)
    return cast("Function", made)
