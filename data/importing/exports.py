"""The files of a company's exports: found by their names, opened by their formats."""

import difflib
import fnmatch
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import duckdb

from data.errors import IntakeError
from data.files.column_files import open_parquet, open_xes
from data.files.csv_file import open_csv
from data.files.export_file import ExportFile, ImportTools
from data.files.json_file import open_json, open_jsonl
from data.words.row_words import Lookup
from data.words.sources import FileSource
from data.words.writing import CellWriting, FileWriting

FORMATS = {
    "csv": "csv", "tsv": "csv", "txt": "csv", "parquet": "parquet", "jsonl": "jsonl", "ndjson": "jsonl",
    "json": "json", "xlsx": "xlsx", "xlsm": "xlsx", "xes": "xes",
}  # fmt: skip
"""Suffix of a file → what it is read as."""

_OTHER_WORKBOOKS = {"xls", "xlsb", "ods", "numbers"}
_PACKED = {".gz", ".zip"}
_WILD = "*?"
_NOT_EXPORTS = (".", "~$")
_UNREADABLE = (duckdb.DataError, duckdb.IOException, duckdb.InvalidInputException, duckdb.SerializationException)


def find_files(folder: Path, source: FileSource | Lookup) -> list[Path]:
    """
    Find the files of a source; the case of a suffix makes no difference.

    Raises:
        IntakeError: there are none.
    """
    if any(mark in source.file for mark in _WILD):
        paths = sorted(path for path in _matching(folder, source.file) if path.is_file())
    else:
        wanted = folder / source.file
        others = wanted.parent.iterdir() if wanted.parent.is_dir() else iter(())
        alike = [path for path in others if _folded(path.name) == _folded(wanted.name)]
        paths = [wanted] if wanted.is_file() else sorted(path for path in alike if path.is_file())[:1]
    if not paths:
        raise IntakeError(_missing(folder, source))
    return paths


def _matching(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield the files that match, those of editors and of the system left out."""
    *inside, last = PurePosixPath(pattern).parts
    for parent in folder.glob("/".join(inside)) if inside else [folder]:
        for path in parent.iterdir() if parent.is_dir() else ():
            if fnmatch.fnmatchcase(_folded(path.name), _folded(last).replace("[", "[[]")) and not path.name.startswith(
                _NOT_EXPORTS
            ):
                yield path


def _folded(name: str) -> str:
    """
    Return a name with its suffixes in small letters.

    >>> _folded("Leads.CSV.GZ")
    'Leads.csv.gz'
    """
    stem, dot, suffixes = name.partition(".")
    return f"{stem}{dot}{suffixes.lower()}"


def open_files(path: Path, source: FileSource | Lookup, *, folder: Path, tools: ImportTools) -> list[ExportFile]:
    """
    Open one file of a source, or all that a zip archive holds, whatever the format.

    Raises:
        IntakeError: it is empty, damaged, or not in the format that its name or the playbook says.
    """
    shown = path.relative_to(folder).as_posix()
    if path.suffix.lower() == ".zip":
        with reading(shown, "zip"):
            members = _unzipped(path, shown, tools)
        return [_open(member, f"{shown}/{name}", source, tools) for name, member in members]
    return [_open(path, shown, source, tools)]


@dataclass(frozen=True, slots=True)
class FileOpener:
    """Opens the files of one import, each once, however many sources and lookups name it."""

    tools: ImportTools
    _opened: dict[tuple[Path, str], list[ExportFile]] = field(default_factory=dict)

    def open(self, path: Path, source: FileSource | Lookup, *, folder: Path) -> list[ExportFile]:
        """Open a file as `open_files` does, or return what it gave before by the same words for the file."""
        of_cells = set(CellWriting.model_fields) | {"written"}
        words = {name: getattr(source, name) for name in FileWriting.model_fields if name not in of_cells}
        key = path, f"{source.format} {words}"
        if key not in self._opened:
            self._opened[key] = open_files(path, source, folder=folder, tools=self.tools)
        return self._opened[key]


def _open(path: Path, shown: str, source: FileSource | Lookup, tools: ImportTools) -> ExportFile:
    kind = source.format or format_of(path)
    with reading(shown, kind):
        return _opener(kind)(path, shown=shown, writing=source, tools=tools)


def first_sheet(path: Path, shown: str) -> str | None:
    """
    Return the first sheet of a workbook with several, nothing where there is one alone.

    Raises:
        IntakeError: it cannot be read, has macros, or is locked.
    """
    from data.files.workbook import sheet_names  # noqa: PLC0415 - as below

    names = sheet_names(path, shown)
    return names[0] if len(names) > 1 else None


def first_rows(path: Path, shown: str, sheet: str | None) -> list[list[str]]:
    """
    Return the first rows of a workbook's sheet, empty cells at their ends left out.

    Raises:
        IntakeError: it cannot be read, has macros, or is locked.
    """
    from data.files.workbook import leading_rows  # noqa: PLC0415 - as below

    return leading_rows(path, shown, sheet)


def _opener(kind: str) -> Callable[..., ExportFile]:
    if kind == "xlsx":
        from data.files.workbook import open_workbook  # noqa: PLC0415 - needed by those alone who have workbooks

        return open_workbook
    return {"csv": open_csv, "jsonl": open_jsonl, "json": open_json, "parquet": open_parquet, "xes": open_xes}[kind]


def data_members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files of an archive, those of editors and of the system left out."""
    named = [(info, PurePosixPath(info.filename)) for info in archive.infolist() if not info.is_dir()]
    return [info for info, name in named if name.parts[0] != "__MACOSX" and not name.name.startswith(_NOT_EXPORTS)]


def _unzipped(path: Path, shown: str, tools: ImportTools) -> list[tuple[str, Path]]:
    """Unpack an archive's files into the scratch folder; what an archive names is never used as a path."""
    members = []
    with zipfile.ZipFile(path) as archive:
        for info in data_members(archive):
            name = PurePosixPath(info.filename).name
            target = tools.new_path("".join(PurePosixPath(name).suffixes[-2:]).lower().lstrip(".") or "txt")
            with archive.open(info) as packed, target.open("wb") as plain:
                while piece := packed.read(1 << 20):
                    plain.write(piece)
            members.append((name, target))
    if not members:
        message = f"{shown} holds no files: pack the export again."
        raise IntakeError(message)
    return members


@contextmanager
def reading(shown: str, kind: str) -> Iterator[None]:
    """Report a damaged file in one sentence; other DuckDB errors would be our own mistakes."""
    try:
        yield
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise _damaged(shown, kind, error) from None
    except duckdb.Error as error:
        if not isinstance(error, _UNREADABLE) and type(error) is not duckdb.Error:
            raise
        raise _damaged(shown, kind, error) from None


def _damaged(shown: str, kind: str, error: Exception) -> IntakeError:
    why = str(error).strip().split("\n", maxsplit=1)[0]
    return IntakeError(f"{shown} cannot be read as {kind} ({why}): export it again, or set its format in the playbook.")


def _missing(folder: Path, source: FileSource | Lookup) -> str:
    there = [path.name for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    by_small_letters = {name.lower(): name for name in there}
    alike = difflib.get_close_matches(source.file.lower(), by_small_letters, n=1)
    if alike:
        return f"{source.file} is not in {folder}; did you mean {by_small_letters[alike[0]]}?"
    return (
        f"{source.file} is not in {folder}: put the export there, or name another folder. `leadscore simulate` makes"
        " the demo's exports; the bpi2012 log is read from the folder in LEADSCORE_DATASETS."
    )


def format_of(path: Path) -> str:
    """
    Return what a file is read as, by its suffix.

    Raises:
        IntakeError: the suffix is of no known format.

    >>> format_of(Path("Leads.CSV.gz"))
    'csv'
    """
    suffixes = [suffix.removeprefix(".").lower() for suffix in path.suffixes if suffix.lower() not in _PACKED]
    kind = FORMATS.get(suffixes[-1]) if suffixes else None
    if kind is None and suffixes and suffixes[-1] in _OTHER_WORKBOOKS:
        message = f"{path.name} is a workbook of a kind that is not read: save it as .xlsx."
        raise IntakeError(message)
    if kind is None:
        message = f"{path.name} has no suffix of a known format: set format to csv, parquet, jsonl, json, xlsx or xes."
        raise IntakeError(message)
    return kind
