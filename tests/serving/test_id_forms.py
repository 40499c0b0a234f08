"""Ids that differ by the playbook's rule alone are one lead: in files, in addresses, in bodies, for erasure."""

import shutil
from functools import cache
from urllib.parse import quote

import pytest

from data.home import Home
from data.words.playbook import load_playbook
from data.workspace import Workspace
from serving.errors import InvalidError
from serving.lead_ids import WRONG_CHECKSUM
from serving.verbs.erase_and_dossier import erase_lead, write_dossier
from serving.verbs.load_and_serve import load
from tests.data.company import ACTIVITIES, LEADS, company
from tests.serving.conftest import NOON, MovableClock, opened, settings_in

SHORT, LONG = "00Q5A00001OVC9l", "00Q5A00001OVC9lUAH"
DAMAGED = "00Q5A00001OVC9LUAH"
SPELLINGS = {
    "trim": ("ann\u00a0", "ann", " ann\u3000"),
    "casefold": ("Ann@X.org", "ann@x.org", "ANN@x.ORG "),
    "email": ("Ann@X.org", "ann@x.org", "Ann Lee <ANN@x.org>"),
    "salesforce": (SHORT, LONG, LONG[:15] + "uah"),
}
"""Rule → the id as the file has it, its form, and another spelling."""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """Return a company whose files were loaded under a rule: one lead with an activity, and another lead."""

    @cache
    def under(rule):
        folder, written = tmp_path_factory.mktemp(rule), SPELLINGS[rule][0]
        playbook = company(
            folder / "tiny",
            {
                "leads.csv": f'lead_id,acc,created_at\n"{written}",ACME,2026-01-01\nother,,2026-01-01\n',
                "web.csv": f'id,lead_id,kind,occurred_at\nw-1,"{written}",view,2026-02-01\n',
            },
            [{**LEADS, "columns": {"account_id": "acc"}, "attributes": {}}, ACTIVITIES],
            ids=rule,
            account_ids="casefold",
        )
        with pytest.MonkeyPatch.context() as environment:
            settings_of(folder, environment)
            load(Workspace(playbook, Home(folder / "home")))
        return folder

    return under


def settings_of(folder, environment):
    """Return the settings of the service in a folder, which commands find in the environment."""
    settings = settings_in(folder, playbook=folder / "tiny")
    environment.setenv("LEADSCORE_DATABASE", str(settings.database))
    environment.setenv("LEADSCORE_UNSIGNED_BUNDLES", "accept")
    return settings


@pytest.fixture
def served(request, loaded, tmp_path, monkeypatch):
    """A service on a store into which files were loaded under a rule, with its workspace; all of the test's own."""
    folder = shutil.copytree(loaded(request.param), tmp_path / "served")
    service = opened(settings_of(folder, monkeypatch), MovableClock(NOON))
    with service.client:
        yield request.param, service, Workspace(load_playbook(folder / "tiny"), Home(folder / "home"))


def address(lead_id, part="score"):
    return f"/v1/leads/{quote(lead_id, safe='')}/{part}"


every_rule = pytest.mark.parametrize("served", list(SPELLINGS), indirect=True)


@every_rule
def test_a_lead_of_the_files_is_found_by_every_spelling(served):
    rule, store, _ = served
    _, form, _ = SPELLINGS[rule]
    for spelling in SPELLINGS[rule]:
        for part in ("score", "receipts", "dossier"):
            assert store.client.get(address(spelling, part)).status_code == 200
        assert store.client.get(address(spelling)).json()["lead_id"] == form
    many = store.client.post("/v1/scores", json={"lead_ids": list(SPELLINGS[rule])}).json()["scores"]
    assert {score["lead_id"] for score in many} == {form}


@every_rule
def test_what_is_sent_under_another_spelling_belongs_to_the_lead(served):
    rule, store, _ = served
    _, form, other = SPELLINGS[rule]
    assert store.activity("w-2", kind="view", lead_id=other).json()["stored"] == 1
    assert store.outcome("o-1", "won", lead_id=other).json()["stored"] == 1
    assert store.lead(other, account_id="Acme").json()["results"][0]["id"] == form
    assert {row[0] for row in store.rows("leads")} == {form, "other"}
    with store.service.database.reading() as connection:
        about = connection.exec_driver_sql("SELECT lead_id FROM activities UNION SELECT lead_id FROM outcomes").all()
        accounts = connection.exec_driver_sql("SELECT DISTINCT account_id FROM lead_versions").scalars().all()
    assert about == [(form,)]
    assert {account for account in accounts if account is not None} == {"acme"}


@every_rule
def test_a_preview_and_a_merge_know_the_lead(served):
    rule, store, _ = served
    _, form, other = SPELLINGS[rule]
    preview = store.client.post("/v1/scores/preview", json={"lead": {"lead_id": other, "account_id": "N/A"}})
    assert (preview.status_code, preview.json()["lead_id"]) == (200, form)
    merged = store.client.post(address("other", "merge"), json={"into": other})
    assert merged.status_code == 200, merged.text
    assert merged.json()["into"] == form


@every_rule
def test_an_item_that_waits_or_was_rejected_is_the_lead_s_and_goes_with_it(served):
    rule, store, _ = served
    _, form, other = SPELLINGS[rule]
    later = store.clock.before(days=-9)
    fact = {"activity_id": "w-9", "lead_id": other, "kind": "view", "occurred_at": later}
    assert store.client.post("/v1/activities", json=[fact]).json()["quarantined"] == 1
    assert store.client.post("/v1/activities", json=[fact]).json()["duplicates"] == 1
    assert store.client.post("/v1/activities", json=[{**fact, "kind": "none of ours"}]).json()["rejected"] == 1
    with store.service.database.reading() as connection:
        waits = "SELECT lead_id FROM rejected_items UNION ALL SELECT lead_id FROM quarantine"
        assert connection.exec_driver_sql(waits).scalars().all() == [form, form]
    assert store.client.delete(f"/v1/leads/{quote(other, safe='')}").status_code == 200
    assert [row[0] for row in store.rows("leads")] == ["other"]
    assert store.rows("quarantine") == store.rows("rejected_items") == []
    assert store.activity("w-3", kind="view", lead_id=SPELLINGS[rule][0]).status_code == 410


@every_rule
def test_the_command_line_knows_the_lead(served):
    rule, _, workspace = served
    assert write_dossier(workspace, SPELLINGS[rule][2]).dossier.as_json()["lead_id"] == SPELLINGS[rule][1]
    assert erase_lead(workspace, SPELLINGS[rule][2]).lead_id == SPELLINGS[rule][1]


@pytest.mark.parametrize("served", ["salesforce"], indirect=True)
def test_a_wrong_checksum_is_refused_in_one_sentence(served):
    _, store, workspace = served
    answers = [
        store.client.get(address(DAMAGED)),
        store.client.get(address(DAMAGED, "receipts")),
        store.client.delete(f"/v1/leads/{DAMAGED}"),
        store.lead(DAMAGED),
        store.activity("w-4", kind="view", lead_id=DAMAGED),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["detail"]) == (422, f"lead_id: {WRONG_CHECKSUM}.")
    many = store.client.post("/v1/scores", json={"lead_ids": [LONG, DAMAGED]})
    assert (many.status_code, many.json()["detail"]) == (422, f"lead_ids.1: {WRONG_CHECKSUM}.")
    merge = store.client.post(address("other", "merge"), json={"into": DAMAGED})
    assert (merge.status_code, merge.json()["detail"]) == (422, f"into: {WRONG_CHECKSUM}.")
    with pytest.raises(InvalidError, match="do not fit the others"):
        erase_lead(workspace, DAMAGED)


@pytest.mark.parametrize("word", ["n/a", "NULL", "-", "000000000000000AAA"])
def test_a_word_for_no_id_names_no_lead_and_no_account(store, word):
    refused = store.lead(word)
    assert refused.status_code == 422
    assert "words such as n/a, null and none name no lead" in refused.json()["detail"]
    assert store.client.get(address(word)).status_code == 404
    assert store.lead("L-1", account_id=word).status_code == 202
    with store.service.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT account_id FROM lead_versions").scalars().all() == [None]
