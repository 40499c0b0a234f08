"""The command line itself: its help, its shared options, what it imports, and what it prints into pipes and screens."""

import json
import os
import shutil
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer.main

import leadscore as program
from tests.end_to_end.command_line import leadscore
from tests.house.test_house import command_tree

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("duckdb", "ibis", "lightgbm", "mlflow", "numba", "pandas", "pyarrow", "shap", "sklearn")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A company of 30 leads."""
    root = tmp_path_factory.mktemp("company")
    done = leadscore("simulate", str(root / "exports"), "--leads", "30", "--until", "2026-06-01", home=root / "home")
    assert done.code == 0
    return root


def run(*arguments, home, stdout=subprocess.PIPE, **environment):
    """Run a verb in a process of its own, on a screen of 80 columns."""
    settings = {"LEADSCORE_HOME": str(home), "COLUMNS": "80", "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-m", "leadscore", *arguments]
    return subprocess.Popen(
        command, env=os.environ | settings, cwd=home, stdout=stdout, stderr=subprocess.PIPE, text=True
    )


# ---- help


def test_the_version_is_printed():
    assert leadscore("--version", home="/").stdout == f"leadscore {version('leadscore')}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete_the_verbs(shell, tmp_path):
    arguments = {"COMP_WORDS": "leadscore scorec", "COMP_CWORD": "1", "_TYPER_COMPLETE_ARGS": "leadscore scorec"}
    completing = {**arguments, "_TYPER_COMPLETE_FISH_ACTION": "get-args", "_LEADSCORE_COMPLETE": f"complete_{shell}"}
    code = "import sys; sys.argv[0] = 'leadscore'; import leadscore; leadscore.app(prog_name='leadscore')"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=os.environ | completing, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "scorecard" in done.stdout, done.stderr


def test_the_help_of_every_verb_fits_80_columns():
    for name in ["", "keys", *command_tree()]:
        done = leadscore(*name.split(), "--help", home="/", COLUMNS="80", TERMINAL_WIDTH="80")
        assert done.code == 0
        assert max(map(len, done.stdout.splitlines())) <= 80, name
        assert "…" not in done.stdout, name


def test_every_verb_stands_under_the_people_who_use_it():
    group = typer.main.get_command(program.app)
    assert [name for name, command in group.commands.items() if not command.rich_help_panel] == []


# ---- shared options


@pytest.mark.parametrize("place", ["before", "after", "both"])
def test_shared_options_stand_before_the_verb_or_after_it(place, company, tmp_path):
    shared = ["--playbook", str(company / "exports"), "--json"]
    before, after = (shared if place in {side, "both"} else [] for side in ("before", "after"))
    done = leadscore(*before, "check", *after, home=tmp_path)
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout)["playbook"] == "exports"
    assert json.loads(done.stdout)["sources"][0]["rows"] > 0


def test_exports_may_stand_before_the_verb(company, tmp_path):
    done = leadscore("--exports", str(company / "nowhere"), "check", home=tmp_path)
    assert (done.code, "nowhere" in done.stderr) == (2, True)


@pytest.mark.parametrize("option", ["--playbook", "--exports"])
def test_two_different_folders_are_refused(option, company, tmp_path):
    done = leadscore(option, "first", "check", option, "second", "--json", home=tmp_path)
    assert done.code == 2
    sentence = f"{option} is given twice, as first and second: give it once, before the verb or after it."
    assert done.json == {"error": sentence}
    assert done.stderr == sentence + "\n"


def test_exports_are_refused_by_a_verb_that_reads_none(tmp_path):
    done = leadscore("--exports", "somewhere", "history", home=tmp_path)
    assert (done.code, done.stderr) == (2, "This verb does not read the exports: leave --exports out.\n")


@pytest.mark.parametrize("place", ["before", "after"])
def test_an_option_is_stronger_than_the_environment(place, company, tmp_path):
    shared = ["--playbook", str(company / "exports")]
    arguments = [*shared, "check"] if place == "before" else ["check", *shared]
    assert leadscore(*arguments, home=tmp_path, LEADSCORE_PLAYBOOK="/nowhere").code == 0
    done = leadscore("check", home=tmp_path, LEADSCORE_PLAYBOOK="/nowhere")
    assert (done.code, "/nowhere" in done.stderr) == (2, True)


# ---- what a verb loads


@pytest.mark.parametrize(
    "arguments", [["--help"], ["history"], ["report"], ["scorecard", "--out", "x.yaml"], ["keys", "list"]]
)
def test_a_verb_that_only_reads_imports_no_library_that_computes(arguments, tmp_path):
    code = (
        "import atexit, sys, leadscore\n"
        f"atexit.register(lambda: print('imported', sorted({HEAVY!r} & sys.modules.keys())))\n"
        f"sys.argv = ['leadscore', *{arguments!r}]\n"
        "leadscore.main()"
    ).replace(repr(HEAVY), f"set({HEAVY!r})")
    command = [sys.executable, "-c", code]
    environment = os.environ | {"LEADSCORE_HOME": str(tmp_path)}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert done.stdout.splitlines()[-1] == "imported []"


# ---- pipes


@pytest.mark.parametrize(("verb", "format_"), [("check", []), ("score", []), ("explain", []), ("explain", ["--json"])])
def test_a_reader_that_leaves_early_is_no_failure(verb, format_, company, tmp_path):
    """As in ``leadscore check | head -1``: what was to do is done, and nothing is complained about."""
    reading, writing = os.pipe()
    os.close(reading)
    own = {"check": [], "score": ["--out", str(tmp_path / "s.csv")], "explain": ["L000001"]}[verb]
    with run(verb, *own, "--playbook", str(company / "exports"), *format_, home=tmp_path, stdout=writing) as process:
        os.close(writing)
        assert (process.wait(), process.stderr.read()) == (0, "")
    if verb == "score":
        assert (tmp_path / "s.csv").exists()


# ---- screens


LONG = "the_name_of_a_system_that_nobody_would_want_to_type_twice"


@pytest.fixture(scope="module")
def wordy(company, tmp_path_factory):
    """The same company, whose tools and rules have long names."""
    folder = tmp_path_factory.mktemp("wordy") / "exports"
    shutil.copytree(company / "exports", folder)
    (folder / "web.csv.gz").rename(folder / f"{LONG}.csv.gz")
    for name, word, replacement in (
        ("playbook.yaml", "file: web.csv.gz", f"file: {LONG}.csv.gz"),
        ("scorecard.yaml", "because: ", f"because: {LONG} "),
    ):
        text = (folder / name).read_text()
        assert word in text
        (folder / name).write_text(text.replace(word, replacement))
    return folder


def test_tables_are_not_cut_at_80_columns(wordy, tmp_path):
    """No header, name, number, date or label is cut, or split inside a word."""
    shared = ["--playbook", str(wordy)]
    screen = {"COLUMNS": "80"}
    checked = leadscore("check", *shared, home=tmp_path, **screen).stdout
    for text in ("source", "rejected", "ignored", LONG, "outcomes.csv", "activities", "The history can be used."):
        assert text in checked, checked
    scored = leadscore("score", "--out", str(tmp_path / "s.csv"), *shared, home=tmp_path, **screen).stdout
    for text in ("lead", "score", "grade", "chance", "as of 2026-0", " UTC", "not known yet", str(tmp_path / "s.csv")):
        assert text in scored, scored
    explained = leadscore("explain", "L000001", *shared, home=tmp_path, **screen).stdout
    receipt = leadscore("explain", "L000001", *shared, "--json", home=tmp_path).json
    words = {word for reason in receipt["reasons"][:12] for word in reason["says"].split()}
    assert words > {LONG}
    assert words - set(explained.split()) == set()
    assert all("…" not in text for text in (checked, scored, explained))
    assert max(map(len, scored.splitlines()[:-3])) <= 80


WAITS = """
import tempfile, time
from data.command_line import SharedOptions, run_verb

def wait(context):
    with tempfile.TemporaryDirectory() as folder:
        print(folder, flush=True)
        time.sleep(600)

run_verb(SharedOptions((), (), ()), wait)
"""


def test_a_verb_that_sigterm_ends_deletes_its_temporary_files(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", WAITS]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as verb:
        folder = Path(verb.stdout.readline().strip())
        assert folder.is_dir()
        verb.terminate()
        assert verb.wait(timeout=60) == 128 + signal.SIGTERM
    assert not folder.exists()
