"""The file of scores that ``score`` writes, as Parquet, CSV or JSON lines."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from data.arrow_schemas import INSTANT
from data.instants import iso
from models.errors import ModelError
from models.receipt import ScorerId, scorer_json

_ROWS_AT_ONCE = 10_000
_SCORES = (
    pa.field("lead_id", pa.string()),
    pa.field("as_of", INSTANT),
    pa.field("score", pa.int64()),
    pa.field("points", pa.float64()),
    pa.field("base_points", pa.float64()),
    pa.field("probability", pa.float64()),
    pa.field("grade", pa.string()),
    pa.field("stage", pa.string()),
    pa.field("beyond_history", pa.string()),
)
_REASON = pa.struct({"code": pa.string(), "says": pa.string(), "points": pa.float64()})
_REASONS = pa.field("reasons", pa.list_(_REASON))
_SCORER = tuple(pa.field(f"scorer_{name}", pa.string()) for name in ("kind", "name", "version", "fingerprint"))


class ScoreFileError(ModelError):
    """The scores cannot be written into this file."""


def require_known_format(out: Path, *, may_be_folder: bool = False) -> None:
    """
    Check that the name of a file says how to write it.

    Args:
        out: its name.
        may_be_folder: whether a name without an ending is one too: that of a folder.

    Raises:
        ScoreFileError: it ends in something other than .parquet, .csv or .jsonl.
    """
    if out.suffix.lower() not in _WRITERS and not (may_be_folder and not out.suffix):
        message = f"{out} does not say its format: give --out a name that ends in .parquet, .csv or .jsonl."
        raise ScoreFileError(message)


def score_schema(*, reasons: bool) -> pa.Schema:
    """Return the columns of a table of scores, with or without the reasons of each lead."""
    return pa.schema([*_SCORES, *([_REASONS] if reasons else []), *_SCORER])


def score_table(frame: pd.DataFrame, scorer: ScorerId) -> pa.Table:
    """
    Return scores as a table, with the scorer's name on every row.

    Args:
        frame: a row per lead; ``as_of`` in microseconds since 1970 UTC, ``stage`` the last one that the lead reached,
            ``beyond_history`` a sentence where the history knows too few leads as old or as silent, else None.
        scorer: what gave the scores.
    """
    named = frame.assign(**{f"scorer_{name}": value for name, value in scorer_json(scorer).items()})
    return pa.Table.from_pandas(named, score_schema(reasons="reasons" in frame), preserve_index=False)


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
