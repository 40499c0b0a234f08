"""
Files and folders that are written whole: a reader sees the old content or the new, never half of either.

Everything is written to a draft beside its place, flushed to the disk and renamed, which file systems do in one step.
A draft's name begins with a dot and the name of its place: whoever finds one older than an hour may delete it.
"""

import contextlib
import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def write_whole(path: Path, content: str | bytes) -> None:
    """
    Write a file in one step; it is on the disk when this returns.

    Args:
        path: its folder is made if there is none.
        content: text is written as UTF-8.
    """
    with new_file(path) as draft:
        draft.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """
    Yield the path of a draft to write, and put it in place if the block ends well.

    Args:
        path: its folder is made if there is none; a file that stands there is replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _beside(path)
    try:
        yield draft
        sync(draft)
        draft.replace(path)
        sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def new_folder(place: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """
    Yield an empty folder to write into, and put it in place if the block ends well.

    Otherwise, and if the process is interrupted, the place looks as it did before.

    Args:
        place: where the folder will stand.
        overwrite: whether a folder that stands there is replaced; else it is an error.

    Raises:
        OSError: the folder cannot be written, or one stands there that must not be replaced.
    """
    draft, old = _beside(place), _beside(place)
    draft.mkdir(parents=True)
    try:
        yield draft
        _sync_all(draft)
        if overwrite:
            with contextlib.suppress(FileNotFoundError):
                place.rename(old)
        draft.rename(place)
        sync(place.parent)
    finally:
        if old.exists() and not place.exists():
            old.rename(place)
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def append_line(path: Path, line: bytes) -> None:
    """
    Append a line to a file, on the disk when this returns; or leave the file as it was.

    Args:
        path: a file of lines, made if there is none; its last line may lack its end, after a crash.
        line: without its end.
    """
    with path.open("a+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        try:
            start = b"\n" if _is_torn(file, size) else b""
            _write_all(file, start + line + b"\n")
        except OSError:
            with contextlib.suppress(OSError):
                file.truncate(size)
            raise


def sha256_of(path: Path) -> str:
    """Return the hash of a file's content, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Wait until a file, or the list of names in a folder, is on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _beside(path: Path) -> Path:
    """Return a name beside a path that no other process or thread uses."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}")


def _sync_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        sync(path)


def _write_all(file: IO[bytes], content: bytes) -> None:
    if file.write(content) != len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(file.fileno())


def _is_torn(file: IO[bytes], size: int) -> bool:
    """Return whether the last line was left without its end."""
    if size == 0:
        return False
    file.seek(size - 1)
    return file.read(1) != b"\n"
