"""Files that leadscore did not make, or does not change: whether they name a person is found out, and nothing else."""

import gzip
import os
import re
import stat
import zlib
from codecs import getincrementaldecoder
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

NAMES, MAY_NAME = "names the lead", "may name the lead, since its form hides what it says"
LINK = "is a link, which was not followed, and may lead to what names the lead"
UNREADABLE = "cannot be read, and may name the lead"
_BLOCK_BYTES, _OVERLAP_BYTES = 2**20, 2**12
_SQLITE, _GZIP, _PARQUET = b"SQLite format 3\0", b"\x1f\x8b", b"PAR1"


class FileSearch:
    """
    A search for a person in files of any kind; in texts an id counts wherever it is no part of a longer word.

    Args:
        spellings: the ids, in all the ways in which files may spell them.
    """

    def __init__(self, spellings: Collection[str]) -> None:
        texts = sorted(spellings, key=len, reverse=True)
        plain = b"|".join(re.escape(text.encode("utf-8", "surrogatepass")) for text in texts)
        wide = b"|".join(re.escape(text.encode("utf-16-le", "surrogatepass")) for text in texts)
        self._bytes = re.compile(rb"(?<![\w-])(?:" + plain + rb")(?![\w-])|" + wide)
        self._anywhere = re.compile(plain + b"|" + wide)  # a database puts one text right after the other

    def finds_in(self, folder: Path) -> Iterator[tuple[Path, str]]:
        """Yield each file below a folder that names the person, or may, with words for that."""
        errors: list[OSError] = []
        for name, folders, files in os.walk(folder, onerror=errors.append):
            place = Path(name)
            for path in (place / each for each in sorted([*folders, *files])):
                if (found := self.finds_at(path)) is not None:
                    yield path, found
        for error in errors:
            if not isinstance(error, FileNotFoundError):
                yield Path(error.filename), UNREADABLE

    def finds_at(self, path: Path) -> str | None:
        """Return in words how a file holds the person; None if it does not, or is no file."""
        try:
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                return LINK
            return self._finds_in_file(path) if stat.S_ISREG(mode) else None
        except FileNotFoundError:  # somebody deleted it meanwhile
            return None
        except OSError:
            return UNREADABLE

    def _finds_in_file(self, path: Path) -> str | None:
        with path.open("rb") as file:
            start = file.read(_BLOCK_BYTES)
            file.seek(0)
            if start.startswith(_PARQUET):
                return self._finds_in_table(path)
            if start.startswith(_GZIP):
                return self._finds_in_packed(file)
            if self._finds_in_stream(file, self._anywhere if start.startswith(_SQLITE) else self._bytes):
                return NAMES
        return None if _hides_nothing(start) else MAY_NAME

    def _finds_in_packed(self, file: IO[bytes]) -> str | None:
        try:
            with gzip.open(file) as unpacked:
                start = unpacked.read(_BLOCK_BYTES)
                unpacked.seek(0)
                if self._finds_in_stream(unpacked, self._bytes):
                    return NAMES
            return None if _hides_nothing(start) else MAY_NAME
        except (OSError, EOFError, zlib.error):
            return MAY_NAME

    @staticmethod
    def _finds_in_stream(file: IO[bytes] | gzip.GzipFile, spelled: re.Pattern[bytes]) -> bool:
        before = b""
        while block := file.read(_BLOCK_BYTES):
            if spelled.search(before + block):
                return True
            before = block[-_OVERLAP_BYTES:]
        return False

    def _finds_in_table(self, path: Path) -> str | None:
        try:
            with pq.ParquetFile(path) as table:
                batches = table.iter_batches()
                return NAMES if any(self._is_in_batch(batch) for batch in batches) else None
        except (OSError, pa.ArrowException):
            return MAY_NAME

    def _is_in_batch(self, batch: pa.RecordBatch) -> bool:
        for column in batch.columns:
            values = column.unique() if pa.types.is_string(column.type) else column
            if any(self._bytes.search(_bytes(value)) for value in values.to_pylist() if value is not None):
                return True
        return False


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def _hides_nothing(start: bytes) -> bool:
    r"""
    Return whether a file's first bytes are text or a SQLite database, in which an id stands as it is.

    >>> _hides_nothing("Zoë".encode()), _hides_nothing(b"\x80\x81"), _hides_nothing(b"PK\0")
    (True, False, False)
    """
    if start.startswith(_SQLITE):
        return True
    try:
        getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return b"\0" not in start
