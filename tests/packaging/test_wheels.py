"""What is built can be installed and run beside a project that has a ``data`` of its own."""

import json
import os
import subprocess
import zipfile

import pytest

from own_packages import PACKAGES
from tests.house.test_house import committed
from tests.serving.conftest import ROOT, STARTED_WITHIN_S, wait_until

pytestmark = pytest.mark.slow  # two wheels are built and two environments filled

USE = """
import sys
from leadscore_client import Client, InvalidItemError

url, key = sys.argv[1:]
with Client(url, key=key) as client:
    assert client.send_leads([{"lead_id": "L-1"}]).stored == 1
    print(client.score("L-1")["lead_id"])
    try:
        client.send_leads([{"lead_id": "L-2", "attributes": {"employees": float("nan")}}])
    except InvalidItemError as error:
        print(error.index, error.field)
print(sorted({"numpy", "pyarrow", "serving"} & set(sys.modules)))
"""


def content(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def files_of(installed):
    """Return the files of an installation, but for what Python and Numba compile."""
    (packages,) = installed.environment.glob("lib/python*/site-packages")
    return {file for file in packages.rglob("*") if file.is_file() and "__pycache__" not in file.parts}


# ---- the client


def test_the_client_is_installed_alone_and_used_beside_a_foreign_data(client_installed, process):
    server = process().wait()
    key = server.headers["Authorization"].removeprefix("Bearer ")
    done = client_installed.run("python", "-c", USE, server.url, key)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["L-1", "0 attributes.employees", "[]"]


def test_the_client_brings_its_types_and_few_dependencies(client_installed, wheels):
    assert "leadscore_client/py.typed" in content(wheels["leadscore_client"])
    script = "import importlib.metadata as m; print(*sorted(d.name.lower() for d in m.distributions()))"
    installed = set(client_installed.run("python", "-c", script).stdout.split())
    of_httpx = {"anyio", "certifi", "h11", "httpcore", "idna", "sniffio", "typing-extensions", "typing_extensions"}
    assert installed - of_httpx == {"leadscore-client", "httpx", "tenacity"}


# ---- leadscore


def test_the_wheel_holds_every_module_and_every_file_that_a_package_reads(wheels):
    packed = content(wheels["leadscore"])
    inside = {file.relative_to(ROOT).as_posix() for file in committed() if file.relative_to(ROOT).parts[0] in PACKAGES}
    wanted = {name for name in inside if not name.endswith("README.md")}
    assert sorted(wanted - packed) == []
    assert {f"{package}/py.typed" for package in PACKAGES} <= packed
    assert sorted(name for name in packed if name.startswith(("tests/", "client/", "notebooks/"))) == []


def test_the_command_runs_its_own_packages_beside_a_foreign_data(leadscore_installed, tmp_path):
    done = leadscore_installed.run("leadscore", "keys", "list", "--json", LEADSCORE_HOME=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])


VERBS = ("keys create crm --scope scores:read", "keys list", "load", "serve", "export --out out", "history", "doctor")


@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_keeps_anything_in_the_installation_and_each_names_the_command_that_works(leadscore_installed, verb):
    before = files_of(leadscore_installed)
    done = leadscore_installed.run("leadscore", *verb.split())
    assert done.returncode == (1 if verb == "doctor" else 2), done.stdout
    said = " ".join((done.stdout if verb == "doctor" else done.stderr).split())
    for part in ("nothing is kept there: set LEADSCORE_HOME", "-p EnvironmentFile=/etc/leadscore.env"):
        assert part in said
    assert verb == "doctor" or said.endswith(f"/bin/leadscore {verb}")
    assert files_of(leadscore_installed) == before


@pytest.mark.parametrize("name", ["LEADSCORE_HOME", "LEADSCORE_DATABASE"])
def test_a_key_that_is_made_with_the_environment_of_the_service_opens_it(leadscore_installed, tmp_path, name):
    place = tmp_path if name == "LEADSCORE_HOME" else tmp_path / "leadscore.db"
    before = files_of(leadscore_installed)
    command = ["leadscore", "keys", "create", "crm", "--scope", "scores:read", "--plain"]
    done = leadscore_installed.run(*command, **{name: place})
    assert done.returncode == 0, done.stderr
    listed = leadscore_installed.run("leadscore", "keys", "list", "--json", **{name: place})
    assert [key["name"] for key in json.loads(listed.stdout.splitlines()[-1])["keys"]] == ["crm"]
    assert list(tmp_path.rglob("leadscore.db"))
    assert files_of(leadscore_installed) == before


@pytest.mark.parametrize(
    ("command", "on_path"), [(["python", "-m", "leadscore", "history"], False), (["leadscore", "history"], True)]
)
def test_where_the_foreign_package_comes_first_one_sentence_says_so(leadscore_installed, command, on_path):
    folder = leadscore_installed.folder
    done = leadscore_installed.run(*command, python_path=folder if on_path else None)
    assert done.returncode == 2
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith(f"Python finds {folder / 'data' / '__init__.py'} in place of leadscore's own package")
    assert "run the command `leadscore`" in sentence


def test_every_process_of_the_service_runs_its_own_packages(leadscore_installed, tmp_path):
    """The service announces its address once all of its processes answer."""
    command = [leadscore_installed.environment / "bin" / "leadscore", "serve", "--port", "0"]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    variables |= {"LEADSCORE_HOME": str(tmp_path / "home"), "LEADSCORE_WORKERS": "2"}
    log = tmp_path / "log"
    with log.open("wb") as file:
        service = subprocess.Popen(command, cwd=leadscore_installed.folder, env=variables, stderr=file)
    try:
        wait_until(lambda: service.poll() is not None or "Listening on" in log.read_text(), STARTED_WITHIN_S)
        assert service.poll() is None, log.read_text()
    finally:
        service.terminate()
        service.wait(timeout=60)
    assert "the other project was imported" not in log.read_text()
