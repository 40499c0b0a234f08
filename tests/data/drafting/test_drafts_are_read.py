"""What a draft says of how files are written, the import reads: encodings, German dates and numbers, workbooks."""

import pytest

from data.drafting.commands import draft_from
from data.home import Home
from data.importing.warehouse import import_history
from data.words.playbook import load_playbook
from data.workspace import Workspace
from tests.data.company import rows
from tests.data.files.test_workbook import workbook

LEADS = [
    ["Lead ID", "Angelegt", "Größe", "Ort"],
    *([f"L{n}", f"{n + 13}.01.2025 09:30", f"1.{n}00,50", "Köln"] for n in range(1, 9)),
]
WON = [["lead", "stage", "reached_at"], *([f"L{n}", "won", f"{n + 13}.03.2025"] for n in range(1, 5))]


def as_csv(table, encoding):
    return ("\r\n".join(";".join(row) for row in table) + "\r\n").encode(encoding)


@pytest.mark.parametrize("kind", ["cp1252", "utf-16", "xlsx"])
def test_a_draft_of_german_files_is_read(tmp_path, kind):
    files = tmp_path / "files"
    files.mkdir()
    for name, table in (("leads", LEADS), ("won", WON)):
        is_book = kind == "xlsx"
        raw = workbook(Liste=table, Notizen=[["x"]]) if is_book else as_csv(table, kind)
        (files / f"{name}.{'xlsx' if is_book else 'csv'}").write_bytes(raw)
    draft_from(sorted(files.iterdir()), out=tmp_path / "acme")
    playbook = load_playbook(tmp_path / "acme")
    warehouse = import_history(Workspace(playbook, Home(tmp_path / "home")))
    assert warehouse.rows["leads"] == 8
    assert [lead for (lead,) in rows(warehouse, "outcomes", "lead_id")] == ["L1", "L2", "L3", "L4"]
    (size,) = (name for name, each in playbook.business.attributes.items() if each.type.value == "numeric")
    assert rows(warehouse, "leads", size)[0] == (1100.5,)
