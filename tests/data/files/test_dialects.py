"""The same table in every way that tools write it: read back equal, or refused in one sentence, never misread."""

import csv
import gzip
import io
import itertools
import json
import zipfile

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.errors import IntakeError
from data.files.export_file import ImportTools
from data.importing.exports import open_files
from data.progress import silent
from data.sql import quoted
from data.words.sources import LeadSource

TABLE = [
    ("id", "Größe", "note"),
    ("1", "1.234,56", 'said "yes"'),
    ("2", "", "Müller & Söhne; Köln"),
    ("3", "12,5", "two\nlines, and a comma"),
    ("4", "7", " blanks around "),
    ("5", "§ 3 é", "tab\there"),
]
ENCODINGS = {
    "utf-8": {}, "utf-8-sig": {}, "utf-16": {}, "utf-16-le": {"encoding": "utf-16-le"},
    "utf-16-be": {"encoding": "utf-16-be"}, "cp1252": {"encoding": "cp1252"}, "latin-1": {"encoding": "latin-1"},
}  # fmt: skip
DELIMITERS = [",", ";", "\t", "|"]
LINE_ENDS = ["\n", "\r\n", "\r"]
QUOTING = [csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]
AROUND = ["", "sep", "preamble", "footer", "blank lines"]
PACKED = ["", ".gz", ".zip"]


def written(table, *, delimiter, line_end, quoting, around):
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows(table)
    text = stream.getvalue()
    match around:
        case "sep":
            return f"sep={delimiter}{line_end}{text}", {}
        case "preamble":
            return f"Report of leads{line_end}made by hand{line_end}{text}", {"skip_lines": 2}
        case "footer":
            return f"{text}Total{delimiter * 2}5{line_end}", {"footer": 1}
        case "blank lines":
            return f"{line_end}{text}{line_end}{line_end}", {}
        case _:
            return text, {}


def packed(raw, kind):
    if kind == ".gz":
        return gzip.compress(raw, compresslevel=1)
    if kind == ".zip":
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr("folder/leads.csv", raw)
        return held.getvalue()
    return raw


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    with duckdb.connect() as connection:
        yield ImportTools(connection, tmp_path_factory.mktemp("scratch"), silent)


def opened(folder, name, raw, tools, **says):
    (folder / name).write_bytes(raw)
    return open_files(folder / name, LeadSource(file=name, holds="leads", **says), folder=folder, tools=tools)


def table_of(file, tools):
    columns = ", ".join(f"coalesce({quoted(name)}, '')" for name in file.types)
    return [tuple(file.types), *tools.connection.execute(f"SELECT {columns} FROM {file.rows} ORDER BY _row").fetchall()]


WAYS = list(itertools.product(DELIMITERS, LINE_ENDS, QUOTING, AROUND, PACKED))


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_way_of_writing_a_table_reads_back_equal(tmp_path, tools, encoding):
    """The seven encodings make 3,780 combinations."""
    require_equal(WAYS, encoding, tmp_path, tools)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_some_ways_of_writing_a_table_read_back_equal(tmp_path, tools, encoding):
    """Every eleventh way: no two of its five choices always go together."""
    require_equal(WAYS[list(ENCODINGS).index(encoding) :: 11], encoding, tmp_path, tools)


def require_equal(ways, encoding, tmp_path, tools):
    for number, (delimiter, line_end, quoting, around, pack) in enumerate(ways):
        table = [tuple(cell.replace("\n", line_end) for cell in row) for row in TABLE]
        text, says = written(table, delimiter=delimiter, line_end=line_end, quoting=quoting, around=around)
        raw = packed(text.encode(encoding), pack)
        way = (encoding, delimiter, line_end, quoting, around, pack)
        (file,) = opened(tmp_path, f"{number}.csv{pack}", raw, tools, **ENCODINGS[encoding], **says)
        assert table_of(file, tools) == table, way
        assert file.broken_lines.num_rows == 0, way


@pytest.mark.parametrize("said", [None, "utf-8", "cp1252", "latin-1", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_wrong_encoding_is_refused_or_shows(tmp_path, tools, encoding, said):
    """No letter is silently another one where the bytes can prove it: cp1252 and latin-1 cannot be told apart."""
    text, _ = written(TABLE, delimiter=";", line_end="\n", quoting=csv.QUOTE_ALL, around="")
    try:
        (file,) = opened(tmp_path, "leads.csv", text.encode(encoding), tools, **({"encoding": said} if said else {}))
    except IntakeError:
        return
    if "Größe" in file.types:
        assert table_of(file, tools) == TABLE
    else:
        assert said is not None, "a column that is not found under its name stops the run"


CELL = st.text(st.characters(codec="cp1252", exclude_characters="\x00\x1f\r\x81\x8d\x8f\x90\x9d"), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=5),
    encoding=st.sampled_from(list(ENCODINGS)),
    delimiter=st.sampled_from(DELIMITERS),
    line_end=st.sampled_from(["\n", "\r\n"]),
    pack=st.sampled_from(PACKED),
)
def test_any_table_reads_back_equal_or_is_refused(tmp_path_factory, tools, body, encoding, delimiter, line_end, pack):
    table = [("a", "b"), *body]
    text, _ = written(table, delimiter=delimiter, line_end=line_end, quoting=csv.QUOTE_ALL, around="")
    if encoding == "latin-1" and any(ord(letter) > 0xFF for letter in text):
        return
    raw = packed(text.encode(encoding), pack)
    (file,) = opened(
        tmp_path_factory.mktemp("t"), f"t.csv{pack}", raw, tools, delimiter=delimiter, **ENCODINGS[encoding]
    )
    read = table_of(file, tools)[1:]
    assert len(read) + file.broken_lines.num_rows == len(body)
    assert set(read) <= set(body)
    if file.broken_lines.num_rows:
        assert any("\n" in cell for row in body for cell in row), "only a cell whose lines look like rows is refused"


def test_rows_may_be_short_where_the_playbook_says_so(tmp_path, tools):
    raw = b"id,a,b\n1,x\n2,x,y\n3\n4,x,y,,\n5,x,y,z\n"
    (file,) = opened(tmp_path, "t.csv", raw, tools)
    assert table_of(file, tools)[1:] == [("2", "x", "y"), ("4", "x", "y")]
    assert file.broken_lines.column("line").to_pylist() == [2, 4, 6]
    (file,) = opened(tmp_path, "t.csv", raw, tools, short_rows="fill")
    assert [row[0] for row in table_of(file, tools)[1:]] == ["1", "2", "3", "4"]


NESTED = [{"id": 1, "properties": {"email": "a@b", "deep": {"x": True}}}, {"id": 2}]


@pytest.mark.parametrize(
    ("name", "raw", "says"),
    [
        ("a.json", json.dumps(NESTED), {}),
        ("a.json", json.dumps({"r": {"list": NESTED}}), {"records": "r.list"}),
        ("a.jsonl", '{"id": 1, "properties": {"email": "a@b", "deep": {"x": true}}}\n\n{"id": 2}\n', {}),
        ("a.json", '{"id": 1, "properties": {"email": "a@b", "deep": {"x": true}}}\n{"id": 2}\n', {}),
    ],
)  # fmt: skip
def test_nested_values_of_json_have_dotted_names(tmp_path, tools, name, raw, says):
    (file,) = opened(tmp_path, name, raw.encode(), tools, **says)
    wanted = ", ".join(quoted(column) for column in ("id", "properties.email", "properties.deep.x"))
    read = tools.connection.execute(f"SELECT {wanted} FROM {file.rows} ORDER BY _row").fetchall()
    assert read == [("1", "a@b", "true"), ("2", None, None)]
    assert file.count == 2


def test_lines_of_json_are_numbered_as_an_editor_does(tmp_path, tools):
    (file,) = opened(tmp_path, "a.jsonl", b'{"id": 1}\n\n{"id": "\xff"}\n{"id": 2}\n', tools)
    assert tools.connection.execute(f"SELECT _row, id FROM {file.rows} ORDER BY 1").fetchall() == [(1, "1"), (4, "2")]
    assert file.broken_lines.column("line").to_pylist() == [3]


@pytest.mark.parametrize(
    ("name", "raw", "why"),
    [
        ("a.json", b"[1,", "a.json is not JSON"),
        ("a.json", b'{"results": [1], "next": []}', "say which of its lists holds the rows, such as records: results"),
        (
            "a.csv",
            "id\n1\n".encode("utf-16-le"),
            "looks like UTF-16 without a byte order mark; say encoding: utf-16-le",
        ),
        ("a.csv", "id;Größe\n1;2\n".encode("cp1252"), "a.csv is not UTF-8 (line 1, its header)"),
        ("a.csv.gz", gzip.compress(b"id\n" + b"1\n" * 5000, mtime=0)[:-30], "a.csv.gz breaks off after line"),
        ("a.zip", b"PK\x03\x04 no archive", "a.zip cannot be read as zip"),
        ("a.csv", b" \n", "a.csv is empty"),
        ("a.csv", b"[" + b'{"id": 1} ' * 20_000 + b"]", "a.csv has no header: the 200,002 characters of its line 1"),
        ("a.csv", b"PAR1" + bytes(range(256)), "a.csv is Parquet, not text: name it .parquet"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(tmp_path, tools, name, raw, why):
    with pytest.raises(IntakeError) as error:
        opened(tmp_path, name, raw, tools)
    assert why in str(error.value)
    assert "\n" not in str(error.value)


def test_columns_that_share_a_name_are_told_apart(tmp_path, tools):
    (file,) = opened(tmp_path, "a.csv", b"id,Note,note\n1,x,y\n", tools)
    assert (list(file.types), file.doubled) == (["id", "Note", "note (2)"], {"Note", "note"})


@pytest.mark.parametrize("asked", ["leads.csv", "LEADS*.csv", "lead?.csv", "sub/*.csv"])
def test_files_are_found_whatever_the_case_of_their_suffix(tmp_path, asked):
    from data.importing.exports import find_files

    (tmp_path / "sub").mkdir()
    for name in ("leads.CSV", "LEADS2.Csv", "leadx.csv", "sub/a.CSV", "~$leads.csv", ".hidden.csv"):
        (tmp_path / name).write_text("id\n1\n")
    found = [path.name for path in find_files(tmp_path, LeadSource(file=asked, holds="leads"))]
    expected = {
        "leads.csv": ["leads.CSV"], "LEADS*.csv": ["LEADS2.Csv"], "lead?.csv": ["leads.CSV", "leadx.csv"],
        "sub/*.csv": ["a.CSV"],
    }  # fmt: skip
    assert found == expected[asked]
