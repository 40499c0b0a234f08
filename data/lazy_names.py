"""The public names of a package, each imported from its module when it is first used."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(package: str, homes: Mapping[str, tuple[str, ...]]) -> Callable[[str], Any]:
    """
    Return the ``__getattr__`` of a package: a verb that only reads needs few of its names, and the help none.

    Args:
        package: its name.
        homes: module inside the package → the public names that it holds.
    """
    modules = {name: module for module, names in homes.items() for name in names}

    def find(name: str) -> Any:
        if name not in modules:
            message = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(message)
        return getattr(import_module(f"{package}.{modules[name]}"), name)

    return find
