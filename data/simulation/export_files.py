"""The exports: files as the company's tools write them, each in its own manner."""

import gzip
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from data.arrow_schemas import lead_schema
from data.contract import AttributeType
from data.instants import HOUR_US, to_us
from data.simulation.activities import MAIL, SALES, WEB, ActivityRows
from data.simulation.arrays import Ints, Texts
from data.simulation.lead_versions import LeadVersions
from data.simulation.people import People
from data.simulation.stages_reached import STAGES, OutcomeRows

OFFICE_ZONE = ZoneInfo("Europe/Berlin")
FILES = ("leads.parquet", "web.csv.gz", "email.jsonl", "sales.csv", "outcomes.csv")
_TYPES = {"employees": AttributeType.NUMERIC, "business_email": AttributeType.BOOLEAN}
_COMPRESSION = 5


def lead_ids(leads: Ints) -> Texts:
    """
    Name leads by their position.

    >>> lead_ids(np.array([0, 41])).tolist()
    ['L000001', 'L000042']
    """
    return np.array([f"L{lead + 1:06d}" for lead in leads.tolist()], dtype=object)


def write_leads(folder: Path, people: People, versions: LeadVersions, *, start: datetime) -> None:
    """Write ``leads.parquet``: one row per version of a lead."""
    lead = versions.lead
    accounts = np.array([f"A{account + 1:06d}" for account in people.account.tolist()], dtype=object)
    accounts[~people.named_account] = None
    types = {name: _TYPES.get(name, AttributeType.CATEGORY) for name in versions.attributes}
    columns = {
        "lead_id": lead_ids(np.arange(len(people)))[lead],
        "account_id": accounts[lead],
        "created_at": people.created_us[lead] + to_us(start),
        "known_at": versions.known_us + to_us(start),
        **versions.attributes,
    }
    schema = lead_schema(types)
    arrays = [pa.array(columns[field.name], type=field.type, from_pandas=True) for field in schema]
    pq.write_table(pa.table(arrays, schema=schema), folder / "leads.parquet")


def write_activities(folder: Path, rows: ActivityRows, *, start: datetime) -> None:
    """Write ``web.csv.gz`` in UTC, ``email.jsonl`` with offsets and ``sales.csv`` in the office's local time."""
    _write_web(folder / "web.csv.gz", rows.where(rows.tool == WEB), start)
    _write_mail(folder / "email.jsonl", rows.where(rows.tool == MAIL), start)
    _write_sales(folder / "sales.csv", rows.where(rows.tool == SALES), start)


def write_outcomes(folder: Path, rows: OutcomeRows, *, start: datetime) -> None:
    """Write ``outcomes.csv``: the stages reached, in UTC."""
    table = pa.table(
        {
            "outcome_id": _ids("o", np.arange(len(rows.lead))),
            "lead_id": pa.array(lead_ids(rows.lead), pa.string()),
            "stage": pa.array(np.array(STAGES, dtype=object)[rows.stage], pa.string()),
            "reached_at": _text(rows.reached_us, start, "Z"),
            "known_at": _text(rows.known_us, start, "Z"),
            "amount": pa.array(rows.amount, from_pandas=True),
            "reason": pa.array(rows.reason, pa.string()),
        }
    )
    _write_csv(table, folder / "outcomes.csv")


def _write_web(path: Path, rows: ActivityRows, start: datetime) -> None:
    table = pa.table(
        {
            "event_id": _ids("w", rows.number),
            "visitor": pa.array(lead_ids(rows.lead), pa.string()),
            "event": pa.array(rows.word, pa.string()),
            "at": _text(rows.occurred_us, start, "Z"),
            "received_at": _text(rows.known_us, start, "Z"),
            "page": pa.array(rows.subject, pa.string()),
            "seconds": pa.array(rows.value, from_pandas=True),
        }
    )
    with path.open("wb") as file, gzip.GzipFile("", "wb", _COMPRESSION, file, mtime=0) as packed:
        csv.write_csv(table, packed, csv.WriteOptions(quoting_style="needed"))


def _write_mail(path: Path, rows: ActivityRows, start: datetime) -> None:
    frame = pd.DataFrame(
        {
            "id": _ids("m", rows.number).to_numpy(zero_copy_only=False),
            "recipient": lead_ids(rows.lead),
            "type": rows.word,
            "ts": _text(rows.occurred_us, start, "+00:00").to_numpy(zero_copy_only=False),
            "logged_at": _text(rows.known_us, start, "+00:00").to_numpy(zero_copy_only=False),
            "campaign": rows.subject,
        }
    )
    frame.to_json(path, orient="records", lines=True)


def _write_sales(path: Path, rows: ActivityRows, start: datetime) -> None:
    occurred, known = _said_once(rows.occurred_us, start), _said_once(rows.known_us, start)
    table = pa.table(
        {
            "activity_id": _ids("s", rows.number),
            "lead_id": pa.array(lead_ids(rows.lead), pa.string()),
            "activity": pa.array(rows.word, pa.string()),
            "occurred_at": _local_text(occurred, start),
            "known_at": _local_text(np.maximum(occurred, known), start),
            "minutes": pa.array(rows.value, from_pandas=True),
        }
    )
    _write_csv(table, path)


def _write_csv(table: pa.Table, path: Path) -> None:
    csv.write_csv(table, path, csv.WriteOptions(quoting_style="needed"))


def _ids(letter: str, numbers: Ints) -> pa.Array:
    return pa.array([f"{letter}{number + 1:07d}" for number in numbers.tolist()], pa.string())


def _text(instants_us: Ints, start: datetime, ending: str) -> pa.Array:
    """Write instants, counted from the start, in ISO 8601 and UTC."""
    words = np.datetime_as_string((instants_us + to_us(start)).astype("datetime64[us]"))
    return pa.array(np.char.add(words, ending) if len(words) else [], pa.string())


def _local_text(instants_us: Ints, start: datetime) -> pa.Array:
    local = _local(instants_us, start).to_numpy()
    return pa.array(np.datetime_as_string(local).astype(object) if len(local) else [], pa.string())


def _local(instants_us: Ints, start: datetime) -> pd.DatetimeIndex:
    instants = pd.DatetimeIndex((instants_us + to_us(start)).astype("datetime64[us]"), tz=UTC)
    return instants.tz_convert(OFFICE_ZONE).tz_localize(None)


def _said_once(instants_us: Ints, start: datetime) -> Ints:
    """Move instants out of the two hours that the clock calls by one name in autumn, to the hour after them."""
    local = _local(instants_us, start)
    first, second = (
        local.tz_localize(OFFICE_ZONE, ambiguous=np.full(len(local), summer)).as_unit("us").asi8
        for summer in (True, False)
    )
    now = instants_us + to_us(start)
    moved_us = np.where(first == second, 0, np.where(now == first, 2 * HOUR_US, HOUR_US))
    return instants_us + moved_us
