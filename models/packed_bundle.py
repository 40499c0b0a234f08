"""
A bundle as one blob, for the store and for the way over HTTP.

It is a JSON object of the files' texts, squeezed by zlib. Nothing in it is code, unpacking runs nothing, and a blob
that would unpack to more than any bundle holds is rejected before it does. The JSON may also come uncompressed. What
stands between its texts is measured before it is parsed: a few megabytes of empty lists would take hundreds as objects.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from models.bundle_limits import require
from models.champion import MANIFEST
from models.checked_json import fields, is_label, loads
from models.errors import BundleError, LimitError, StructureError

LARGEST_BYTES = 24 * 2**20
"""Unpacked; a model of a thousand trees has a third of it."""

_LEVEL = 6
_MOST_BETWEEN = 1_000
_TEXT = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
"""A text of JSON; it never goes back over what it has read, which would take memory for every sign."""


@dataclass(frozen=True, slots=True)
class PackedBundle:
    """
    The content of a packed bundle.

    Attributes:
        files: name → bytes, not verified yet.
        version: the registry's label, if known.
        fingerprint: of the bundle that was packed, if known; without it the manifest itself is not verified.
    """

    files: Mapping[str, bytes]
    version: str | None = None
    fingerprint: str | None = None


def pack(files: Mapping[str, bytes], *, version: str | None = None) -> bytes:
    """
    Pack the files of a bundle; the same files give the same bytes.

    Args:
        files: as given by `models.bundle.read_bundle_files`.
        version: the registry's label, to go with them.

    Raises:
        BundleError: a file is no text.
    """
    try:
        texts = {name: content.decode("utf-8") for name, content in files.items()}
    except UnicodeDecodeError:
        message = "a file of the bundle is not UTF-8 text: export the bundle again from its MLflow run."
        raise BundleError(message) from None
    fingerprint = hashlib.sha256(files[MANIFEST]).hexdigest() if MANIFEST in files else None
    content = {"files": texts, "version": version, "fingerprint": fingerprint}
    return zlib.compress(json.dumps(content, sort_keys=True, ensure_ascii=False).encode(), _LEVEL)


def unpack(blob: bytes) -> PackedBundle:
    """
    Unpack a packed bundle, or the same JSON uncompressed; `load_files` verifies the content.

    Raises:
        ModelError: it is neither.

    >>> unpack(pack({"a.json": b"{}"}, version="3"))
    PackedBundle(files={'a.json': b'{}'}, version='3', fingerprint=None)
    >>> unpack(b'{"files": {"a.json": "{}"}}').files
    {'a.json': b'{}'}
    """
    content = _parsed(blob if blob[:1] == b"{" else _unsqueezed(blob))
    labels = [name for name in ("version", "fingerprint") if isinstance(content, dict) and name in content]
    packed = fields(content, "packed bundle", ("files", *labels))
    for name in labels:
        if packed[name] is not None and not is_label(packed[name]):
            raise StructureError(where=name, found=packed[name], expected="one line of at most 200 characters")
    return PackedBundle(_files(packed["files"]), packed.get("version"), packed.get("fingerprint"))


def _parsed(content: bytes) -> object:
    """Parse the JSON if there is little but texts in it, and few of those."""
    require("bytes of the packed bundle", len(content), LARGEST_BYTES)
    text = _text(content)
    between = len(text) - sum(found.end() - found.start() for found in _TEXT.finditer(text))
    require("signs between the texts of the packed bundle", between, _MOST_BETWEEN)
    return loads(text)


def _unsqueezed(blob: bytes) -> bytes:
    reader = zlib.decompressobj()
    try:
        content = reader.decompress(blob, LARGEST_BYTES + 1)
    except zlib.error:
        message = "this is not a packed bundle: pack the bundle again."
        raise BundleError(message) from None
    if len(content) > LARGEST_BYTES:  # the rest is not unpacked, only to count it
        raise LimitError(where="bytes of the packed bundle", found=len(content), most=LARGEST_BYTES)
    if not reader.eof or reader.unused_data:
        message = "the packed bundle does not end where it should: pack the bundle again."
        raise BundleError(message)
    return content


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        message = "the packed bundle is not UTF-8 text: pack the bundle again."
        raise BundleError(message) from None


def _files(given: object) -> dict[str, bytes]:
    if not isinstance(given, dict) or not all(isinstance(text, str) for text in given.values()):
        raise StructureError(where="files", found="something else", expected="an object of texts")
    try:
        return {name: text.encode("utf-8") for name, text in given.items()}
    except UnicodeEncodeError:
        raise StructureError(where="files", found="a character that no text can hold", expected="texts") from None
