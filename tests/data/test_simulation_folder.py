"""A simulation is put in place all at once, and never over anything else."""

from pathlib import Path

import pytest

from data.errors import DataError
from data.playbook import load_playbook
from data.simulation import simulate, simulation
from data.simulation.output_folder import MARK, put_in_place
from tests.data.simulated import UNTIL


def test_an_earlier_simulation_is_replaced(tmp_path: Path):
    out = tmp_path / "out"
    simulate(out, leads=1, until=UNTIL)
    simulate(out, leads=3, until=UNTIL)
    assert '"leads": 3' in (out / MARK).read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


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
        simulate(tmp_path / "out", leads=3, until=UNTIL)
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
