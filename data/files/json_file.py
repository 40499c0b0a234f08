# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""JSON of an export, opened: one object a line, or a list of objects in one document; nested values by dotted names."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import IntakeError
from data.files.csv_file import open_lines
from data.files.export_file import ExportFile, ImportTools
from data.files.raw_text import utf8_bytes
from data.sql import literal, select
from data.words.writing import FileWriting

_WELL_FORMED = "CASE WHEN json_valid(_line) THEN _line END"
_DEEPEST_NAME = 4
JsonPlace = tuple[str, ...]


def open_jsonl(path: Path, *, shown: str, writing: FileWriting, tools: ImportTools) -> ExportFile:
    """
    Open a file with one JSON object a line.

    Raises:
        IntakeError: two names differ only in case, or it is not in the encoding that the playbook says.
    """
    return _of_objects(open_lines(path, shown=shown, writing=writing, tools=tools), "jsonl", tools)


def open_json(path: Path, *, shown: str, writing: FileWriting, tools: ImportTools) -> ExportFile:
    """
    Open a JSON document that is a list of objects, or holds one at the place that ``records`` names.

    A file with one object a line is read as such, whatever its suffix.

    Raises:
        IntakeError: it is not JSON, or holds no list there.
    """
    text = utf8_bytes(path, writing.encoding, shown=shown, tools=tools).tobytes()
    try:
        document = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        if writing.records is None and text.lstrip()[:1] == b"{":
            return open_jsonl(path, shown=shown, writing=writing, tools=tools)
        message = f"{shown} is not JSON ({error}): export it again."
        raise IntakeError(message) from None
    records = _list_in(document, writing.records, shown)
    target = tools.new_path("parquet")
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    table = pa.table({"_row": range(1, len(lines) + 1), "_line": pa.array(lines, pa.large_string())})
    pq.write_table(table, target, compression="none")
    rows = f"read_parquet({literal(str(target))})"
    return _of_objects(ExportFile(shown, "json", {"_line": "VARCHAR"}, rows, len(lines)), "json", tools)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    counted = Counter(name for name, _ in pairs)
    twice = [name for name, times in counted.items() if times > 1]
    if twice:
        message = f"{twice[0]} stands more than once in one object"
        raise ValueError(message)
    return dict(pairs)


def _list_in(document: Any, records: str | None, shown: str) -> list[Any]:
    found = document
    for name in records.split(".") if records else ():
        found = found.get(name) if isinstance(found, dict) else None
    if isinstance(found, list):
        return found
    if records is None and isinstance(document, dict):
        lists = [name for name, value in document.items() if isinstance(value, list)]
        if not lists:
            return [document]
        message = f"{shown} is one JSON object: say which of its lists holds the rows, such as records: {lists[0]}."
        raise IntakeError(message)
    message = f"{shown} holds no list at {records or 'its top'}: correct records in playbook.yaml."
    raise IntakeError(message)


def _of_objects(lines: ExportFile, kind: str, tools: ImportTools) -> ExportFile:
    """Return the file whose rows are the values of JSON objects, of which ``lines`` has one in each ``_line``."""
    paths = _paths(lines, tools)
    top, nested = ([path for path in paths if (len(path) > 1) is deep] for deep in (False, True))
    names = [path[0] for path in top] + [".".join(path) for path in nested]
    _require_distinct(names, lines.shown)
    shape = literal(json.dumps({path[0]: "VARCHAR" for path in top}))
    values = {"_row": "_row", "_line": "_line", "_values": f"from_json({_WELL_FORMED}, {shape})" if top else "NULL"}
    columns = {path[0]: f"_values[{literal(path[0])}]" for path in top}
    columns |= {".".join(path): f"json_extract_string({_WELL_FORMED}, {_place(path)})" for path in nested}
    parsed = f"({select(values, lines.rows)})"
    broken = f"NOT coalesce(json_type({_WELL_FORMED}) = 'OBJECT', FALSE)"
    return replace(
        lines,
        format=kind,
        types=dict.fromkeys(names, "VARCHAR"),
        rows=f"({select({'_row': '_row', '_line': '_line', **columns}, parsed)})",
        original=f"CASE WHEN {broken} THEN to_json({{'line': _line}})::VARCHAR ELSE _line END",
        broken=broken,
    )


def _paths(lines: ExportFile, tools: ImportTools, inside: JsonPlace = ()) -> list[JsonPlace]:
    """Return the place of every value that any object has, those of nested objects after their own."""
    rows = lines.rows
    whole = f"json_extract({_WELL_FORMED}, {_place(inside)})" if inside else _WELL_FORMED
    # Most objects have the same names, so that few lists of names are taken apart.
    objects = f"FROM {rows} WHERE json_type({whole}) = 'OBJECT'"
    keys = f"SELECT json_keys({whole}) AS keys, min(_row) AS first {objects} GROUP BY 1"
    each = f"SELECT unnest(keys) AS name, CASE WHEN list_unique(keys) < len(keys) THEN first END AS twice FROM ({keys})"
    found = tools.connection.execute(f"SELECT name, min(twice) FROM ({each}) GROUP BY name ORDER BY 1").fetchall()
    _require_single_names(lines.shown, [row for _, row in found if row is not None])
    paths = [(*inside, name) for name, _ in found if name and name.isprintable()]
    if not paths or len(inside) + 1 >= _DEEPEST_NAME:
        return paths
    tests = ", ".join(f"bool_or(json_type({_WELL_FORMED}, {_place(path)}) = 'OBJECT')" for path in paths)
    holds_objects = tools.connection.execute(f"SELECT {tests} FROM {rows}").fetchall()[0]
    return paths + [
        deeper
        for path, holds in zip(paths, holds_objects, strict=True)
        if holds
        for deeper in _paths(lines, tools, path)
    ]


def _place(path: JsonPlace) -> str:
    """Return a place as JSON path in SQL."""
    return literal("$" + "".join(f".{json.dumps(name, ensure_ascii=False)}" for name in path))


def _require_single_names(shown: str, rows: list[int]) -> None:
    if rows:
        message = (
            f"{shown} has an object in which a name stands twice (row {min(rows)}), so that nobody can tell which value"
            " is meant: export it again."
        )
        raise IntakeError(message)


def _require_distinct(names: list[str], shown: str) -> None:
    counted = Counter(name.lower() for name in names)
    twice = sorted({name for name in names if counted[name.lower()] > 1})
    if twice:
        message = f"{shown}: names must differ by more than case: {', '.join(twice)}. Rename them."
        raise IntakeError(message)
