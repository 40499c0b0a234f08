"""What strict JSON is, what is refused, and that a large document costs no more than its size."""

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data.strict_json import (
    DEEPEST,
    DeepJsonError,
    DuplicateNameError,
    InvalidJsonError,
    JsonError,
    NotUtf8Error,
    parse_flat,
    parse_text,
)

_LIKE_JSON = st.recursive(
    st.sampled_from(
        ["0", "-1.5e3", "1e999", "01", "-", "1.", "\u0661", "true", "null", "NaN", '"a"', '"\\u00e9"', '"', ""]
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda parts: f"[{','.join(parts)}]"),
        st.lists(inner, max_size=4).map(
            lambda parts: "{" + ",".join(f' "{part[:1]}" :{part}' for part in parts) + "\n}"
        ),
    ),
    max_leaves=12,
).map(str.encode)


def test_a_document_is_read_as_json_reads_it():
    document = {"text": "ö \n \u2028", "numbers": [0, -1.5, 1e300, 2**60], "nested": [{"a": None}, {"a": True}]}
    assert parse_flat(json.dumps(document).encode()) == document
    assert parse_text(json.dumps(document, ensure_ascii=False)) == document


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', "", "[1,]", "{'a': 1}", "1 2", "\ufeff{}"])
def test_what_rfc_8259_does_not_know_is_refused(text: str):
    with pytest.raises(InvalidJsonError):
        parse_flat(text.encode())


@given(body=st.one_of(st.binary(), _LIKE_JSON))
@example(body="[1\u0663]".encode())
@example(body="-\u0663".encode())
@example(body=b'{"a": 1e5, "a": 2}')
def test_a_large_document_is_read_as_a_small_one_is(body: bytes):
    """Blanks before a document mean nothing but that it is read by the decoder that lets other threads go on."""
    assert _read(b" " * 2**20 + body) == _read(body)


def _read(body: bytes) -> object:
    try:
        return repr(parse_flat(body))
    except JsonError as error:
        return type(error)


def test_a_number_of_thousands_of_digits_is_refused():
    with pytest.raises(InvalidJsonError):
        parse_flat(b"9" * 5000)


@pytest.mark.parametrize("body", [b"\xff", '"ö"'.encode("latin-1"), "{}".encode("utf-16")])
def test_other_encodings_are_refused(body: bytes):
    with pytest.raises(NotUtf8Error):
        parse_flat(body)


def test_each_doubled_name_is_named_once_and_in_order():
    with pytest.raises(DuplicateNameError, match='found "a", "b" more than once') as caught:
        parse_flat(b'[{"b": 1, "a": 2, "c": 3, "b": 4, "a": 5, "a": 6}]')
    assert caught.value.names == ("a", "b")


def test_a_doubled_name_that_no_encoding_can_write_is_shown_as_an_escape():
    with pytest.raises(DuplicateNameError) as caught:
        parse_flat(rb'{"\ud800": 1, "\ud800": 2}')
    assert str(caught.value).isascii()


@pytest.mark.parametrize("brackets", ["[]", ['{"a":', "}"]])
def test_depth_is_bounded_to_the_level(brackets):
    opening, closing = brackets
    inner = "" if opening == "[" else "1"
    assert parse_text(opening * DEEPEST + inner + closing * DEEPEST)
    with pytest.raises(DeepJsonError):
        parse_text(opening * (DEEPEST + 1) + inner + closing * (DEEPEST + 1))


@pytest.mark.parametrize("body", [b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000])
def test_depth_without_end_is_an_error_and_no_crash(body: bytes):
    for parse in (parse_flat, lambda body: parse_text(body.decode())):
        with pytest.raises(JsonError):
            parse(body)


def test_brackets_within_texts_are_no_depth():
    assert parse_text(json.dumps(["[" * 1000])) == ["[" * 1000]


def test_many_doubled_names_cost_no_more_than_their_number():
    def seconds(names: int) -> float:
        pairs = ",".join(f'"name {number % (names // 2)}":0' for number in range(names))
        body = f"{{{pairs}}}".encode()
        start = time.process_time()
        with pytest.raises(DuplicateNameError):
            parse_flat(body)
        return time.process_time() - start

    seconds(1000)
    few, many = (min(seconds(names) for _ in range(3)) for names in (10_000, 100_000))
    assert many < 50 * few  # ten times the names: ten times the cost, a hundred times if each name is looked for
