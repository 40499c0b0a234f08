"""A body is measured before it is built: never too small a size, and a refusal before any memory is spent."""

import json
import random
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.strict_json import DEEPEST
from serving.api.json_body import parsed
from serving.api.json_size import (
    LONGEST_TEXT_BYTES,
    MOST_CONTAINERS,
    MOST_FEW_NODES,
    MOST_NODES,
    size_of,
)
from serving.errors import RequestError, TooLargeError

LARGEST = 8 * 2**20
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
DOCUMENTS = st.recursive(SCALARS, lambda part: st.lists(part) | st.dictionaries(st.text(), part), max_leaves=40)


def parts_of(value):
    """Return the names and values of a document, and how many of its lists and objects are empty."""
    if not isinstance(value, dict | list):
        return 1, 0
    inner = [parts_of(part) for part in (value.values() if isinstance(value, dict) else value)]
    names = len(value) if isinstance(value, dict) else 0
    return 1 + names + sum(nodes for nodes, _ in inner), (not value) + sum(empty for _, empty in inner)


def containers_of(value):
    if not isinstance(value, dict | list):
        return 0
    return 1 + sum(map(containers_of, value.values() if isinstance(value, dict) else value))


def names_of(value):
    if not isinstance(value, dict | list):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return max([len(value) if isinstance(value, dict) else 0, *map(names_of, inner)])


def levels_of(value):
    if not isinstance(value, dict | list):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(levels_of, inner), default=0)


def texts_of(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in [*value, *(value.values() if isinstance(value, dict) else ())]:
            yield from texts_of(part)


@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 1]))
def test_a_document_has_the_size_that_a_walk_through_it_finds(document, is_ascii, indent):
    body = json.dumps(document, ensure_ascii=is_ascii, indent=indent).encode("utf-8", "surrogatepass")
    size, (nodes, empty) = size_of(body), parts_of(document)
    assert nodes <= size.nodes <= nodes + empty
    assert size.containers == containers_of(document)
    assert size.names == names_of(document)
    assert size.levels == levels_of(document)
    assert size.characters == len(body.decode("utf-8", "surrogatepass"))
    longest = max(
        (len(json.dumps(text, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")) - 2)
        for text in [*texts_of(document), ""]
    )
    assert size.longest_text_bytes == longest


@pytest.mark.parametrize("body", [b"]" * 100_000 + b'[{"a":1}', b"[" * 100_000 + b'{"a":1}', b"}" * 999 + b":{"])
def test_brackets_that_close_nothing_or_never_close_are_measured_within_bounds(body):
    size = size_of(body)
    assert size.containers == body.count(b"[") + body.count(b"{")
    assert size.names <= 1


@given(st.binary(max_size=200))
def test_anything_at_all_is_measured_and_refused_or_read(body):
    size_of(body)
    with suppress(RequestError):
        parsed(body)


HOSTILE = {
    "distinct names and one twice": b"{" + b",".join(b'"n%d":0' % n for n in range(800_000))[: LARGEST - 20] + b"}",
    "unknown fields": b"{" + b",".join(b'"f%d":1' % number for number in range(700_000)) + b"}",
    "empty lists": b"[" + b"[]," * 2_700_000 + b"[]]",
    "empty objects": b"[" + b"{}," * 2_700_000 + b"{}]",
    "zeros": b"[" + b"0," * 4_000_000 + b"0]",
    "empty texts": b"[" + b'"",' * 2_700_000 + b'""]',
    "one text": b'"' + b"a" * (LARGEST - 2) + b'"',
    "one text and an emoji": b'["' + b"a" * 5_000_000 + '🙂"]'.encode(),
    "one number": b"1" * LARGEST,
    "one fraction": b"0." + b"1" * (LARGEST - 2),
    "deep lists": b"[" * LARGEST,
    "quotes": b'"' * LARGEST,
    "escapes": b'"' + b"\\" * (LARGEST - 1),
    "blanks": b" " * LARGEST,
}


@pytest.mark.parametrize("shape", HOSTILE)
def test_a_large_hostile_body_is_refused_before_it_takes_memory(shape):
    body = HOSTILE[shape]
    parsed(b"{}")
    tracemalloc.start()
    try:
        with pytest.raises(RequestError) as caught:
            parsed(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.status in {400, 413}
    assert peak < 2 * LARGEST, shape


def test_what_a_thousand_leads_with_fifty_attributes_need_is_within_the_bounds():
    leads = [{"lead_id": f"L-{n}", "attributes": {f"a{m}": "x" * 60 for m in range(50)}} for n in range(1000)]
    assert len(parsed(json.dumps(leads).encode())) == 1000


def test_the_largest_body_that_is_read_stays_within_64_mib():
    number = random.Random(3)  # noqa: S311 - content, no secret
    texts = [f"\\ud83d\\ude42{number.randrange(10**9):030d}" for _ in range(MOST_NODES - 10)]
    body = ("[" + ",".join(f'"{text}"' for text in texts) + "]").encode()[: LARGEST - 1]
    body = body[: body.rindex(b",")] + b"]"
    tracemalloc.start()
    try:
        parsed(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 * 2**20


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"[" + b"0," * MOST_FEW_NODES + b"0]", "more than 20,000 names and values"),
        (b'"' + b"a" * (LONGEST_TEXT_BYTES + 1) + b'"', "a text of more than 65,536 bytes"),
    ],
)
def test_what_is_too_much_is_named_with_its_bound(body, says):
    with pytest.raises(TooLargeError, match=says):
        parsed(body, most_nodes=MOST_FEW_NODES)


def test_an_object_of_fields_without_end_is_named_with_its_bound():
    with pytest.raises(TooLargeError, match="an object of more than 2,000 fields"):
        parsed(b'[{"a": 1}, {' + b",".join(b'"n%d": 0' % number for number in range(2_001)) + b"}]")


def test_lists_and_objects_without_end_are_named_with_their_bound():
    with pytest.raises(TooLargeError, match="more than 10,000 lists and objects"):
        parsed(b"[" + b"[]," * MOST_CONTAINERS + b"0]")


def test_levels_up_to_the_bound_are_read():
    assert parsed(b"[" * DEEPEST + b"]" * DEEPEST)
