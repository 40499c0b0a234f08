"""
Event logs (XES, IEEE 1849) into rows: one per event, its case's attributes beside its own.

Source: IEEE Standard for eXtensible Event Stream, IEEE 1849-2016. Columns are named as in pm4py: a case's attribute
``concept:name`` becomes ``case:concept:name``, an event's keeps its name.
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, cast

import pyarrow as pa
import pyarrow.parquet as pq
from lxml import etree

from data.errors import IntakeError
from data.progress import Progress

BATCH = 50_000
Row = dict[str, str | int | None]


def read_event_log(path: Path, target: Path, *, shown: str, progress: Progress) -> None:
    """
    Write the events of a log as Parquet files of text columns, in the order of the log.

    A trace is freed once its events are written, so the size of a log does not matter.
    Entities and document types are rejected: no log needs them, and they can expand without bound.

    Args:
        path: the log, ``.xes`` or ``.xes.gz``.
        target: folder for the Parquet files; ``_row`` is the event's number in the log, from 1.
        shown: the log's name in messages.
        progress: called with the bytes read so far.

    Raises:
        IntakeError: the file is damaged, is no XES, or declares a document type.
    """
    target.mkdir(parents=True)
    size = path.stat().st_size
    with path.open("rb") as raw:
        stream = cast("IO[bytes]", gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw)
        try:
            batch: list[Row] = []
            for number, row in enumerate(_events(stream, shown), start=1):
                batch.append({"_row": number, **row})
                if len(batch) == BATCH:
                    _write(batch, target)
                    progress(f"reading {shown}", raw.tell(), size)
                    batch = []
            _write(batch, target)
        except (etree.XMLSyntaxError, OSError, EOFError, zlib.error) as error:
            message = f"{shown} is damaged or not an event log ({error}): export it again as XES (IEEE 1849)."
            raise IntakeError(message) from None
    progress(f"reading {shown}", size, size)


def _events(stream: IO[bytes], shown: str) -> Iterator[Row]:
    """Yield the rows of a log, trace by trace; a trace without events gives one row with its case alone."""
    parser = etree.iterparse(
        stream,
        events=("start", "end"),
        tag=("{*}log", "{*}trace"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    began = False
    for moment, element in parser:
        if not began:
            began = True
            _refuse_document_type(element, shown)
        if moment == "end" and _is(element, "trace"):
            yield from _without_trace(reversed(list(element.itersiblings(preceding=True))))
            yield from _trace(element)
            _forget(element)
        elif moment == "end":
            yield from _without_trace(element)
    if not began:
        message = f"{shown} is XML, but no event log: it has no <log>. Export it as XES (IEEE 1849)."
        raise IntakeError(message)


def _without_trace(elements: Iterable[etree._Element]) -> Iterator[Row]:
    """Return the events outside any trace; the standard allows them, and they have no case."""
    return (_said(element) for element in elements if _is(element, "event"))


def _refuse_document_type(element: etree._Element, shown: str) -> None:
    if element.getroottree().docinfo.internalDTD is not None:
        message = f"{shown} declares a document type (<!DOCTYPE …>), which no event log needs: export it without."
        raise IntakeError(message)


def _trace(trace: etree._Element) -> Iterator[Row]:
    case: Row = {}
    events = []
    tag = trace.tag.removesuffix("trace") + "event"
    for child in trace:
        if child.tag == tag:
            events.append(child)
        else:
            case[f"case:{child.get('key')}"] = child.get("value")
    for event in events:
        yield {**case, **_said(event)}
    if not events:
        yield case


def _said(event: etree._Element) -> Row:
    return {str(value.get("key")): value.get("value") for value in event}


def _is(element: etree._Element, name: str) -> bool:
    return element.tag == name or element.tag.endswith("}" + name)


def _forget(element: etree._Element) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and (before := element.getprevious()) is not None:
        parent.remove(before)


def _write(batch: list[Row], target: Path) -> None:
    names = dict.fromkeys(name for row in batch for name in row)
    columns = {name: pa.array([row.get(name) for row in batch], _type(name)) for name in names}
    if batch:
        pq.write_table(pa.table(columns), target / f"{len(list(target.iterdir())):06d}.parquet")


def _type(name: str) -> pa.DataType:
    return pa.int64() if name == "_row" else pa.string()
