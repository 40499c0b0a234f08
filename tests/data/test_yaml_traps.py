"""What YAML reads otherwise than it looks, all mistakes at once, and words of an export that look like numbers."""

import pytest

from data.errors import PlaybookError
from data.words.playbook import load_playbook
from tests.data.company import ACTIVITIES, LEADS, TWO_LEADS, company, imported, rows


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("NO", "YAML reads NO as false"),
        ("on", "YAML reads on as true"),
        ("012", "YAML reads 012 as 10"),
        ("12:30", "YAML reads 12:30 as 750"),
        ("1_000", "YAML reads 1_000 as 1000"),
        ("1e3", "YAML reads 1e3 as text"),
    ],
)
@pytest.mark.parametrize("file", ["playbook", "scorecard", "routing"])
def test_what_yaml_reads_otherwise_than_it_looks_is_named_everywhere(tmp_path, file, written, why):
    path = company(tmp_path, {}, [LEADS]).path / f"{file}.yaml"
    path.write_text(path.read_text().replace("{}\n", "") + f"anything: {{deep: [{written}]}}\n")
    with pytest.raises(PlaybookError) as error:
        load_playbook(tmp_path)
    line = len(path.read_text().splitlines())
    assert f"{file}.yaml:{line}: {why}" in str(error.value)
    assert "put it in quotes" in str(error.value)


def test_mistakes_of_all_files_come_at_once(tmp_path):
    folder = company(tmp_path, {}, [LEADS]).path
    (folder / "playbook.yaml").write_text((folder / "playbook.yaml").read_text() + "nonsense: 1\n")
    (folder / "scorecard.yaml").write_text("rules: [{activity: view, points: 1\n")
    (folder / "routing.yaml").write_text("grades: [NO]\n")
    with pytest.raises(PlaybookError) as error:
        load_playbook(tmp_path)
    said = str(error.value)
    assert all(name in said for name in ("playbook.yaml:", "scorecard.yaml:", "routing.yaml:1: YAML reads NO"))


def test_words_of_an_export_may_be_whole_numbers(tmp_path):
    source = {**ACTIVITIES, "kinds": {6: "view"}, "ignore": [7]}
    (read,) = company(tmp_path, {}, [source, LEADS]).business.sources[:1]
    assert (read.kinds, read.ignore) == ({"6": "view"}, ("7",))


def test_a_source_may_say_the_stage_of_all_its_rows(tmp_path):
    source = {"file": "won.csv", "holds": "outcomes", "stage": "won", "columns": {"reached_at": "on"}}
    files = {"leads.csv": TWO_LEADS, "won.csv": "lead_id,on\nann,2026-02-01\n"}
    warehouse = imported(company(tmp_path, files, [LEADS, source]))
    assert rows(warehouse, "outcomes", "lead_id", "stage") == [("ann", "won")]


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ({"stage": "wn"}, "unknown stage wn; did you mean won?"),
        ({"stage": "won", "stages": {"W": "won"}}, "give the stage once"),
    ],
)
def test_a_stage_is_one_of_the_playbook_and_said_once(tmp_path, says, why):
    with pytest.raises(PlaybookError) as error:
        company(tmp_path, {}, [LEADS, {"file": "won.csv", "holds": "outcomes", **says}])
    assert why in str(error.value)
