"""What comes in: playbooks, exports, the contract they are turned into, and where the tables live."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data.commands import CheckResult, check
    from data.contract import AttributeType
    from data.errors import DataError, IntakeError, LeadscoreError, PlaybookError, QualityError
    from data.home import Home
    from data.playbook import Business, Playbook, load_playbook
    from data.progress import Progress, shown, silent
    from data.quality import QualityReport
    from data.warehouse import Warehouse, import_history

_MODULES = {
    "commands": ("CheckResult", "check"),
    "contract": ("AttributeType",),
    "errors": ("DataError", "IntakeError", "LeadscoreError", "PlaybookError", "QualityError"),
    "home": ("Home",),
    "playbook": ("Business", "Playbook", "load_playbook"),
    "progress": ("Progress", "shown", "silent"),
    "quality": ("QualityReport",),
    "warehouse": ("Warehouse", "import_history"),
}

__all__ = [
    "AttributeType",
    "Business",
    "CheckResult",
    "DataError",
    "Home",
    "IntakeError",
    "LeadscoreError",
    "Playbook",
    "PlaybookError",
    "Progress",
    "QualityError",
    "QualityReport",
    "Warehouse",
    "check",
    "import_history",
    "load_playbook",
    "shown",
    "silent",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the help of the command line needs none of them."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"data.{module}"), name)
    message = f"module 'data' has no attribute {name!r}"
    raise AttributeError(message)
