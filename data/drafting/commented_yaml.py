"""YAML with a comment beside each value: how a draft explains itself."""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from data.words.yaml_traps import trap

_WIDEST = 118
_INDENT = "  "


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment on a line of its own."""

    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """
    A name, its value and why it has that value.

    Attributes:
        key: the name.
        value: a scalar, a list of scalars, a mapping (on one line if it fits), a list of them (a line each), a tuple
            of entries (a block), or a list of such tuples (a block of items).
        why: the comment beside it.
    """

    key: Any
    value: Any
    why: str = ""


Lines = Iterator[str]
Block = tuple[Entry | Remark, ...]


def to_yaml(block: Block) -> str:
    """
    Write entries as YAML.

    >>> print(to_yaml((Entry("ids", ["NO", 1], "as seen"), Remark("next"), Entry("goal", {"stage": "won"}))), end="")
    ids: ["NO", 1]  # as seen
    # next
    goal: {stage: won}
    """
    return "\n".join(_block(block, "")) + "\n"


def scalar(value: Any) -> str:
    """
    Write a scalar so that YAML reads it back as it was.

    >>> [scalar(value) for value in ("NO", "a: b", True, 1.5, "{value} days", "plain text")]
    ['"NO"', '"a: b"', 'true', '1.5', '"{value} days"', 'plain text']
    """
    if not isinstance(value, str):
        return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)
    return value if _reads_back(value) else _escaped(json.dumps(value, ensure_ascii=False))


def _escaped(text: str) -> str:
    """Escape what YAML does not allow in a file, such as DEL and the private signs of fonts."""
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in text)


def _readable(comment: str) -> str:
    """Return a comment on one line, without signs that YAML does not allow: it may quote a cell."""
    return "".join(sign if sign.isprintable() else "·" for sign in " ".join(comment.split()))


@lru_cache(maxsize=10_000)
def _reads_back(text: str) -> bool:
    """Test whether a text means itself without quotes, alone and inside a list."""
    if not text.isprintable():
        return False
    try:
        is_same = yaml.safe_load(f"[{text}]") == [text] and yaml.safe_load(f"{text}: {text}") == {text: text}
        node = yaml.compose(text)
        return bool(is_same and node is not None and trap(node) is None)
    except (yaml.YAMLError, ValueError):
        return False


def _block(block: Block, indent: str) -> Lines:
    for part in block:
        if isinstance(part, Remark):
            yield from _comment(part.text, indent)
        else:
            yield from _entry(part, indent)


def _entry(entry: Entry, indent: str) -> Lines:
    key = f"{indent}{scalar(entry.key)}:"
    if isinstance(entry.value, tuple):
        yield from _with_comment(key, entry.why, indent)
        yield from _block(entry.value, indent + _INDENT)
    elif isinstance(entry.value, list) and entry.value and isinstance(entry.value[0], tuple):
        yield from _with_comment(key, entry.why, indent)
        for item in entry.value:
            yield from _item(item, indent + _INDENT)
    elif isinstance(entry.value, list) and entry.value and isinstance(entry.value[0], Mapping):
        yield from _with_comment(key, entry.why, indent)
        yield from (f"{indent}{_INDENT}- {_flow(item)}" for item in entry.value)
    elif len(line := f"{key} {_flow(entry.value)}") > _WIDEST and isinstance(entry.value, Mapping):
        block = tuple(Entry(name, value) for name, value in entry.value.items())
        yield from _entry(Entry(entry.key, block, entry.why), indent)
    elif len(line) > _WIDEST and isinstance(entry.value, list):
        yield from _with_comment(key, entry.why, indent)
        yield from (f"{indent}{_INDENT}- {scalar(value)}" for value in entry.value)
    else:
        yield from _with_comment(line, entry.why, indent)


def _item(item: Block, indent: str) -> Lines:
    """Write an item of a list: the first of its entries stands behind the dash, remarks before it above."""
    first = next(place for place, part in enumerate(item) if isinstance(part, Entry))
    yield from _block(item[:first], indent)
    lines = list(_block(item[first:], indent + _INDENT))
    start = next(place for place, line in enumerate(lines) if not line.lstrip().startswith("#"))
    yield from (line[len(_INDENT) :] for line in lines[:start])
    yield f"{indent}- {lines[start].lstrip()}"
    yield from lines[start + 1 :]


def _with_comment(line: str, why: str, indent: str) -> Lines:
    why = _readable(why)
    if not why:
        yield line
    elif len(line) + len(why) + 4 <= _WIDEST:
        yield f"{line}  # {why}"
    else:
        yield from _comment(why, indent)
        yield line


def _comment(text: str, indent: str) -> Lines:
    """Write a comment; one without text is a blank line."""
    if not text:
        yield ""
    width = _WIDEST - len(indent) - 2
    lines = textwrap.wrap(_readable(text), width, break_long_words=False, break_on_hyphens=False)
    yield from (f"{indent}# {line}" for line in lines)


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return scalar(value)
