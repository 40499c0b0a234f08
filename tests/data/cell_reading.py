"""Columns of a file read as an import reads them, by the words of a playbook and by what their cells prove."""

from collections.abc import Mapping
from dataclasses import replace

from data.reading.cells import Cells
from data.reading.column_profiles import profile_file
from data.reading.column_readings import ColumnReading
from data.reading.number_notation import NumberNotation, notation_of


def read_columns(file, columns: Mapping[str, tuple[str, object]], connection, zone):
    """
    Return the values of some columns; of one that is refused, None.

    Args:
        file: an opened export.
        columns: column → whether it holds a ``number``, a ``moment`` or a ``truth``, and the words for it.
        connection: has the macros of cells.
        zone: of wall clocks.
    """
    if not columns:
        return {}
    said = {name: ColumnReading(writing) for name, (_, writing) in columns.items()}
    numbers = [name for name, (reads, _) in columns.items() if reads == "number"]
    found = profile_file(connection, Cells(file.types, said), file.rows, instants=(), numbers=numbers, zone=zone)
    notations = {name: notation_of(said[name].writing, shapes) for name, shapes in found.numbers.items()}
    known = {name: each for name, each in notations.items() if isinstance(each, NumberNotation)}
    readings = said | {name: replace(said[name], notation=each) for name, each in known.items()}
    cells, rows = Cells(file.types, readings).over(file.rows, columns)
    wanted = {"number": cells.number, "truth": cells.yes_or_no, "moment": cells.instant}
    chosen = ", ".join(wanted[reads](name) for name, (reads, _) in columns.items())
    table = connection.execute(f"SELECT {chosen} FROM {rows} ORDER BY _row").fetchall()
    values = zip(*table, strict=True) if table else ([] for _ in columns)
    refused = set(notations) - set(known)
    return {name: None if name in refused else list(each) for name, each in zip(columns, values, strict=True)}
