"""
What can go wrong, as a tree.

LeadscoreError
├── DataError          what comes in: playbooks, exports, tables
│   ├── PlaybookError  a playbook says something that cannot be meant
│   ├── IntakeError    an export cannot be read as its playbook says
│   ├── QualityError   too much of what was read breaks the contract
│   └── HomeError      nothing can be kept where this installation is
├── FeatureError       (features) a catalog cannot be computed
├── ModelError         (models) a bundle or a scorer cannot be trusted
├── TrainingError      (training) no model can be made of this history
└── ServingError       (serving) the service cannot do what it was asked
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data.importing.quality import QualityReport


class LeadscoreError(Exception):
    """A mistake its reader can mend: what was found, what was expected, what to do."""


class DataError(LeadscoreError):
    """Something that comes in is not what the playbook or the contract says."""


class PlaybookError(DataError):
    """A playbook says something that is not valid."""


class IntakeError(DataError):
    """An export cannot be read in the way its playbook says."""


class HomeError(DataError):
    """The home folder is part of an installation, where nothing may be kept."""


class QualityError(DataError):
    """Too much of what was read breaks the contract."""

    def __init__(self, message: str, report: "QualityReport | None" = None) -> None:
        super().__init__(message)
        self.report = report
