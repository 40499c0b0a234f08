"""What leadscore keeps lies in the home that is named, or beside a checkout, and never in an installation."""

from pathlib import Path

import pytest

from data.errors import HomeError
from data.home import Home
from data.words.playbook import load_playbook
from data.workspace import Workspace
from serving.settings import settings_for
from tests.serving.conftest import PLAYBOOK

INSTALLED = Home(Path("/opt/leadscore/venv/lib/python3.11/site-packages"))


@pytest.mark.parametrize("folder", ["/usr/lib/python3/dist-packages", str(INSTALLED.root)])
def test_an_installation_is_no_place_to_keep_anything(folder, monkeypatch):
    monkeypatch.setattr("sys.argv", ["/opt/leadscore/bin/leadscore", "keys", "create", "the crm"])
    for place in (lambda home: home.tables("demo"), lambda home: home.models("demo"), lambda home: home.registry):
        with pytest.raises(HomeError) as raised:
            place(Home(Path(folder)))
        assert str(raised.value).startswith(f"{folder} holds the installed program, and nothing is kept there")
        assert str(raised.value).endswith("/etc/leadscore.env /opt/leadscore/bin/leadscore keys create 'the crm'")


def test_a_store_that_is_named_may_be_used_from_an_installation(monkeypatch, tmp_path):
    workspace = Workspace(load_playbook(PLAYBOOK), INSTALLED)
    with pytest.raises(HomeError):
        settings_for(workspace)
    monkeypatch.setenv("LEADSCORE_DATABASE", str(tmp_path / "leadscore.db"))
    assert settings_for(workspace).database_file == tmp_path / "leadscore.db"


def test_a_home_that_is_named_counts_and_else_the_checkout(monkeypatch, tmp_path):
    monkeypatch.delenv("LEADSCORE_HOME", raising=False)
    assert Home.from_environment().kept == Path(__file__).resolve().parents[2]
    monkeypatch.setenv("LEADSCORE_HOME", str(tmp_path))
    assert Home.from_environment().tables("demo") == tmp_path / "data" / "store" / "demo"
