"""Drafts of the corpus: `check` accepts them, and they say how a file is written as a person said it."""

import codecs
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest

from data.drafting.commands import draft_from
from data.errors import DataError
from data.files.export_file import ImportTools
from data.home import Home
from data.importing.exports import open_files
from data.importing.warehouse import import_history
from data.progress import silent
from data.reading.cells import macros
from data.reading.column_readings import writing_of
from data.reading.source_readings import instant_columns, number_columns
from data.words.playbook import load_playbook
from data.workspace import Workspace
from tests.data.cell_reading import read_columns
from tests.data.export_corpus import cases, people

CASES = {case.name: case for case in cases() if "rows" in case.says and case.holds != "event_log"}
WELL = [
    name
    for name, case in CASES.items()
    if not {"rejected", "lost"} & set(case.says) and "short_rows" not in case.says.get("source", {})
]
"""The cases without damage: of a file of eight rows, one that is rejected is already too much for `check`."""
SOME_WELL = WELL[::4]
AS_A_PERSON = 0.9
MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        for macro in macros("UTC"):
            connection.execute(f"CREATE MACRO {macro}")
        yield ImportTools(connection, tmp_path_factory.mktemp("scratch"), silent)


@pytest.fixture(scope="module")
def drafts(tmp_path_factory):
    """The draft of each case, made when it is first asked for, or the sentence in its place."""
    folder = tmp_path_factory.mktemp("drafts")
    return cache(lambda name: drafted(folder / name, CASES[name]))


def drafted(folder, case):
    """Draft a playbook from a file of the corpus and its companions: who the leads are, and which of them were won."""
    files = {case.file: case.raw}
    if case.holds != "leads":
        files["people.csv"] = people(case.leads)
    if case.holds != "outcomes":
        won = [f'"{lead}",won,2026-10-01T08:00:00Z\n' for lead in case.leads[::2]]
        files["deals.csv"] = "".join(["lead_id,stage,reached_at\n", *won]).encode()
    (folder / "exports").mkdir(parents=True)
    for name, raw in files.items():
        (folder / "exports" / name).write_bytes(raw)
    try:
        draft_from(sorted((folder / "exports").iterdir()), out=folder / "acme")
    except DataError as error:
        return str(error)
    return load_playbook(folder / "acme")


@pytest.mark.parametrize("name", SOME_WELL)
def test_check_accepts_the_draft(drafts, tmp_path, name):
    require_accepted(drafts, name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in WELL if name not in SOME_WELL])
def test_check_accepts_every_other_draft(drafts, tmp_path, name):
    require_accepted(drafts, name, tmp_path)


def require_accepted(drafts, name, home):
    playbook = drafts(name)
    assert not isinstance(playbook, str), playbook
    warehouse = import_history(Workspace(playbook, Home(home)))
    kept = {count.holds: count.kept for count in warehouse.quality.sources}
    assert kept[CASES[name].holds] == len(CASES[name].rows) - 1


@pytest.mark.slow
def test_drafts_say_how_files_are_written_as_a_person_would(drafts, tools):
    """Encoding, columns, first and last row, dates, numbers, yes and no: nine in ten decisions are the person's."""
    require_a_persons_decisions(list(CASES), drafts, tools)


def test_some_drafts_say_how_files_are_written_as_a_person_would(drafts, tools):
    require_a_persons_decisions(list(CASES)[::5], drafts, tools)


def require_a_persons_decisions(names, drafts, tools):
    decisions, others = 0, []
    for name in names:
        case, draft = CASES[name], drafts(name)
        with TemporaryDirectory() as scratch:
            person = decided(case, case.playbook(Path(scratch), says_all=True), tools)
        drafted_ones = {} if isinstance(draft, str) else decided(case, draft, tools)
        decisions += len(person)
        others += [
            f"{name}: {about} is {drafted_ones.get(about, 'not drafted')}, a person says {meant}"
            for about, meant in person.items()
            if drafted_ones.get(about) != meant
        ]
    assert len(others) <= (1 - AS_A_PERSON) * decisions, f"{len(others)} of {decisions}:\n" + "\n".join(others)


def decided(case, playbook, tools):
    """Return what a playbook says of the case's file, by what its words make of it."""
    business = playbook.business
    words = next((source for source in business.sources if source.file == case.file), None)
    if words is None:
        return {}
    path = playbook.exports_folder / case.file
    try:
        (file,) = open_files(path, words, folder=path.parent, tools=tools)
    except DataError as error:
        return {"error": str(error)}
    first, last = tools.connection.execute(f"SELECT min(_row), max(_row) FROM {file.rows}").fetchall()[0]
    mark = next((name for begin, name in MARKS.items() if case.raw.startswith(begin)), "utf-8")
    decisions = {
        "encoding": codecs.lookup(words.encoding or mark).name,
        "columns": tuple(file.types),
        "first row": first,
        "last row": last,
    }
    columns = {
        column: (reads, writing_of(column, words, business))
        for column, reads in typed_columns(case).items()
        if column in file.types
    }
    return decisions | read_columns(file, columns, tools.connection, "UTC")


def typed_columns(case):
    """Return the columns of instants, numbers, yes and no that the person's playbook maps."""
    with TemporaryDirectory() as scratch:
        business = case.playbook(Path(scratch)).business
    source = next(source for source in business.sources if source.file == case.file)
    attributes = getattr(source, "attributes", None) or {name: name for name in business.attributes}
    truths = [column for name, column in attributes.items() if business.attributes[name].type == "boolean"]
    return {
        **dict.fromkeys(instant_columns(source), "moment"),
        **dict.fromkeys(number_columns(source, business), "number"),
        **dict.fromkeys(truths, "truth"),
    }
