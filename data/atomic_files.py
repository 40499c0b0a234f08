"""
Files and folders that are written whole: a reader sees the old content or the new, never half of either.

Everything is written to a draft beside its place, flushed to the disk and renamed, which file systems do in one step.
A draft's name begins with a dot and the name of its place. A folder of drafts holds a mark that names it, so that what
a killed process left behind is told from whatever somebody else put there.
"""

import contextlib
import errno
import hashlib
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

DRAFT_MARK = ".leadscore-draft"
"""A file in each folder of drafts; it holds the folder's name."""
_RANDOM = re.compile(r"\.[0-9a-f]{12}")


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


def drafts_of(path: Path) -> list[Path]:
    """Return the drafts that processes left beside a file, and nothing else that is named after it."""
    start = f".{path.name}"
    beside = [draft for draft in path.parent.glob(f"{start}.*") if _RANDOM.fullmatch(draft.name.removeprefix(start))]
    return sorted(draft for draft in beside if draft.is_file() and not draft.is_symlink())


@contextmanager
def new_folder(place: Path, *, overwrite: bool = False, only: Collection[str] | None = None) -> Iterator[Path]:
    """
    Yield an empty folder to write into, and put it in place if the block ends well.

    Otherwise, and if the process is interrupted, the place looks as it did before.

    Args:
        place: where the folder will stand.
        overwrite: whether a folder that stands there is replaced; else it is an error.
        only: the names that a folder may hold to be replaced; default: any.

    Raises:
        OSError: the folder cannot be written, or one stands there that must not be replaced.
    """
    _require_only(place, only)
    drafts = _beside(place)
    drafts.mkdir(parents=True)
    draft, old = drafts / "new", drafts / "old"
    try:
        _mark(drafts)
        draft.mkdir()
        yield draft
        _sync_all(draft)
        _require_only(place, only)
        if overwrite:
            with contextlib.suppress(FileNotFoundError):
                place.rename(old)
        draft.rename(place)
        sync(place.parent)
    finally:
        if old.exists() and not place.exists():
            old.rename(place)
        shutil.rmtree(drafts, ignore_errors=True)


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Yield a folder of drafts that is deleted afterwards, whatever happens."""
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=parent, ignore_cleanup_errors=True) as name:
        _mark(Path(name))
        yield Path(name)


def holds_drafts(folder: Path) -> bool:
    """Return whether a folder was made for drafts: its mark names it."""
    mark = folder / DRAFT_MARK
    if any(path.is_symlink() for path in (folder, mark)) or not mark.is_file():
        return False
    try:
        return mark.read_text(encoding="utf-8") == folder.name
    except (OSError, UnicodeDecodeError):
        return False


def _mark(drafts: Path) -> None:
    (drafts / DRAFT_MARK).write_text(drafts.name, encoding="utf-8")


def _require_only(place: Path, names: Collection[str] | None) -> None:
    """Check that replacing a folder loses nothing but what these names hold."""
    if names is None or not os.path.lexists(place):
        return
    if place.is_symlink() or not place.is_dir():
        message = "leadscore needs a folder of this name, and did not write what stands there: move it away"
        raise FileExistsError(errno.EEXIST, message, str(place))
    foreign = sorted(path.name for path in place.iterdir() if path.name not in names)
    if foreign:
        message = f"it holds {foreign[0]}, which leadscore did not write: move that away"
        raise FileExistsError(errno.EEXIST, message, str(place))


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
