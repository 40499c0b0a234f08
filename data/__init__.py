"""What comes in: playbooks, exports, the contract they are turned into, and where the tables live."""

from itertools import chain
from typing import TYPE_CHECKING

from data.lazy_names import lazy_names

if TYPE_CHECKING:
    from data.commands import CheckResult as CheckResult
    from data.commands import check as check
    from data.contract import AttributeType as AttributeType
    from data.errors import DataError as DataError
    from data.errors import IntakeError as IntakeError
    from data.errors import LeadscoreError as LeadscoreError
    from data.errors import PlaybookError as PlaybookError
    from data.errors import QualityError as QualityError
    from data.home import Home as Home
    from data.importing.quality import QualityReport as QualityReport
    from data.importing.warehouse import Warehouse as Warehouse
    from data.importing.warehouse import import_history as import_history
    from data.progress import Progress as Progress
    from data.progress import shown as shown
    from data.progress import silent as silent
    from data.words.playbook import Business as Business
    from data.words.playbook import Playbook as Playbook
    from data.words.playbook import load_playbook as load_playbook

_HOMES = {
    "commands": ("CheckResult", "check"),
    "contract": ("AttributeType",),
    "errors": ("DataError", "IntakeError", "LeadscoreError", "PlaybookError", "QualityError"),
    "home": ("Home",),
    "words.playbook": ("Business", "Playbook", "load_playbook"),
    "progress": ("Progress", "shown", "silent"),
    "importing.quality": ("QualityReport",),
    "importing.warehouse": ("Warehouse", "import_history"),
}

__all__ = list(chain.from_iterable(_HOMES.values()))
__getattr__ = lazy_names(__name__, _HOMES)
