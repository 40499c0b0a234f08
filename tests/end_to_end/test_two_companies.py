"""Two simulated companies, one store: the second is refused by name, whatever the verb; and its conflicts are told."""

import csv
import shutil
import sqlite3
from contextlib import closing

import pytest

from tests.end_to_end.command_line import leadscore


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The companies acme and globex, and a store that holds acme's history."""
    root = tmp_path_factory.mktemp("companies")
    for number, name in enumerate(("acme", "globex")):
        simulated = leadscore("simulate", str(root / name), "--leads", "30", "--seed", str(number), home=root / "home")
        assert simulated.code == 0, simulated.stderr
    loaded = leadscore("load", "--playbook", str(root / "acme"), "--json", home=root / "home")
    assert loaded.code == 0, loaded.stderr
    return root


def counts(store):
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        tables = ("lead_versions", "activities", "outcomes")
        return [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]


def test_each_company_has_the_name_of_its_folder_and_a_place_of_its_own(place):
    done = leadscore("load", "--playbook", str(place / "globex"), "--json", home=place / "home")
    assert done.code == 0, done.stderr
    for name in ("acme", "globex"):
        assert (place / "home/data/store" / name / "leadscore.db").is_file()
    assert not (place / "home/data/store/demo").exists()


@pytest.mark.parametrize(
    "verb",
    [["load"], ["keys", "list"], ["export", "--out", "{root}/out"], ["dossier", "L000001"], ["serve", "--port", "0"]],
)
def test_a_store_of_acme_is_refused_to_globex_and_both_are_named(place, verb):
    store = place / "home/data/store/acme/leadscore.db"
    before = counts(store)
    arguments = [each.format(root=place) for each in verb]
    done = leadscore(
        *arguments, home=place / "home", LEADSCORE_DATABASE=str(store), LEADSCORE_PLAYBOOK=str(place / "globex")
    )
    assert done.code == 2
    assert "belongs to the company acme (acme-" in done.stderr
    assert "the playbook describes globex (globex-" in done.stderr
    assert counts(store) == before
    assert not (place / "out").exists() or not list((place / "out").iterdir())


def test_the_demo_and_a_simulated_company_are_never_the_same(place):
    """The README simulates acme after `make demo`: under the same name, both flowed into one store."""
    store = place / "home/data/store/acme/leadscore.db"
    done = leadscore("load", "--exports", str(place / "acme"), home=place / "home", LEADSCORE_DATABASE=str(store))
    assert done.code == 2
    assert "the playbook describes demo (demo)" in done.stderr


def test_a_corrected_export_is_a_conflict_that_the_exit_code_tells(place):
    outcomes = place / "acme" / "outcomes.csv"
    text = outcomes.read_text()
    rows = list(csv.DictReader(text.splitlines()))
    rows[0]["reason"] = "no budget"
    with outcomes.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    name = rows[0]["outcome_id"]
    try:
        told = leadscore("load", "--playbook", str(place / "acme"), home=place / "home")
        assert told.code == 2
        assert f"- outcomes {name}: reason" in told.stdout
        kept = leadscore("load", "--playbook", str(place / "acme"), "--keep-stored", "--json", home=place / "home")
        assert kept.code == 0
        assert kept.json["conflicts"] == {
            "outcomes": 1,
            "named": [{"kind": "outcomes", "id": name, "differs": ["reason"]}],
        }
    finally:
        outcomes.write_text(text)


def test_a_playbook_without_an_id_gets_one_at_its_first_use_and_says_so(place):
    unnamed = place / "unnamed"
    shutil.copytree(place / "acme", unnamed)
    text = (unnamed / "playbook.yaml").read_text()
    (unnamed / "playbook.yaml").write_text(
        "".join(line for line in text.splitlines(True) if not line.startswith("company:"))
    )
    first = leadscore("check", "--playbook", str(unnamed), home=place / "home")
    assert first.code == 0, first.stderr
    assert "company.json now says which company this is: acme (acme-" in first.stdout
    assert "company.json" not in leadscore("check", "--playbook", str(unnamed), home=place / "home").stdout
    refused = leadscore("load", "--playbook", str(unnamed), home=place / "home")
    assert refused.code == 2
    assert "each company its own id" in refused.stderr or "name that company's playbook" in refused.stderr
