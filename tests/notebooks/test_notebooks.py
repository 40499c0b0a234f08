"""The notebooks as they are committed: they define nothing, ran to the end, and say nothing of any machine."""

import ast
import importlib.metadata
import io
import re
import sys
import tomllib

import nbformat
import pandas as pd
import pytest

from tests.house.test_house import PACKAGES, ROOT
from tests.notebooks.execution import FOLDER, METADATA, NAMES, read, tidied

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
PATH = re.compile(r"/(?:tmp|work|home|root|Users|private|var)/")
ADDRESS = re.compile(r"<\w+ object at 0x|0x[0-9a-f]{8,}")
RUN_ID = re.compile(r"\b[0-9a-f]{32}\b")
MOST_BYTES = 1_000_000

every_notebook = pytest.mark.parametrize("name", NAMES)


def code(notebook):
    """Give the code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook):
    """Give what all cells put out."""
    return [output for cell in code(notebook) for output in cell.outputs]


def trees(name):
    """Give each code cell, parsed."""
    return [ast.parse(cell.source) for cell in code(read(name))]


def imports(name):
    """Give (module, name) of each import; the name is empty where a whole module is imported."""
    nodes = [node for tree in trees(name) for node in ast.walk(tree)]
    whole = [(alias.name, "") for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    parts = [
        (node.module or "", alias.name) for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
    ]
    return whole + parts


def declared():
    """Give the top-level modules of every library that pyproject.toml names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    wanted = {plain(re.match(r"[\w.-]+", one).group()) for one in named}
    found = importlib.metadata.packages_distributions()
    return {module for module, names in found.items() if wanted & {plain(one) for one in names}}


def plain(name):
    """Give a distribution's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def side_by_side(notebook):
    """Give the table that holds the report's headline beside the notebook's."""
    pages = [output.data["text/html"] for output in outputs(notebook) if "text/html" in output.get("data", {})]
    (page,) = [page for page in pages if "<th>the report</th>" in page]
    (table,) = pd.read_html(io.StringIO(page))
    return table.set_axis(table.columns.get_level_values(0), axis=1)


def test_there_are_three_notebooks_and_no_other():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == sorted(NAMES)


# ---- what they hold


@every_notebook
def test_a_notebook_defines_nothing(name):
    assert [node for tree in trees(name) for node in ast.walk(tree) if isinstance(node, DEFINITIONS)] == []


@every_notebook
def test_a_notebook_imports_from_the_packages_and_from_declared_libraries(name):
    """What a notebook needs is installed by the extras, and has a test in a package."""
    allowed = {*PACKAGES, "leadscore", *sys.stdlib_module_names, *declared()}
    assert [module for module, _ in imports(name) if module.partition(".")[0] not in allowed] == []


@every_notebook
def test_a_notebook_imports_what_is_public(name):
    assert [(module, what) for module, what in imports(name) if "._" in f".{module}.{what}"] == []


@every_notebook
def test_a_notebook_needs_no_magic_and_no_shell(name):
    assert [cell.source for cell in code(read(name)) if re.search(r"^\s*[%!]", cell.source, re.MULTILINE)] == []


@every_notebook
def test_a_notebook_tells_a_story(name):
    """It begins with its title and what it is about, and no more than three cells of code follow each other."""
    cells = read(name).cells
    kinds = "".join(cell.cell_type[0] for cell in cells)
    assert cells[0].source.startswith("# ")
    assert "cccc" not in kinds
    assert "LEADSCORE_PLAYBOOK" in cells[0].source


@every_notebook
def test_charts_are_those_of_the_report(name):
    modules = {module for module, _ in imports(name)}
    assert "training.reporting.charts" in modules
    assert modules.isdisjoint({"altair", "matplotlib", "matplotlib.pyplot"})


# ---- what they show


@every_notebook
def test_every_cell_ran_once_and_in_order(name):
    cells = code(read(name))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


@every_notebook
def test_every_cell_that_shows_something_has_its_output(name):
    shows = [isinstance(tree.body[-1], ast.Expr) for tree in trees(name)]
    assert [bool(cell.outputs) for cell in code(read(name))] == shows


@every_notebook
def test_no_cell_failed_or_complained(name):
    """A warning on stderr is a fault too."""
    notebook = read(name)
    assert [one for one in outputs(notebook) if one.output_type == "error" or one.get("name") == "stderr"] == []


@every_notebook
def test_there_are_pictures_that_load_nothing(name):
    pictures = [one.data["image/svg+xml"] for one in outputs(read(name)) if "image/svg+xml" in one.get("data", {})]
    assert pictures
    assert [picture for picture in pictures if re.search(r"href|@import|url\((?!#)|<script", picture)] == []


@every_notebook
def test_nothing_in_it_names_a_path_a_run_or_an_address(name):
    text = (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")
    assert [found.group() for pattern in (PATH, ADDRESS, RUN_ID) for found in pattern.finditer(text)] == []


@every_notebook
def test_nothing_but_the_kernels_name_is_said_of_the_run(name):
    """No clock, no version of Python: running it again changes what changed."""
    notebook = read(name)
    assert notebook == tidied(read(name))
    assert notebook.metadata == METADATA
    assert [cell.id for cell in notebook.cells] == [f"{name.replace('_', '-')}-{at:02}" for at in numbered(notebook)]


def numbered(notebook):
    return range(1, len(notebook.cells) + 1)


@every_notebook
def test_it_is_small_enough_to_be_read_in_a_browser(name):
    assert (FOLDER / f"{name}.ipynb").stat().st_size < MOST_BYTES


def test_the_report_and_the_notebook_show_the_same_numbers():
    table = side_by_side(read("rules_vs_model"))
    assert len(table) >= 3
    pd.testing.assert_series_equal(table["the report"], table["this notebook"], check_names=False)
    pd.testing.assert_series_equal(table["its interval"], table["interval here"], check_names=False)


def test_tidying_takes_away_what_one_run_says_of_itself():
    cell = nbformat.v4.new_code_cell("1", metadata={"execution": {"iopub.execute_input": "2026-03-01T12:00:00Z"}})
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"language_info": {"name": "python", "version": "3.11"}})
    assert tidied(notebook).metadata == METADATA
    assert tidied(notebook).cells[0].metadata == {}
