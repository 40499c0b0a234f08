"""The file of scores that ``score`` writes, as Parquet, CSV or JSON lines."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from data.instants import iso
from models.errors import ModelError
from models.receipt import ScorerId, scorer_json

_ROWS_AT_ONCE = 10_000


class ScoreFileError(ModelError):
    """The scores cannot be written into this file."""


def require_known_format(out: Path) -> None:
    """
    Check that the name of a file says how to write it.

    Raises:
        ScoreFileError: it ends in something other than .parquet, .csv or .jsonl.
    """
    if out.suffix.lower() not in _WRITERS:
        message = f"{out} does not say its format: give --out a name that ends in .parquet, .csv or .jsonl."
        raise ScoreFileError(message)


def score_table(frame: pd.DataFrame, scorer: ScorerId) -> pa.Table:
    """
    Return scores as a table, with the scorer's name on every row.

    Args:
        frame: a row per lead; ``as_of`` in microseconds since 1970 UTC.
        scorer: what gave the scores.
    """
    instants = pa.array(frame["as_of"], pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    table = pa.Table.from_pandas(frame.drop(columns="as_of"), preserve_index=False).add_column(1, "as_of", instants)
    for name, value in scorer_json(scorer).items():
        table = table.append_column(f"scorer_{name}", pa.array([value] * len(frame), pa.string()))
    return table


def write_scores(table: pa.Table, out: Path, *, suffix: str) -> None:
    """
    Write scores in the format that a suffix names.

    A CSV and JSON lines hold what the Parquet file holds: instants in ISO 8601, numbers with all their digits, and what
    is not known as an empty cell or null. In a CSV the reasons are JSON in their cell.

    Args:
        table: from `score_table`.
        out: file to write.
        suffix: ``.parquet``, ``.csv`` or ``.jsonl``, in any letter case.
    """
    _WRITERS[suffix.lower()](table, out)


def _write_parquet(table: pa.Table, out: Path) -> None:
    pq.write_table(table, out)


def _write_csv(table: pa.Table, out: Path) -> None:
    table = _with_text_instants(table)
    if "reasons" in table.column_names:
        reasons = [json.dumps(row, ensure_ascii=False, allow_nan=False) for row in table["reasons"].to_pylist()]
        table = table.set_column(table.column_names.index("reasons"), "reasons", pa.array(reasons, pa.string()))
    csv.write_csv(table, out)


def _write_jsonl(table: pa.Table, out: Path) -> None:
    with out.open("w", encoding="utf-8", newline="\n") as file:
        for row in _rows(_with_text_instants(table)):
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")


def _rows(table: pa.Table) -> Iterator[Mapping[str, Any]]:
    for batch in table.to_batches(max_chunksize=_ROWS_AT_ONCE):
        yield from batch.to_pylist()


def _with_text_instants(table: pa.Table) -> pa.Table:
    instants: Sequence[int] = table["as_of"].cast(pa.int64()).to_pylist()
    return table.set_column(1, "as_of", pa.array(map(iso, instants), pa.string()))


_WRITERS: Mapping[str, Callable[[pa.Table, Path], None]] = {
    ".parquet": _write_parquet,
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
}
