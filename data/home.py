"""Where leadscore keeps what it makes on this machine, and where its demo is."""

import os
from dataclasses import dataclass
from pathlib import Path

DEMO = Path(__file__).resolve().parent / "playbooks" / "demo"
"""The playbook that a verb works on where none is named."""


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that holds local tables and trained models; never part of the repository."""

    root: Path

    @classmethod
    def from_environment(cls) -> "Home":
        """Return the folder that ``LEADSCORE_HOME`` names, or else the one that holds this package."""
        named = os.environ.get("LEADSCORE_HOME")
        return cls(Path(named).resolve() if named else Path(__file__).resolve().parent.parent)

    def tables(self, name: str) -> Path:
        """Return the folder for the local tables of the playbook of this name."""
        return self.root / "data" / "store" / name

    @property
    def registry(self) -> Path:
        """The folder of MLflow's database and artefacts."""
        return self.root / "models" / "store"

    def models(self, name: str) -> Path:
        """Return the folder of exported bundles of the playbook of this name."""
        return self.registry / name
