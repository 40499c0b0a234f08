"""The bytes of a text file as UTF-8, whatever it is packed with and encoded in."""

import codecs
import gzip
import re
from pathlib import Path

import numpy as np

from data.errors import IntakeError
from data.files.csv_records import Bytes
from data.files.export_file import ImportTools

_GZIP = b"\x1f\x8b"
_UTF8_MARK = codecs.BOM_UTF8
_WIDE_MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32"}
_WIDE_MARKS |= {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_PIECE = 1 << 20
_LOOKED_AT = 4096
_MANY_NULS = 0.2
_NO_TEXT = {
    b"PK\x03\x04": "a zip archive or a workbook, not text: name it .zip or .xlsx",
    b"\xd0\xcf\x11\xe0": "an old workbook or a locked one, not text: save it as .xlsx without a password",
    b"PAR1": "Parquet, not text: name it .parquet",
    b"%PDF": "a PDF, not text: export the table as CSV",
}
_CONTROLS = re.compile(rb"[\x80-\x9f]")
"""What latin-1 has control characters for, which no export holds, and Windows quotation marks, dashes and the euro."""
_PAGES = (b"<!doctype html", b"<html", b"<table", b"<?xml")


def utf8_bytes(path: Path, encoding: str | None, *, shown: str, tools: ImportTools) -> Bytes:
    """
    Return the bytes of a text file as UTF-8, unpacked, without a byte order mark.

    Args:
        path: the file; packed by gzip if its first bytes say so.
        encoding: what the playbook says; without one it is UTF-8, or what a byte order mark proves.
        shown: its name in reports.
        tools: where to keep what had to be unpacked or converted.

    Returns:
        (n,) the bytes [uint8], mapped from disk.

    Raises:
        IntakeError: the file is cut off, is empty, or is not in that encoding; says what to do.
    """
    plain = _unpacked(path, shown=shown, tools=tools)
    with plain.open("rb") as file:
        head = file.read(_LOOKED_AT)
    if not head.strip():
        message = f"{shown} is empty: export it again, or remove the source from playbook.yaml."
        raise IntakeError(message)
    _require_text(head, shown)
    codec = encoding or next((name for mark, name in _WIDE_MARKS.items() if head.startswith(mark)), "utf-8")
    if encoding is None and codec == "utf-8" and (order := _order_of_pairs(head)) is not None:
        message = f"{shown} is not UTF-8: it looks like UTF-16 without a byte order mark; say encoding: utf-16-{order}."
        raise IntakeError(message)
    if codecs.lookup(codec).name in {"utf-8", "utf-8-sig"}:
        raw: Bytes = np.memmap(plain, dtype=np.uint8, mode="r")
        return raw[len(_UTF8_MARK) :] if head.startswith(_UTF8_MARK) else raw
    return np.memmap(_converted(plain, codec, shown=shown, tools=tools), dtype=np.uint8, mode="r")


def _require_text(head: bytes, shown: str) -> None:
    """Refuse what is no text, whatever its suffix says."""
    kind = next((says for begin, says in _NO_TEXT.items() if head.startswith(begin)), None)
    if head.removeprefix(_UTF8_MARK).lstrip().lower().startswith(_PAGES):
        kind = "a web page or other XML, such as one that asks to sign in: export the table again, as CSV"
    if kind is not None:
        message = f"{shown} is {kind}."
        raise IntakeError(message)


def _order_of_pairs(head: bytes) -> str | None:
    """Return which byte of each pair comes first in UTF-16 without a mark, where one of the two is often zero."""
    first, second = (head[at::2].count(0) / max(len(head[at::2]), 1) for at in (0, 1))
    if max(first, second) < _MANY_NULS:
        return None
    return "be" if first > second else "le"


def _unpacked(path: Path, *, shown: str, tools: ImportTools) -> Path:
    with path.open("rb") as file:
        if file.read(len(_GZIP)) != _GZIP:
            return path
    target = tools.new_path("txt")
    try:
        with gzip.open(path) as packed, target.open("wb") as plain:
            while piece := packed.read1(_PIECE):
                plain.write(piece)
    except EOFError as error:
        lines = _count_lines(target)
        message = f"{shown} breaks off after line {lines:,} ({error}): it was cut or damaged; export it again."
        raise IntakeError(message) from None
    return target


def _converted(path: Path, codec: str, *, shown: str, tools: ImportTools) -> Path:
    decoder = codecs.getincrementaldecoder(codec)()
    target = tools.new_path("txt")
    size, lines, is_first = path.stat().st_size, 1, True
    is_latin = codecs.lookup(codec).name == "iso8859-1"
    try:
        with path.open("rb") as file, target.open("wb") as converted:
            while piece := file.read(_PIECE):
                text = decoder.decode(piece)
                if is_latin and (found := _CONTROLS.search(piece)):
                    lines += piece[: found.start()].count(b"\n")
                    raise UnicodeDecodeError(codec, piece, found.start(), found.end(), "a control character")
                if is_first and text:
                    text, is_first = text.removeprefix("\ufeff"), False
                lines += text.count("\n")
                converted.write(text.encode())
                tools.progress(f"converting {shown}", file.tell(), size)
            decoder.decode(b"", final=True)
    except UnicodeError as error:
        wrong = getattr(error, "object", b"")[getattr(error, "start", 0) :][:1].hex().upper()
        byte = f" (byte 0x{wrong})" if wrong else ""
        message = (
            f"{shown} is not {codec} after line {lines:,}{byte}: say its encoding in playbook.yaml, such as"
            " encoding: cp1252 for files that Excel wrote on Windows."
        )
        raise IntakeError(message) from None
    return target


def _count_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(_PIECE), b""))
