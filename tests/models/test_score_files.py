"""Parquet, CSV and JSON lines hold the same scores."""

import csv
import json
import math
import re
import tempfile
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.instants import iso
from models.receipt import ScorerId
from models.score_files import ScoreFileError, require_known_format, score_table, write_scores

SCORER = ScorerId("model", "conversion", "3", "0" * 64)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
REASON = st.fixed_dictionaries({"code": TEXT, "says": TEXT, "points": NUMBER})
ROW = st.fixed_dictionaries(
    {
        "lead_id": TEXT,
        "as_of": st.integers(0, 4 * 10**15),
        "score": st.integers(0, 100),
        "points": NUMBER,
        "base_points": NUMBER,
        "probability": st.floats(0, 1) | st.just(math.nan),
        "grade": st.sampled_from("ABCD"),
        "stage": TEXT | st.none(),
        "beyond_history": TEXT | st.none(),
        "reasons": st.lists(REASON, max_size=3),
    }
)


def from_parquet(path):
    rows = pq.read_table(path).to_pylist()
    return [{**row, "as_of": iso(round(row["as_of"].timestamp() * 1e6))} for row in rows]


def from_jsonl(path):
    return [json.loads(line) for line in path.read_bytes().decode().removesuffix("\n").split("\n")]


def from_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = {"score": int, "points": float, "base_points": float, "probability": float, "reasons": json.loads}
    return [
        {name: None if value == "" else numbers.get(name, str)(value) for name, value in row.items()} for row in rows
    ]


READERS = {".parquet": from_parquet, ".csv": from_csv, ".jsonl": from_jsonl, ".CSV": from_csv, ".JsonL": from_jsonl}


@settings(max_examples=60)
@given(st.lists(ROW, min_size=1, max_size=4), st.booleans())
def test_the_formats_read_back_equal(rows, with_reasons):
    frame = pd.DataFrame(rows)
    table = score_table(frame if with_reasons else frame.drop(columns="reasons"), SCORER)
    with tempfile.TemporaryDirectory() as folder:
        read = {}
        for suffix, reader in READERS.items():
            path = Path(folder) / f"scores{suffix}"
            write_scores(table, path, suffix=suffix)
            read[suffix] = reader(path)
    expected = [{**row, "as_of": iso(row["as_of"])} for row in rows]
    for written in read.values():
        assert written == read[".parquet"]
    for row, before in zip(read[".parquet"], expected, strict=True):
        names = before.keys() if with_reasons else before.keys() - {"reasons"}
        assert {name: row[name] for name in names - {"probability"}} == {
            name: before[name] for name in names - {"probability"}
        }
        assert row["probability"] == (None if math.isnan(before["probability"]) else before["probability"])
        assert (row["scorer_kind"], row["scorer_version"]) == ("model", "3")


@pytest.mark.parametrize("name", ["s.parquet", "s.PARQUET", "s.csv", "s.Csv", "s.jsonl", "a.b.JSONL"])
def test_a_known_suffix_is_accepted_in_any_letter_case(name):
    require_known_format(Path(name))


@pytest.mark.parametrize("name", ["s", "s.json", "s.xlsx", "s.csv.gz", ".csv", "s."])
def test_any_other_suffix_is_refused(name):
    sentence = f"{name} does not say its format: give --out a name that ends in .parquet, .csv or .jsonl."
    with pytest.raises(ScoreFileError, match=re.escape(sentence)):
        require_known_format(Path(name))
