# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""Files that belong together: one table exported month by month is one source, named by a pattern."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from os.path import commonpath
from pathlib import Path

from data.drafting.file_samples import FileSample, SampleTools
from data.errors import IntakeError
from data.importing.name_dates import date_in_name
from data.sql import quoted

_DIGITS = re.compile(r"\d+")
_NAME_DATES = ("%Y-%m-%d", "%Y%m%d", "%Y_%m_%d", "%Y.%m.%d", "%d.%m.%Y", "%Y-%m", "%Y_%m", "%Y%m")


def common_folder(paths: Sequence[Path]) -> Path:
    """Return the folder that holds all files, some perhaps in folders inside it."""
    return Path(commonpath([path.parent for path in paths]))


def joined_series(samples: Sequence[FileSample], tools: SampleTools) -> list[FileSample]:
    """
    Join the samples of files whose names differ only in digits and whose columns are the same.

    Args:
        samples: of all files.
        tools: the connection that holds them.

    Returns:
        The samples; of each such series the first, with the rows of all, named by a pattern with ``*``.
    """
    series: dict[object, list[FileSample]] = {}
    for sample in samples:
        series.setdefault(_key(sample), []).append(sample)
    return [sample for parts in series.values() for sample in _joined(parts, tools)]


def _key(sample: FileSample) -> object:
    """Return what the files of a series have in common; a file whose pattern fits others, too, stands alone."""
    pattern = _pattern(sample.path)
    written = (
        sample.columns,
        sample.format,
        sample.encoding,
        sample.delimiter,
        sample.skip_lines,
        sample.records,
        sample.sheet,
    )
    return (pattern, written) if pattern.name != sample.path.name else sample.path


def _pattern(path: Path) -> Path:
    return path.with_name(_DIGITS.sub("*", path.name))


def _joined(parts: Sequence[FileSample], tools: SampleTools) -> list[FileSample]:
    first, pattern = parts[0], _pattern(parts[0].path)
    fitting = {path.resolve() for path in pattern.parent.glob(pattern.name)}
    if len(parts) == 1 or fitting != {part.path.resolve() for part in parts}:
        return list(parts)
    names = ", ".join(quoted(name) for name in ("_row", *first.columns))
    name_dates, days = _dates_of([part.path.name for part in parts])
    tools.connection.execute(f"ALTER TABLE {first.table} ADD COLUMN _day DATE")
    tools.connection.execute(f"UPDATE {first.table} SET _day = ?", [days[0]])
    for part, day in zip(parts[1:], days[1:], strict=True):
        dated = f"SELECT {names}, ?::DATE AS _day FROM {part.table}"
        tools.connection.execute(f"INSERT INTO {first.table} BY NAME {dated}", [day])
    shown = Path(first.shown).with_name(pattern.name).as_posix()
    is_whole = all(part.is_whole for part in parts)
    rows = sum(part.rows for part in parts)
    return [replace(first, path=pattern, shown=shown, rows=rows, is_whole=is_whole, name_dates=name_dates)]


def _dates_of(names: Sequence[str]) -> tuple[str | None, list[date | None]]:
    """Return the format of the dates in the names of files, and these; the first one that reads a day in each."""
    for given in _NAME_DATES:
        try:
            days: list[date | None] = [date_in_name(name, given) for name in names]
        except IntakeError:
            continue
        if len(set(days)) == len(names):
            return given, days
    return None, [None] * len(names)
