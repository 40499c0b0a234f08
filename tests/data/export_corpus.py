"""
The corpus in ``exports/``: small files as strangers' systems write them, each with the table that it must become.

Beside each file ``<name>.csv`` stands ``<name>.yaml``:

- ``shows``: what of the world's exports it has.
- ``source``: what a playbook says of it; ``playbook``: what that says besides; ``attributes``: the type of each.
- ``made``: how the file is packed, or what a workbook or a Parquet file holds: those are made here.
- ``rows``: the table that it must become, or ``refused``: the sentence that it must get, as a pattern.
- ``rejected``: row as an editor numbers it → rules; ``lost``: attribute → how many of its cells cannot be read.
- ``unsaid``: what a person would say of the source, and its playbook leaves out on purpose.
- ``unsaid``: what a person would say of the source, and its playbook leaves out on purpose.
- ``leads``: the leads to which activities and outcomes belong; default: those among ``rows``.
"""

import gzip
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from data.instants import iso, to_us
from data.words.playbook import Playbook
from tests.data.company import company
from tests.data.files.test_workbook import workbook

FOLDER = Path(__file__).parent / "exports"
LEADS_FRAME = "people-of-the-frame.csv"
_BORN = "2020-01-01T08:00:00Z"
_SHOWN = {"numeric": {"says": "has {value}"}, "category": {"says": "is {value}"}}
_SHOWN["boolean"] = {"says": "is so", "says_not": "is not so"}
_EXCEL_DAY_0 = pd.Timestamp("1899-12-30")


@dataclass(frozen=True)
class ExportCase:
    """One file of the corpus with what must become of it."""

    name: str
    says: Mapping[str, Any]
    written: Path | None

    @property
    def file(self) -> str:
        """The file's name in the folder of exports."""
        made = self.says.get("made", {})
        own = self.written.name if self.written is not None else self.name
        return str(made.get("name", f"{own}.{made['as']}" if made else own))

    @property
    def holds(self) -> str:
        return str(self.says.get("source", {}).get("holds", "leads"))

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The table that it must become, its header first."""
        lines = [line for line in self.says["rows"].splitlines() if line.strip()]
        return [tuple(cell.strip() for cell in line.split("|")) for line in lines]

    @property
    def leads(self) -> list[str]:
        """The leads that are known from ``rows``, or that the case names."""
        named = [str(lead) for lead in self.says.get("leads", ())]
        if "rows" not in self.says:
            return named
        header, *body = self.rows
        return named or list(dict.fromkeys(row[header.index("lead_id")] for row in body))

    @cached_property
    def raw(self) -> bytes:
        """The bytes of the file."""
        plain = self.written.read_bytes() if self.written is not None else b""
        made = self.says.get("made", {})
        match made.get("as"):
            case "gz":
                packed = gzip.compress(plain, mtime=0)
                return packed[: len(packed) - made.get("cut", 0)]
            case "zip":
                return self._archive(plain)[: -made.get("cut", 0) or None]
            case "parquet":
                return parquet(made["columns"])
            case "xlsx":
                return workbook(**{name: list(map(_dated, rows)) for name, rows in made["sheets"].items()})
            case _:
                return plain

    def playbook(self, folder: Path, *, says_all: bool = False) -> Playbook:
        """
        Write its playbook and its exports into a folder; activities and outcomes get leads to belong to.

        Args:
            folder: where to write.
            says_all: whether the playbook says what it leaves out on purpose, too.
        """
        unsaid = self.says.get("unsaid", {}) if says_all else {}
        files, sources = {self.file: self.raw}, []
        if self.holds not in {"leads", "event_log"}:
            files[LEADS_FRAME] = people(self.leads)
            sources.append({"file": LEADS_FRAME, "holds": "leads"})
        sources.append({"file": self.file, "holds": "leads", **self.says.get("source", {}), **unsaid})
        attributes = {name: {"type": kind, **_SHOWN[kind]} for name, kind in self.says.get("attributes", {}).items()}
        return company(folder, files, sources, attributes=attributes, **self.says.get("playbook", {}))

    def _archive(self, plain: bytes) -> bytes:
        assert self.written is not None
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"export/{self.written.name}", plain)
            archive.writestr(f"__MACOSX/export/._{self.written.name}", b"\x00\x05\x16\x07")
        return held.getvalue()


def people(leads: list[str]) -> bytes:
    """Return a table of leads that were there before all else."""
    return "".join(["lead_id,created_at\n", *(f'"{lead}",{_BORN}\n' for lead in leads)]).encode()


def parquet(columns: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Return a Parquet file of these columns, each with its type in Arrow's words and its values."""
    held = io.BytesIO()
    arrays = {name: _array(about["type"], about["values"]) for name, about in columns.items()}
    pq.write_table(pa.table(arrays), held)
    return held.getvalue()


def table_of(path: Path, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return columns of a table of the contract as the corpus writes them, its rows sorted."""
    return sorted(tuple(map(text_of, row.values())) for row in pq.read_table(path, columns=list(columns)).to_pylist())


def text_of(value: Any) -> str:
    r"""
    Write a value of the contract as the corpus does.

    >>> text_of(None), text_of(1200.0), text_of(True), text_of("two\nlines")
    ('', '1200', '1', 'two\\nlines')
    """
    match value:
        case None:
            return ""
        case bool() | float():
            return f"{value:.12g}"
        case datetime():
            return iso(to_us(value))
        case _:
            return str(value).strip().replace("\r\n", "\n").replace("\n", "\\n").replace("\0", "\\0")


def cases() -> list[ExportCase]:
    """Return the cases of the corpus, by name."""
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        files = [each for each in sorted(FOLDER.glob(f"{path.stem}.*")) if each != path]
        found.append(ExportCase(path.stem, yaml.safe_load(path.read_text(encoding="utf-8")), next(iter(files), None)))
    return found


def _array(kind: str, values: list[Any]) -> pa.Array:
    wanted = pa.timestamp("us", tz="UTC") if kind == "timestamp_utc" else pa.type_for_alias(kind)
    if pa.types.is_timestamp(wanted) or pa.types.is_date(wanted):
        return pa.array([None if value is None else pd.Timestamp(value) for value in values], wanted)
    return pa.array(values, wanted)


def _dated(row: list[Any]) -> list[Any]:
    """Return a row of a sheet whose dates are Excel's numbers of days."""
    return [
        ("date", (pd.Timestamp(value) - _EXCEL_DAY_0) / pd.Timedelta(days=1)) if hasattr(value, "year") else value
        for value in row
    ]
