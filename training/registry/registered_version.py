"""A version of the registry: what it is, and what is given to make one."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """A version in the registry: its number, its run, and its bundle's fingerprint."""

    version: str
    run_id: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class RegistryEntry:
    """
    What is registered as a version.

    Attributes:
        run_id: its run.
        model_id: its logged model.
        fingerprint: of its bundle.
        description: what the training found, in words.
        tags: such as ``gate.calibration_error``.
    """

    run_id: str
    model_id: str
    fingerprint: str
    description: str
    tags: Mapping[str, str]
