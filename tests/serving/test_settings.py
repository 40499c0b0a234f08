"""Settings come from the caller, else from the environment, else they are the defaults."""

import re
import shutil

import pytest

from data.home import Home
from data.words.playbook import load_playbook
from data.workspace import Workspace
from serving.errors import SettingsError, StoreError
from serving.settings import SettingRow, Settings, settings_for, settings_rows
from serving.store.database import Database
from tests.serving.conftest import PLAYBOOK


@pytest.fixture
def folder(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LEADSCORE_{name.upper()}", raising=False)
    return load_playbook(PLAYBOOK)


@pytest.mark.parametrize("password", ["open@sesame", "open:sesame", "open/sesame", "open#sesame", "open?sesame"])
def test_a_password_that_can_be_read_in_two_ways_is_refused_and_not_shown(folder, tmp_path, password):
    with pytest.raises(SettingsError, match="write it as %40") as caught:
        settings_for(Workspace(folder, Home(tmp_path)), database=f"postgresql://sales:{password}@db/leads")
    assert "sesame" not in str(caught.value)


def test_by_default_the_store_and_the_models_lie_in_the_home_folder(folder, tmp_path):
    home = Home(tmp_path)
    settings = settings_for(Workspace(folder, home))
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.database == f"sqlite:///{home.tables('demo') / 'leadscore.db'}"
    assert settings.models == home.models("demo")


def test_the_caller_goes_before_the_environment(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("LEADSCORE_PORT", "9000")
    monkeypatch.setenv("LEADSCORE_DATABASE", "sqlite:///elsewhere.db")
    settings = settings_for(Workspace(folder, Home(tmp_path)), port=9001, host=None)
    assert (settings.port, settings.database, settings.host) == (9001, "sqlite:///elsewhere.db", "127.0.0.1")
    assert settings_for(Workspace(folder, Home(tmp_path))).port == 9000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("PORT", "99999"), ("PORT", "x"), ("CLOCK_SKEW_S", "nan"), ("DATABASE", "mysql://a/b")),
        *(("WORKERS", "0"), ("DRAIN_S", "31"), ("KEYS", "on"), ("LOG_FORMAT", "xml"), ("LOG_REQUESTS", "some")),
    ],
)
def test_an_invalid_setting_is_one_sentence(folder, tmp_path, monkeypatch, name, value):
    monkeypatch.setenv(f"LEADSCORE_{name}", value)
    with pytest.raises(SettingsError, match=rf"^Invalid settings: LEADSCORE_{name}: .*\.$"):
        settings_for(Workspace(folder, Home(tmp_path)))


def test_an_unknown_variable_is_rejected_with_a_suggestion(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("LEADSCORE_WORKER", "4")
    with pytest.raises(SettingsError, match=r"^Unknown variable LEADSCORE_WORKER: did you mean LEADSCORE_WORKERS\?"):
        settings_for(Workspace(folder, Home(tmp_path)))


def test_variables_of_the_command_line_and_of_the_playbook_are_known(folder, tmp_path, monkeypatch):
    for name in ("PLAYBOOK", "HOME", "DATA", "DATASETS", "USER", "RENEW_GOLDEN"):
        monkeypatch.setenv(f"LEADSCORE_{name}", "somewhere")
    settings_for(Workspace(folder, Home(tmp_path)))
    monkeypatch.setenv("LEADSCORE_ACME_EXPORTS", "somewhere")
    with pytest.raises(SettingsError, match="LEADSCORE_ACME_EXPORTS"):
        settings_for(Workspace(folder, Home(tmp_path)))
    own = tmp_path / "acme"
    shutil.copytree(PLAYBOOK, own)
    text = (own / "playbook.yaml").read_text(encoding="utf-8")
    mine = re.sub(r"^folder: .*$", "folder: ${LEADSCORE_ACME_EXPORTS:-exports}", text, flags=re.MULTILINE)
    (own / "playbook.yaml").write_text(mine, encoding="utf-8")
    assert settings_for(Workspace(load_playbook(own), Home(tmp_path))).port == 8000


def test_every_variable_has_a_default_and_a_sentence():
    rows = settings_rows()
    assert {f"LEADSCORE_{name.upper()}" for name in Settings.model_fields} <= {row.variable for row in rows}
    assert len({row.variable for row in rows}) == len(rows)
    assert all(row.default and re.fullmatch(r"[A-Z].*\.", row.description) for row in rows)
    assert SettingRow("LEADSCORE_WORKERS", "`1`", "Processes that answer.") in rows


def test_the_password_of_a_store_is_never_shown(tmp_path):
    with pytest.raises(StoreError) as refused:
        Database("postgresql+psycopg://sales:open-sesame@127.0.0.1:1/leads", busy_timeout_s=2)
    assert "open-sesame" not in str(refused.value)


def test_a_file_that_is_no_store_is_one_sentence(tmp_path):
    (tmp_path / "leadscore.db").write_bytes(
        b"no database at all, but long enough to look like a file of some size" * 99
    )
    with pytest.raises(StoreError, match="cannot be opened as the store"):
        Database(f"sqlite:///{tmp_path / 'leadscore.db'}")


def test_the_store_writes_ahead_syncs_fully_and_holds_to_its_keys(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'leadscore.db'}")
    with database.writing() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in
                 ("journal_mode", "synchronous", "foreign_keys")]  # fmt: skip
    assert found == ["wal", 2, 1]
    database.close()
