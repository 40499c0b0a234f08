"""What the bytes of an export say about themselves: the name without its packing, and the encoding."""

import codecs
import gzip
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from data.errors import IntakeError
from data.importing.exports import data_members

_AT_ONCE = 4 * 2**20
_MOST_LOOKED_AT = 2**30
_ONE_BYTE = ("cp1252", "cp850", "mac-roman")
_COMMON = "äöüÄÖÜßéèêëàâáãåçñíìîïóòôõøúùûæœÅÆØÉÈÀÇÑÓŒ€£§°ºª«»’“”„–…\u00a0"
_CYRILLIC = "cp1251"
_IN_PAIRS = 0.6
_LETTERS = frozenset(_COMMON)
_ASCII = 0x7F
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

    A text that is no UTF-8 was written by Windows (cp1252), unless its bytes are letters in the code page of DOS or of
    the old Macintosh alone. Where most of them stand side by side, as in no Latin text, they are Cyrillic.

    >>> import io
    >>> [encoding_of(io.BytesIO("id,Größe".encode(name))) for name in ("utf-8", "cp1252", "utf-16", "utf-16-le")]
    [None, 'cp1252', 'utf-16', 'utf-16-le']
    """
    head = stream.read(_AT_ONCE)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if (wide := _wide(head)) is not None:
        return wide
    decoder, seen = codecs.getincrementaldecoder("utf-8")(), 0
    counted, in_pairs = np.zeros(256, np.int64), 0
    chunk, is_utf8 = head, True
    while chunk and seen < _MOST_LOOKED_AT:
        array = np.frombuffer(chunk, np.uint8)
        counted += np.bincount(array, minlength=256)
        in_pairs += int(np.count_nonzero((array[1:] > _ASCII) & (array[:-1] > _ASCII)))
        is_utf8 = is_utf8 and _decodes(decoder, chunk)
        seen += len(chunk)
        chunk = stream.read(_AT_ONCE)
    if is_utf8:
        return None
    return _one_byte(counted, in_pairs)


def _one_byte(counted: NDArray[np.int64], in_pairs: int) -> str:
    """Return the encoding of one byte a letter in which most bytes above ASCII are letters that texts have."""
    high = {byte: int(times) for byte, times in enumerate(counted) if byte > _ASCII and times}
    if in_pairs > _IN_PAIRS * sum(high.values()):
        return _CYRILLIC
    common = {
        name: sum(times for byte, times in high.items() if bytes([byte]).decode(name, errors="ignore") in _LETTERS)
        for name in _ONE_BYTE
    }
    return max(_ONE_BYTE, key=lambda name: common[name])


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
