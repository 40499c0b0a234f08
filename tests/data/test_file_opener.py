"""A file is read once in an import, however many sources and lookups name it."""

import duckdb

from data.files.export_file import ImportTools
from data.home import Home
from data.importing.exports import FileOpener
from data.importing.warehouse import import_history
from data.progress import silent
from data.words.row_words import Lookup
from data.words.sources import ActivitySource, LeadSource
from data.workspace import Workspace
from tests.data.company import LEADS, company

PEOPLE = LeadSource(file="people.csv", holds="leads")
SEEN = {"match": {"a": "b"}, "take": {"c": "d"}}


def opened(folder, *words):
    """Open one file by the words of several sources, and say which of them gave the same opened file."""
    (folder / "people.csv").write_text("lead_id,created_at\nann,2026-01-01\n")
    scratch = folder / "scratch"
    scratch.mkdir()
    with duckdb.connect() as connection:
        opener = FileOpener(ImportTools(connection, scratch, silent))
        files = [opener.open(folder / "people.csv", each, folder=folder) for each in words]
    return [files.index(each) for each in files], len(list(scratch.iterdir()))


def test_the_words_for_cells_do_not_matter(tmp_path):
    """A source and a lookup that read other blanks and dates share what was read of the file."""
    lookup = Lookup(file="people.csv", empty=("?",), written={"x": {"decimal": ","}}, **SEEN)
    calls = ActivitySource(file="people.*", holds="activities", kind="call", date_format="us")
    assert opened(tmp_path, PEOPLE, lookup, calls) == ([0, 0, 0], 1)


def test_the_words_for_the_file_do(tmp_path):
    ways = [{"delimiter": ";"}, {"skip_lines": 1}, {"encoding": "latin-1"}, {"footer": 1}, {"format": "csv"}]
    assert opened(tmp_path, PEOPLE, *(Lookup(file="people.csv", **SEEN, **way) for way in ways))[0] == [0, *range(1, 6)]


def test_an_import_reads_a_file_once(tmp_path):
    """Three lookups in the file of the leads: it is converted from its encoding once, and all meet its rows."""
    reads = []
    lookups = [
        {"file": "leads.csv", "match": {"lead_id": "lead_id"}, "take": {f"again{n}": "lead_id"}, "encoding": "utf-16"}
        for n in range(3)
    ]
    calls = {"file": "calls.csv", "holds": "activities", "kind": "call", "via": lookups}
    files = {
        "leads.csv": "lead_id,created_at\nann,2026-01-01\n".encode("utf-16"),
        "calls.csv": "lead_id,occurred_at\nann,2026-02-01\n",
    }
    playbook = company(tmp_path, files, [{**LEADS, "encoding": "utf-16"}, calls])
    workspace = Workspace(playbook, Home(tmp_path / "home"))
    warehouse = import_history(workspace, progress=lambda what, *_: reads.append(what))
    assert reads.count("converting leads.csv") == 1
    assert [join.met for join in warehouse.quality.joins] == [1, 1, 1]
