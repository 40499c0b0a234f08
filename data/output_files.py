"""
Files that a user names with ``--out``: written whole, and never over somebody's work.

leadscore remembers the hash of each such file that it wrote. A file that still has that hash is replaced without a
word; any other file was changed by somebody, or is not leadscore's, and is replaced only with ``--overwrite``.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.atomic_files import new_file, sha256_of, write_whole
from data.errors import DataError
from data.home import Home


class OutputFileError(DataError):
    """A file that a user named cannot be written, or something in it would be lost."""


@contextmanager
def output_file(out: Path, home: Home, *, overwrite: bool = False) -> Iterator[Path]:
    """
    Open a draft beside a file, and put it in the file's place in one step if all went well.

    Args:
        out: the file; its folder is made if there is none.
        home: remembers what was written.
        overwrite: replace a file that was changed since leadscore wrote it, or that something else wrote.

    Raises:
        OutputFileError: the file would be lost, or cannot be written.
    """
    require_replaceable(out, home, overwrite=overwrite)
    try:
        with new_file(out) as draft:
            yield draft
            _remember(out, sha256_of(draft), home)
    except OSError as error:
        message = f"{out} cannot be written ({error.strerror or error}): name a file in a folder you may write to."
        raise OutputFileError(message) from None


def write_output(out: Path, content: bytes, home: Home, *, overwrite: bool = False, is_private: bool = False) -> None:
    """
    Write a file that a user named; one that holds the same already may be anybody's.

    Args:
        out: the file.
        content: what to write.
        home: remembers what was written there.
        overwrite: whether whatever the file holds may be lost.
        is_private: whether only this user may read it.

    Raises:
        OutputFileError: the file would be lost, or cannot be written.
    """
    is_same = out.is_file() and out.read_bytes() == content
    with output_file(out, home, overwrite=overwrite or is_same) as draft:
        if is_private:
            draft.touch(mode=0o600)
        draft.write_bytes(content)


def require_replaceable(out: Path, home: Home, *, overwrite: bool) -> None:
    """
    Check that writing a file loses nothing.

    Raises:
        OutputFileError: it is a folder, or holds something that leadscore did not write.
    """
    if out.is_dir():
        message = f"{out} is a folder: give --out the name of a file."
        raise OutputFileError(message)
    if out.is_file() and not overwrite and _remembered(home).get(_key(out)) != sha256_of(out):
        message = (
            f"{out} exists, and was changed or made by somebody else: name another file, or add --overwrite to "
            "replace it."
        )
        raise OutputFileError(message)


def _remember(out: Path, sha256: str, home: Home) -> None:
    known = {name: value for name, value in _remembered(home).items() if Path(name).exists()}
    write_whole(_record(home), json.dumps({**known, _key(out): sha256}, indent=2) + "\n")


def _remembered(home: Home) -> dict[str, str]:
    """Return the hashes of the files that leadscore wrote; nothing where that cannot be read, which loses no file."""
    try:
        known = json.loads(_record(home).read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _record(home: Home) -> Path:
    return home.kept / "data" / "store" / "output_files.json"


def _key(out: Path) -> str:
    return str(out.resolve())
