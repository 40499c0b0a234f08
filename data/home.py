"""Where leadscore keeps what it makes on this machine, and where its demo is."""

import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from data.errors import HomeError

DEMO = Path(__file__).resolve().parent / "playbooks" / "demo"
"""The playbook that a verb works on where none is named."""
_INSTALLATIONS = frozenset({"site-packages", "dist-packages"})
_AS_THE_SERVICE = "sudo systemd-run --pipe --wait --quiet --uid=leadscore -p EnvironmentFile=/etc/leadscore.env"


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that holds local tables and trained models; never part of the repository, nor of an installation."""

    root: Path

    @classmethod
    def from_environment(cls) -> "Home":
        """Return the folder that ``LEADSCORE_HOME`` names, or else the one that holds this package."""
        named = os.environ.get("LEADSCORE_HOME")
        return cls(Path(named).resolve() if named else Path(__file__).resolve().parent.parent)

    @property
    def is_installation(self) -> bool:
        """
        Whether the folder is where Python keeps installed packages.

        >>> Home(Path("/opt/venv/lib/python3.11/site-packages")).is_installation, Home(Path("/var/lib")).is_installation
        (True, False)
        """
        return not _INSTALLATIONS.isdisjoint(self.root.parts)

    @property
    def kept(self) -> Path:
        """
        The folder, to keep something in it.

        Raises:
            HomeError: it is where Python keeps installed packages, which the next upgrade replaces.
        """
        if self.is_installation:
            command = shlex.join([sys.argv[0], *sys.argv[1:]])
            message = (
                f"{self.root} holds the installed program, and nothing is kept there: set LEADSCORE_HOME, or "
                "LEADSCORE_DATABASE for the store alone, as the service has them. Where it runs under systemd: "
                f"{_AS_THE_SERVICE} {command}"
            )
            raise HomeError(message)
        return self.root

    def tables(self, name: str) -> Path:
        """Return the folder for the local tables of the playbook of this name."""
        return self.kept / "data" / "store" / name

    @property
    def registry(self) -> Path:
        """The folder of MLflow's database and artefacts."""
        return self.kept / "models" / "store"

    def models(self, name: str) -> Path:
        """Return the folder of exported bundles of the playbook of this name."""
        return self.registry / name
