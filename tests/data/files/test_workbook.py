"""Sheets of workbooks: real dates and numbers, the right sheet, and refusals in one sentence."""

import io
import zipfile

import duckdb
import pytest

from data.errors import IntakeError
from data.files.export_file import ImportTools
from data.importing.exports import open_files
from data.progress import silent
from data.words.sources import LeadSource
from tests.data.company import company, imported, rows

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STYLES = f"""<styleSheet {MAIN}><fonts><font/></fonts><fills><fill/></fills><borders><border/></borders>
<cellStyleXfs><xf/></cellStyleXfs>
<cellXfs><xf numFmtId="0"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>"""
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def cell(value):
    """Write a cell: text in place, a number, a truth, or a date as Excel's number of days with the style of a date."""
    match value:
        case None:
            return "<c/>"
        case bool():
            return f'<c t="b"><v>{int(value)}</v></c>'
        case ("date", days):
            return f'<c s="1"><v>{days}</v></c>'
        case int() | float():
            return f"<c><v>{value}</v></c>"
        case _:
            return f'<c t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'


def workbook(**sheets):
    """Return the bytes of a workbook with these sheets, each a list of rows."""
    numbered = list(enumerate(sheets, start=1))
    listed = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in numbered)
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{LINKS}/worksheet" Target="worksheets/s{n}.xml"/>' for n, _ in numbered
    )
    links += f'<Relationship Id="rId99" Type="{LINKS}/styles" Target="styles.xml"/>'
    types = "".join(
        f'<Override PartName="/xl/worksheets/s{n}.xml" ContentType="{SHEET_TYPE}.worksheet+xml"/>' for n, _ in numbered
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        f'<Default Extension="xml" ContentType="application/xml"/>'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{SHEET_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{SHEET_TYPE}.styles+xml"/>{types}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{LINKS}/officeDocument"'
        f' Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{LINKS}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{links}</Relationships>',
        "xl/styles.xml": STYLES,
    }
    for number, content in enumerate(sheets.values(), start=1):
        lines = "".join(f"<row>{''.join(cell(value) for value in line)}</row>" for line in content)
        parts[f"xl/worksheets/s{number}.xml"] = f"<worksheet {MAIN}><sheetData>{lines}</sheetData></worksheet>"
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{part}')
    return held.getvalue()


LEADS = [["lead_id", "created_at", "size"], ["ann", ("date", 46023.5), 12], ["bob", ("date", 46024), 0.5]]


def test_real_dates_and_numbers_are_read(tmp_path):
    attributes = {"size": {"type": "numeric", "says": "has {value} employees"}}
    source = {"file": "leads.XLSX", "holds": "leads"}
    warehouse = imported(company(tmp_path, {"leads.XLSX": workbook(Leads=LEADS)}, [source], attributes=attributes))
    assert rows(warehouse, "leads", "lead_id", "created_at", "size") == [
        ("ann", "2026-01-01T12:00:00Z", 12.0),
        ("bob", "2026-01-02T00:00:00Z", 0.5),
    ]


def opened(folder, raw, *, name="leads.xlsx", **says):
    (folder / name).write_bytes(raw)
    with duckdb.connect() as connection:
        tools = ImportTools(connection, folder, silent)
        (file,) = open_files(folder / name, LeadSource(file=name, holds="leads", **says), folder=folder, tools=tools)
        return list(file.types), connection.execute(f"SELECT * FROM {file.rows}").fetchall()


def test_rows_are_numbered_as_the_spreadsheet_does(tmp_path):
    sheet = [["Report"], [], ["id", "ok", ""], ["007", True, None], [], [7, False, None], ["Total", 2]]
    columns, read = opened(tmp_path, workbook(A=sheet), skip_lines=1, footer=1)
    assert columns == ["id", "ok"]
    assert read == [(4, "007", "true"), (6, "7", "false")]


def test_the_playbook_names_the_sheet(tmp_path):
    raw = workbook(First=[["id"], ["1"]], Second=[["id"], ["2"]])
    assert opened(tmp_path, raw, sheet="Second")[1] == [(2, "2")]
    with pytest.raises(
        IntakeError, match=r"leads.xlsx has 2 sheets: say which, as sheet: First; there are First, Second."
    ):
        opened(tmp_path, raw)
    with pytest.raises(IntakeError, match=r"leads.xlsx has no sheet Third: there are First, Second."):
        opened(tmp_path, raw, sheet="Third")


@pytest.mark.parametrize(
    ("name", "raw", "why"),
    [
        ("leads.xlsm", workbook(A=[["id"], ["1"]]), "leads.xlsm is a workbook with macros: save it as .xlsx."),
        ("leads.xlsx", b"no workbook", "leads.xlsx cannot be read as a workbook"),
        ("leads.xlsx", workbook(A=[]), "leads.xlsx has no header"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, name, raw, why):
    with pytest.raises(IntakeError, match=why):
        opened(tmp_path, raw, name=name)
