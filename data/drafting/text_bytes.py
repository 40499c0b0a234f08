"""What the bytes of an export say about themselves: the name without its packing, and the encoding."""

import codecs
import gzip
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from data.errors import IntakeError
from data.exports import data_members

_AT_ONCE = 4 * 2**20
_MOST_LOOKED_AT = 2**30
_NEVER_IN_CP1252 = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
_FEW_NULS = 0.2


@contextmanager
def opened_bytes(path: Path) -> Iterator[IO[bytes]]:
    """
    Open a file, or what is packed in it by gzip or as the only member of a zip archive.

    Raises:
        IntakeError: the archive is damaged, or holds no file or several.
    """
    try:
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive, archive.open(_only_member(path)) as member:
                yield member
        else:
            with path.open("rb") as raw:
                yield cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if path.suffix.lower() == ".gz" else raw
    except (EOFError, OSError, zipfile.BadZipFile) as error:
        message = f"{path} cannot be unpacked ({error}): export it again."
        raise IntakeError(message) from None


@contextmanager
def opened_text(path: Path, encoding: str | None) -> Iterator[IO[str]]:
    """Open the text of an export, without changing its ends of lines; a letter that is none becomes a question mark."""
    with opened_bytes(path) as stream:
        yield io.TextIOWrapper(stream, encoding or "utf-8-sig", errors="replace", newline="")


def packed_name(path: Path) -> str:
    """
    Return the name that says the format of a file, without its packing.

    Raises:
        IntakeError: an archive holds no file or several.
    """
    if path.suffix.lower() == ".gz":
        return path.name[: -len(".gz")]
    return _only_member(path).filename if path.suffix.lower() == ".zip" else path.name


def encoding_of(stream: IO[bytes]) -> str | None:
    """
    Return the encoding of a text, as the playbook names it; None for UTF-8.

    A text that is no UTF-8 was written by Windows (cp1252), unless it holds bytes that cp1252 does not know.

    >>> import io
    >>> [encoding_of(io.BytesIO("id,Größe".encode(name))) for name in ("utf-8", "cp1252", "utf-16", "utf-16-le")]
    [None, 'cp1252', 'utf-16', 'utf-16-le']
    """
    head = stream.read(_AT_ONCE)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if (wide := _wide(head)) is not None:
        return wide
    decoder, seen, unknown = codecs.getincrementaldecoder("utf-8")(), 0, False
    chunk, is_utf8 = head, True
    while chunk and seen < _MOST_LOOKED_AT:
        unknown = unknown or any(byte in chunk for byte in _NEVER_IN_CP1252)
        is_utf8 = is_utf8 and _decodes(decoder, chunk)
        seen += len(chunk)
        chunk = stream.read(_AT_ONCE)
    if is_utf8:
        return None
    return "latin-1" if unknown else "cp1252"


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def _wide(head: bytes) -> str | None:
    """Return the byte order of UTF-16 without a mark: in Latin text, every other byte is nearly always zero."""
    if len(head) < 2:  # noqa: PLR2004 - two bytes are one character
        return None
    odd, even = head[1::2].count(0) / len(head[1::2]), head[::2].count(0) / len(head[::2])
    if odd > _FEW_NULS and even < _FEW_NULS:
        return "utf-16-le"
    return "utf-16-be" if even > _FEW_NULS and odd < _FEW_NULS else None


def _only_member(path: Path) -> zipfile.ZipInfo:
    try:
        with zipfile.ZipFile(path) as archive:
            members = data_members(archive)
    except (OSError, zipfile.BadZipFile) as error:
        message = f"{path} cannot be unpacked ({error}): export it again."
        raise IntakeError(message) from None
    if len(members) != 1:
        message = f"{path} holds {len(members)} files, and one was expected: unpack it, and name the files it holds."
        raise IntakeError(message)
    return members[0]
