"""Files as strangers' systems write them become the table that they hold, or are refused in one sentence."""

import re

import pytest

from data.errors import DataError
from tests.data.company import imported, rejected
from tests.data.export_corpus import FOLDER, cases, table_of

CASES = {case.name: case for case in cases()}
FEWEST = 65
LONGEST_SENTENCE = 420


def test_the_corpus_is_large_and_every_file_of_it_says_what_it_shows():
    shown = [case.says["shows"] for case in CASES.values()]
    assert len(shown) >= FEWEST
    assert len(set(shown)) == len(shown)
    assert all(len(says) > 15 for says in shown)
    assert all(("rows" in case.says) != ("refused" in case.says) for case in CASES.values())


def test_every_file_of_the_corpus_has_a_case():
    files = {path.name for path in FOLDER.iterdir() if path.suffix != ".yaml"}
    assert files == {case.written.name for case in CASES.values() if case.written is not None}


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "rows" in case.says])
def test_a_file_becomes_the_table_that_it_holds(tmp_path, name):
    case = CASES[name]
    warehouse = imported(case.playbook(tmp_path))
    header, *body = case.rows
    table = "leads" if case.holds == "event_log" else case.holds
    assert table_of(warehouse.folder / f"{table}.parquet", header) == sorted(body)
    assert refusals(warehouse) == {row: set(rules.split()) for row, rules in case.says.get("rejected", {}).items()}
    assert {lost.attribute: lost.count for lost in warehouse.quality.lost} == case.says.get("lost", {})


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "refused" in case.says])
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(tmp_path, name):
    case = CASES[name]
    with pytest.raises(DataError) as error:
        imported(case.playbook(tmp_path))
    sentences = str(error.value).split("\n")
    assert re.search(case.says["refused"], sentences[0]), sentences[0]
    assert all(sentence.endswith((".", "?")) and len(sentence) < LONGEST_SENTENCE for sentence in sentences)


def refusals(warehouse):
    """Return the rules that each rejected row breaks."""
    if warehouse.quality.rejected_rows is None:
        return {}
    found = {}
    for _, row in rejected(warehouse).iterrows():
        found.setdefault(int(row["row"]), set()).update(rule.partition(":")[0] for rule in row["rules"])
    return found
