"""The notebooks run from the first cell to the last for any company with a model."""

import shutil

import pytest

from data.home import Home
from tests.notebooks.execution import NAMES, executed
from tests.notebooks.test_notebooks import code, outputs, side_by_side

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def copied(world, trained, tmp_path_factory):
    """A copy of the small company with its model: a notebook may keep tables, and nobody may change the world's."""
    place = tmp_path_factory.mktemp("notebooks")
    shutil.copytree(world.playbook.path, place / "company")
    shutil.copytree(world.home.root, place / "home")
    return place


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_for_another_company(name, copied):
    notebook = executed(name, playbook=copied / "company", home=Home(copied / "home"))
    assert all(cell.execution_count for cell in code(notebook))
    assert [one.text for one in outputs(notebook) if one.get("name") == "stderr"] == []


def test_the_report_and_the_notebook_show_the_same_numbers_of_another_company(copied):
    table = side_by_side(executed("rules_vs_model", playbook=copied / "company", home=Home(copied / "home")))
    assert table["the report"].tolist() == table["this notebook"].tolist()
    assert table["its interval"].tolist() == table["interval here"].tolist()
