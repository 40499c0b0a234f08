"""A simulation is put in place all at once, and never over anything else."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from data.errors import DataError
from data.simulation import simulate, simulation
from data.simulation.output_folder import MARK, put_in_place
from data.words.playbook import load_playbook
from tests.data.simulated import UNTIL


def content(folder: Path) -> dict[str, bytes]:
    """Read every file of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_unchanged_simulation_of_the_same_company_is_replaced(tmp_path: Path):
    out = tmp_path / "out"
    simulate(out, leads=3, until=UNTIL)
    before = content(out)
    simulate(out, leads=3, until=UNTIL)
    assert content(out) == before
    simulate(out, leads=3, until=UNTIL + timedelta(days=1))
    assert content(out) != before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("other", [{"leads": 2}, {"leads": 3, "seed": 8}])
def test_another_company_is_replaced_only_on_request(tmp_path: Path, other: dict[str, int]):
    out = tmp_path / "out"
    simulate(out, leads=3, until=UNTIL)
    before = content(out)
    with pytest.raises(DataError, match=r"holds another company \(simulation.json: leads 3, seed 7\).* --overwrite"):
        simulate(out, **other, until=UNTIL)
    assert content(out) == before
    simulate(out, **other, until=UNTIL, overwrite=True)
    assert json.loads((out / MARK).read_text())["leads"] == other["leads"]
    simulate(out, leads=3, until=UNTIL, another_company=True)
    assert content(out) == before


@pytest.mark.parametrize("name", ["scorecard.yaml", "playbook.yaml", "scorecards/last_year.yaml", "sales.csv"])
def test_a_file_that_somebody_edited_is_replaced_only_on_request(tmp_path: Path, name: str):
    out = tmp_path / "out"
    simulate(out, leads=1, until=UNTIL)
    before = content(out)
    with (out / name).open("a") as file:
        file.write("# mine\n")
    for request in ({}, {"another_company": True}):
        with pytest.raises(DataError, match=rf"{name} changed after the simulation: .* --overwrite"):
            simulate(out, leads=1, until=UNTIL, **request)
    assert (out / name).read_text().endswith("# mine\n")
    simulate(out, leads=1, until=UNTIL, overwrite=True)
    assert content(out) == before


def test_a_file_that_somebody_put_beside_the_truth_is_not_lost(tmp_path: Path):
    simulate(tmp_path / "out", leads=1, until=UNTIL)
    (tmp_path / "out/truth/notes.md").write_text("mine")
    with pytest.raises(DataError, match=r"truth/notes\.md changed"):
        simulate(tmp_path / "out", leads=1, until=UNTIL)
    with pytest.raises(DataError, match=r"holds truth/notes\.md, which no simulation wrote"):
        simulate(tmp_path / "out", leads=1, until=UNTIL, overwrite=True)
    assert (tmp_path / "out/truth/notes.md").read_text() == "mine"


def test_a_simulation_of_the_first_release_is_replaced_unless_its_playbook_was_edited(tmp_path: Path):
    """Its mark has no hashes yet."""
    out = tmp_path / "out"
    for edited in (False, True):
        simulate(out, leads=1, until=UNTIL)
        mark = json.loads((out / MARK).read_text())
        del mark["sha256"]
        (out / MARK).write_text(json.dumps(mark))
        if edited:
            (out / "scorecard.yaml").write_text("mine")
    with pytest.raises(DataError, match=r"scorecard\.yaml changed"):
        simulate(out, leads=1, until=UNTIL)


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '{"leads": "three"}'])
def test_a_damaged_mark_is_another_company(tmp_path: Path, text: str):
    simulate(tmp_path / "out", leads=1, until=UNTIL)
    (tmp_path / "out" / MARK).write_text(text)
    with pytest.raises(DataError, match="holds another company"):
        simulate(tmp_path / "out", leads=1, until=UNTIL)


def test_an_empty_folder_and_missing_parents_are_fine(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    simulate(tmp_path / "empty", leads=1, until=UNTIL)
    simulate(tmp_path / "far" / "away", leads=1, until=UNTIL)
    assert (tmp_path / "empty" / MARK).exists()
    assert (tmp_path / "far" / "away" / MARK).exists()


def test_a_folder_with_anything_else_is_left_alone(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DataError, match=r"thesis\.txt, which no simulation wrote"):
        simulate(tmp_path, leads=1, until=UNTIL)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_note_put_into_a_simulation_is_not_lost(tmp_path: Path):
    simulate(tmp_path / "out", leads=1, until=UNTIL)
    (tmp_path / "out" / "notes.md").write_text("mine")
    with pytest.raises(DataError, match=r"notes\.md"):
        simulate(tmp_path / "out", leads=1, until=UNTIL)
    assert (tmp_path / "out" / "notes.md").read_text() == "mine"


def test_rules_put_into_a_simulation_are_not_lost(tmp_path: Path):
    simulate(tmp_path / "out", leads=1, until=UNTIL)
    assert [rules.name for rules in load_playbook(tmp_path / "out").rivals] == ["rules of last year"]
    (tmp_path / "out/scorecards/mine.yaml").write_text("mine")
    with pytest.raises(DataError, match=r"scorecards/mine\.yaml, which no simulation wrote"):
        simulate(tmp_path / "out", leads=1, until=UNTIL)
    assert (tmp_path / "out/scorecards/mine.yaml").read_text() == "mine"


def test_a_file_is_not_taken_for_a_folder(tmp_path: Path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(DataError, match="is a file"):
        simulate(tmp_path / "out", leads=1, until=UNTIL)
    with pytest.raises(DataError, match="cannot be written"):
        simulate(tmp_path / "out" / "below", leads=1, until=UNTIL)


def test_an_interruption_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    simulate(tmp_path / "out", leads=1, until=UNTIL)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(simulation, "write_outcomes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        simulate(tmp_path / "out", leads=3, until=UNTIL, overwrite=True)
    assert '"leads": 1' in (tmp_path / "out" / MARK).read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_interruption_while_it_is_put_in_place_brings_the_old_one_back(tmp_path: Path, monkeypatch):
    out = tmp_path / "out"
    simulate(out, leads=1, until=UNTIL)
    rename = Path.rename

    def interrupted_over_out(self: Path, target: Path) -> Path:
        if target == out and (self / "new").exists():
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted_over_out)
    with pytest.raises(KeyboardInterrupt), put_in_place(out) as folder:
        (folder / "new").write_text("new")
    assert (out / MARK).exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
