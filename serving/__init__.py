"""The live service: facts in, explained scores and handovers out, over HTTP."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serving.errors import AddressError, RequestError, ServingError, SettingsError, StoreError
    from serving.settings import Settings, settings_for

_MODULES = {
    "errors": (
        "AddressError",
        "RequestError",
        "ServingError",
        "SettingsError",
        "StoreError",
    ),
    "settings": (
        "Settings",
        "settings_for",
    ),
}

__all__ = ["AddressError", "RequestError", "ServingError", "Settings", "SettingsError", "StoreError", "settings_for"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the client and the keys need few of them."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"serving.{module}"), name)
    message = f"module 'serving' has no attribute {name!r}"
    raise AttributeError(message)
