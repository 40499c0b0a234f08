"""Batches that the service takes: at most 1,000 items and 4 MiB each, with one batch in memory at a time."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

from leadscore_client.call import encode
from leadscore_client.errors import InvalidArgumentError, InvalidItemError

Item = Mapping[str, object]
MAX_ITEMS = 1000
_MAX_BYTES = 4 * 2**20  # half of what the service accepts
_NO_NUMBER = "NaN and Infinity are not JSON; leave the field out where the value is unknown"
_NO_OFFSET = "the datetime has no offset; give it a time zone, such as datetime.UTC"
_NO_JSON = "has no form in JSON; use text, finite numbers, booleans, None, lists, dicts and datetimes with an offset"


def item_batches(items: Iterable[Item]) -> Iterator[bytes]:
    """
    Encode items as JSON lists that fit into one request each.

    Raises:
        InvalidArgumentError: it is one item or text instead of items.
        InvalidItemError: an item cannot be written as JSON.

    >>> list(item_batches([{"lead_id": "L-1"}, {"lead_id": "L-2"}]))
    [b'[{"lead_id":"L-1"},{"lead_id":"L-2"}]']
    """
    batch: list[bytes] = []
    size = 0
    for encoded in _encoded(items):
        if batch and (len(batch) == MAX_ITEMS or size + len(encoded) > _MAX_BYTES):
            yield _json_list(batch)
            batch, size = [], 0
        batch.append(encoded)
        size += len(encoded) + 1
    if batch:
        yield _json_list(batch)


def id_batches(lead_ids: Iterable[str]) -> Iterator[list[str]]:
    """
    Cut ids into lists of at most 1,000.

    Raises:
        InvalidArgumentError: it is one id instead of a list of ids, or an id is not text.

    >>> list(id_batches(["L-1", "L-2"]))
    [['L-1', 'L-2']]
    """
    if isinstance(lead_ids, str | bytes):
        message = f"lead_ids must be a list of ids: write [{lead_ids!r}] for one lead."
        raise InvalidArgumentError(message)
    rest: Iterator[object] = iter(lead_ids)
    while batch := [_checked_id(lead_id) for lead_id in islice(rest, MAX_ITEMS)]:
        yield batch


def _checked_id(lead_id: object) -> str:
    if not isinstance(lead_id, str):
        message = f"lead_ids must be text, not {lead_id!r}."
        raise InvalidArgumentError(message)
    return lead_id


def encode_item(item: object, index: int) -> bytes:
    """
    Encode one item as JSON.

    Raises:
        InvalidItemError: it is not a mapping, or a value in it has no form in JSON; names the field.

    >>> encode_item({"lead_id": "L-1", "attributes": {"employees": float("nan")}}, 7)
    Traceback (most recent call last):
    leadscore_client.errors.InvalidItemError: item 7, attributes.employees: NaN and Infinity are not JSON; ...
    """
    if not isinstance(item, Mapping):
        raise InvalidItemError(index, "", f"expected a dict, not {type(item).__name__}")
    try:
        return encode(item)
    except (TypeError, ValueError, RecursionError):
        raise InvalidItemError(index, *_find_fault(item)) from None


def _encoded(items: Iterable[Item]) -> Iterator[bytes]:
    if isinstance(items, Mapping | str | bytes):
        message = "items must be a list of dicts: put a single item into a list."
        raise InvalidArgumentError(message)
    for index, item in enumerate(items):
        yield encode_item(item, index)


def _json_list(batch: list[bytes]) -> bytes:
    return b"[" + b",".join(batch) + b"]"


def _find_fault(item: Item) -> tuple[str, str]:
    """Return the field that JSON cannot carry, and why; the item itself where no field alone is at fault."""
    try:
        return next(_faults(item, ""), ("", _NO_JSON))
    except RecursionError:
        return "", "it is nested too deeply, or contains itself"


def _faults(value: object, field: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _faults(inner, f"{field}.{name}".lstrip("."))
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for position, inner in enumerate(value):
            yield from _faults(inner, f"{field}.{position}")
    elif isinstance(value, float) and not math.isfinite(value):
        yield field, _NO_NUMBER
    elif isinstance(value, datetime):
        if value.tzinfo is None:
            yield field, _NO_OFFSET
    elif not isinstance(value, str | int | float | None):
        yield field, f"a value of type {type(value).__name__} {_NO_JSON}"
