"""Wheels of both distributions, built from what git holds, and environments to install them into."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pydantic
import pytest

from tests.house.test_house import committed
from tests.serving.conftest import ROOT, process, read_once, settings, template_file

__all__ = ["engine", "process", "read_once", "settings", "template_file"]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


@pytest.fixture
def engine():
    """How a package is installed does not depend on the engine under the store."""
    return "sqlite"


@dataclass(frozen=True)
class Installed:
    """A virtual environment, and a folder whose ``data`` and ``models`` are another project's."""

    environment: Path
    folder: Path

    def run(self, *command, python_path=None, **settings):
        """Run a command of the environment in the folder, with nothing of this checkout in its way."""
        variables = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LEADSCORE_"))
        } | {name: str(value) for name, value in settings.items()}
        if python_path is not None:
            variables["PYTHONPATH"] = str(python_path)
        program = [str(self.environment / "bin" / command[0]), *command[1:]]
        return subprocess.run(
            program, cwd=self.folder, env=variables, check=False, capture_output=True, text=True, timeout=120
        )


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    """The wheels of both distributions, by name."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheels")
    for file in committed():
        copy = source / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    command = [*PIP, "wheel", "--no-deps", "--wheel-dir", out, source, source / "client"]
    subprocess.run(command, check=True, capture_output=True)
    return {wheel.name.partition("-")[0]: wheel for wheel in out.glob("*.whl")}


@pytest.fixture(scope="session")
def foreign_folder(tmp_path_factory):
    """The folder of a project that has a ``data`` and a ``models`` of its own."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("data", "models"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("raise AssertionError('the other project was imported')\n")
    return folder


@pytest.fixture(scope="session")
def leadscore_installed(wheels, foreign_folder, tmp_path_factory):
    """The wheel of leadscore and that of its client, beside the libraries that these tests run with."""
    environment = new_environment(tmp_path_factory.mktemp("leadscore"))
    install(environment, "--no-deps", wheels["leadscore"], wheels["leadscore_client"])
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(f"{Path(pydantic.__file__).parents[1]}\n", encoding="utf-8")
    return Installed(environment, foreign_folder)


@pytest.fixture(scope="session")
def client_installed(wheels, foreign_folder, tmp_path_factory):
    """The wheel of the client with what it depends on, and nothing else."""
    environment = new_environment(tmp_path_factory.mktemp("client"))
    install(environment, "--constraint", ROOT / "constraints.txt", wheels["leadscore_client"])
    return Installed(environment, foreign_folder)


def new_environment(folder):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder


def install(environment, *arguments):
    subprocess.run([*PIP, "--python", environment / "bin" / "python", "install", *arguments], check=True)
