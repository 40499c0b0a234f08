"""A playbook says which company it describes: by a line, or by a file that is made once and then agreed upon."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from data.company_identity import COMPANY_FILE, CompanyIdentity, company_of, is_identified
from data.errors import PlaybookError
from data.home import DEMO
from data.simulation import simulate
from data.words.playbook import load_playbook

BUSINESS = load_playbook(DEMO).business
UNNAMED = BUSINESS.model_copy(update={"name": "acme", "company": None})
NAMED = BUSINESS.model_copy(update={"name": "acme", "company": "acme-1"})


def test_the_line_in_the_playbook_counts_and_no_file_is_made(tmp_path: Path):
    assert company_of(tmp_path, NAMED) == CompanyIdentity("acme-1", "acme")
    assert list(tmp_path.iterdir()) == []


def test_without_a_line_an_id_is_made_once_and_kept(tmp_path: Path):
    assert not is_identified(tmp_path, UNNAMED)
    made = company_of(tmp_path, UNNAMED)
    assert made.id.startswith("acme-")
    assert company_of(tmp_path, UNNAMED) == made
    assert is_identified(tmp_path, UNNAMED)
    assert json.loads((tmp_path / COMPANY_FILE).read_text()) == {"company": made.id}
    assert [path.name for path in tmp_path.iterdir()] == [COMPANY_FILE]


def test_two_folders_of_the_same_name_are_two_companies(tmp_path: Path):
    ids = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        ids.add(company_of(tmp_path / name, UNNAMED).id)
    assert len(ids) == 2


def test_processes_that_begin_at_once_agree(tmp_path: Path):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: company_of(tmp_path, UNNAMED).id, range(8)))) == 1


def test_a_playbook_that_cannot_be_written_says_what_to_add(tmp_path: Path, monkeypatch):
    def denied(self, *_text, **_how):
        raise PermissionError(30, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "write_text", denied)
    with pytest.raises(PlaybookError, match=r"\(Read-only file system\): add the line `company: acme-\w+`"):
        company_of(tmp_path, UNNAMED)


@pytest.mark.parametrize("text", ["", "[]", '{"company": 7}', '{"company": ""}'])
def test_a_damaged_file_is_a_mistake_and_no_new_company(tmp_path: Path, text: str):
    (tmp_path / COMPANY_FILE).write_text(text)
    with pytest.raises(PlaybookError, match="does not say which company"):
        company_of(tmp_path, UNNAMED)


def test_a_line_and_a_file_that_differ_are_a_mistake(tmp_path: Path):
    (tmp_path / COMPANY_FILE).write_text('{"company": "acme-2"}')
    with pytest.raises(PlaybookError, match=r"says company: acme-1, and company\.json beside it says acme-2"):
        company_of(tmp_path, NAMED)


def test_a_copied_playbook_of_another_name_is_another_company_although_the_id_was_copied_too():
    demo, copied = CompanyIdentity("demo", "demo"), CompanyIdentity("demo", "acme")
    assert not copied.is_same_as(demo)
    assert "run leadscore rename; else give each company its own id" in copied.refusal(demo, "The store x")
    assert CompanyIdentity("demo", "acme", formerly=("demo",)).is_same_as(demo)


def test_a_simulated_company_is_another_one_than_that_of_any_other_simulation(tmp_path: Path):
    identities = {
        load_playbook(simulate(tmp_path / f"{name}-{seed}", leads=1, seed=seed, name=name).folder).company
        for name in ("acme", "globex")
        for seed in (1, 2)
    }
    assert len({company.id for company in identities}) == 4
    assert {company.name for company in identities} == {"acme", "globex"}
    again = load_playbook(simulate(tmp_path / "again", leads=1, seed=1, name="acme").folder).company
    assert again in identities
    assert load_playbook(DEMO).company not in identities
