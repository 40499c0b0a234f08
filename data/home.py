"""Where leadscore keeps what it makes on this machine."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that holds local tables and trained models; never part of the repository."""

    root: Path

    @classmethod
    def from_environment(cls) -> "Home":
        """Take the folder named by ``LEADSCORE_HOME``, or else the checkout that holds this file."""
        named = os.environ.get("LEADSCORE_HOME")
        return cls(Path(named).resolve() if named else Path(__file__).resolve().parent.parent)

    def tables(self, name: str) -> Path:
        """Give the folder for the local tables of the playbook of this name."""
        return self.root / "data" / "store" / name

    @property
    def registry(self) -> Path:
        """Give the folder of MLflow's database and artefacts."""
        return self.root / "models" / "store"

    def models(self, name: str) -> Path:
        """Give the folder of exported bundles of the playbook of this name."""
        return self.registry / name
