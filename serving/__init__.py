"""How people and systems use it: facts in, explained scores and routes out, over HTTP."""

from serving.errors import AddressError, RequestError, ServingError, SettingsError, StoreError
from serving.settings import Settings, settings_for

__all__ = ["AddressError", "RequestError", "ServingError", "Settings", "SettingsError", "StoreError", "settings_for"]
