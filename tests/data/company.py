"""A small company for tests: its playbook and its exports, written by hand."""

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from data.home import Home
from data.importing.warehouse import Warehouse, import_history
from data.instants import iso, parse
from data.progress import silent
from data.words.playbook import Playbook, load_playbook
from data.workspace import Workspace

NOW_US = parse("2026-11-01T00:00:00Z")
LEADS = {"file": "leads.csv", "holds": "leads"}
ACTIVITIES = {"file": "web.csv", "holds": "activities", "columns": {"activity_id": "id", "kind": "kind"}}
OUTCOMES = {"file": "outcomes.csv", "holds": "outcomes", "columns": {"outcome_id": "id"}}
TWO_LEADS = "lead_id,created_at\nann,2026-01-01T08:00:00Z\nbob,2026-01-02T08:00:00Z\n"
PLAYBOOK = {
    "name": "tiny",
    "title": "A tiny company",
    "activities": {
        "view": {"did": "looked at a page", "one": "view", "many": "views", "subject": True},
        "call": {"did": "was called", "one": "call", "many": "calls", "value": "minutes"},
    },
    "stages": {"won": "won", "lost": "lost"},
    "goal": {"stage": "won", "horizon_days": 30},
    "capacity_per_day": 3,
    "most_rejected": 1.0,
}


def company(
    folder: Path, files: Mapping[str, str | bytes], sources: Sequence[Mapping[str, Any]], **says: Any
) -> Playbook:
    """Write a company's playbook and exports into a folder and load it; ``says`` replaces what the playbook says."""
    exports = folder / "exports"
    exports.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        raw = content.encode() if isinstance(content, str) else content
        (exports / name).write_bytes(
            gzip.compress(raw) if name.endswith(".gz") and not raw.startswith(b"\x1f\x8b") else raw
        )
    content = {**PLAYBOOK, "folder": "exports", "sources": list(sources), **says}
    (folder / "playbook.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    (folder / "scorecard.yaml").write_text("rules: [{activity: view, points: 1, because: looks at us}]\n")
    (folder / "routing.yaml").write_text("{}\n")
    return load_playbook(folder)


def imported(folder: Playbook, *, now_us: int = NOW_US) -> Warehouse:
    """Import a company's history beside its playbook."""
    return import_history(Workspace(folder, Home(folder.path / "home")), progress=silent, now_us=now_us)


def rows(warehouse: Warehouse, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Return a table's rows, instants in ISO 8601, nothing as None; from the file itself, since DuckDB opens slowly."""
    found = pq.read_table(warehouse.folder / f"{table}.parquet", columns=list(columns))
    return list(zip(*(_values(found[name]) for name in columns), strict=True))


def _values(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        return [None if each is None else iso(each) for each in column.cast(pa.int64()).to_pylist()]
    return list(column.to_pylist())


def rejected(warehouse: Warehouse) -> pd.DataFrame:
    """Return the rejected rows of an import, their originals as mappings."""
    frame = pd.read_parquet(str(warehouse.quality.rejected_rows))
    frame["original"] = frame["original"].map(json.loads)
    return frame
