"""The bytes of an export as text: its encoding found, its packing taken off, and what DuckDB cannot read made plain."""

import codecs
import gzip
import io
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from data.errors import IntakeError

_AT_ONCE = 4 * 2**20
_MOST_LOOKED_AT = 2**30
_NEVER_IN_CP1252 = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
_FEW_NULS = 0.2


@dataclass(frozen=True, slots=True)
class PlainText:
    """
    An export as a UTF-8 file that DuckDB reads.

    Attributes:
        path: the export itself, or a copy in plain UTF-8.
        name: what says the format: the export's name, or that of the file packed in it.
        encoding: the export's own, where that is not UTF-8.
    """

    path: Path
    name: str
    encoding: str | None


def plain_text(path: Path, scratch: Path) -> PlainText:
    """
    Make an export readable for DuckDB.

    Args:
        path: a text file, also packed as ``.gz`` or ``.zip``.
        scratch: folder for copies.

    Raises:
        IntakeError: the archive is damaged, or holds no file or several.
    """
    name = packed_name(path)
    try:
        with _opened(path) as stream:
            encoding = encoding_of(stream)
        if encoding is None and path.suffix.lower() != ".zip":
            return PlainText(path, name, None)
        copy = scratch / f"{len(list(scratch.iterdir()))}-{Path(name).name}"
        with _opened(path) as stream, copy.open("w", encoding="utf-8", newline="") as target:
            shutil.copyfileobj(codecs.getreader(encoding or "utf-8-sig")(stream, "replace"), target, _AT_ONCE)
    except (EOFError, OSError, zipfile.BadZipFile) as error:
        message = f"{path} cannot be unpacked ({error}): export it again."
        raise IntakeError(message) from None
    return PlainText(copy, name, encoding)


def open_text(path: Path) -> IO[str]:
    """Open a UTF-8 file, also packed as ``.gz``, without changing its ends of lines."""
    packed = path.suffix.lower() == ".gz"
    raw = cast("IO[bytes]", gzip.GzipFile(path)) if packed else path.open("rb")
    return io.TextIOWrapper(raw, "utf-8-sig", newline="")


def packed_name(path: Path) -> str:
    """
    Return the name that says the format of a file, without its packing.

    Raises:
        IntakeError: an archive holds no file or several.
    """
    if path.suffix.lower() == ".gz":
        return path.name[: -len(".gz")]
    return _only_member(path) if path.suffix.lower() == ".zip" else path.name


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


def _only_member(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist() if _is_data(info)]
    except (OSError, zipfile.BadZipFile) as error:
        message = f"{path} cannot be unpacked ({error}): export it again."
        raise IntakeError(message) from None
    if len(names) != 1:
        message = f"{path} holds {len(names)} files, and one was expected: unpack it, and name the files it holds."
        raise IntakeError(message)
    return names[0]


def _is_data(info: zipfile.ZipInfo) -> bool:
    return not info.is_dir() and not info.filename.startswith(("__MACOSX/", "."))


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(_only_member(path)) as member:
            yield member
        return
    with path.open("rb") as raw:
        yield cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if path.suffix.lower() == ".gz" else raw
