"""What comes in: playbooks, exports, the contract they are turned into, and where the tables live."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from data.contract import AttributeType
from data.errors import DataError, IntakeError, LeadscoreError, PlaybookError, QualityError
from data.home import Home
from data.playbook import Business, Playbook, load_playbook
from data.progress import Progress, shown, silent

if TYPE_CHECKING:
    from data.commands import CheckResult, check
    from data.quality import QualityReport
    from data.warehouse import Warehouse, import_history

__all__ = [
    "AttributeType",
    "CheckResult",
    "DataError",
    "Home",
    "IntakeError",
    "LeadscoreError",
    "Business",
    "PlaybookError",
    "Playbook",
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

_LATE = {
    "CheckResult": "data.commands",
    "QualityReport": "data.quality",
    "Warehouse": "data.warehouse",
    "check": "data.commands",
    "import_history": "data.warehouse",
}
"""Names that need DuckDB and lxml; they are imported when asked for, so that a server can do without."""


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        message = f"module 'data' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_LATE[name]), name)
