"""Loops compiled by numba: the types of arrays that they only read, and where the compiled code is kept."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import ModuleType
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


def inlined(function: Function) -> Function:
    """Compile a part of a kernel together with the kernel, as if it stood there."""
    return cast("Function", njit(error_model="numpy", nogil=True, inline="always")(function))


_WITHOUT_COUNTING: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
_ONLY_INSIDE: dict[str, Any] = {**_WITHOUT_COUNTING, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def called(function: Function) -> Function:
    """Compile a part of a kernel that is called from it, since it is needed seldom, or in several places."""
    return cast("Function", njit(**_ONLY_INSIDE)(function))


def compiled_kernel(function: Function) -> Function:
    """
    Compile a loop over many arrays in named tuples, as `compiled_when_called` does, without counting references.

    Counting who uses each array took nine tenths of the time. The loop must not make arrays of its own, and its
    caller keeps those that it is given.
    """
    try:
        made = njit(cache=True, **_WITHOUT_COUNTING)(function)
    except (RuntimeError, OSError):
        made = njit(**_WITHOUT_COUNTING)(function)
    return cast("Function", made)


def sources_of(*modules: ModuleType) -> str:
    """
    Return the hash of the source of modules, for a loop that inlines what they define.

    numba looks only at the file of the loop itself to see whether its compiled code is still right; a value that the
    loop closes over is part of its key.
    """
    files = [Path(module.__file__) for module in modules if module.__file__ is not None]
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
