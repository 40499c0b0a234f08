"""
What can go wrong with backups.

ServingError
├── BackupError     a backup cannot be made, or is not as it was made
└── RestoreError    a backup cannot take the store's place
"""

from serving.errors import ServingError


class BackupError(ServingError):
    """A backup cannot be made, or is not as it was made."""


class RestoreError(ServingError):
    """A backup cannot take the store's place."""
