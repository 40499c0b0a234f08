"""Notebooks, run from the first cell to the last and written down as they would be anywhere."""

import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from data.home import Home

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NAMES = ("explore_leads", "rules_vs_model", "read_a_model")
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_CELL_S = 300


def read(name: str) -> NotebookNode:
    """Read a notebook as it is committed."""
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def executed(name: str, *, playbook: Path, home: Home) -> NotebookNode:
    """
    Run a notebook in a kernel of its own, for one company, and give it with its outputs.

    Args:
        name: one of `NAMES`.
        playbook: folder of the company's playbook.
        home: where its newest model and its tables are.

    Raises:
        CellExecutionError: a cell failed; says which, and why.
    """
    notebook = read(name)
    client = NotebookClient(
        notebook,
        timeout=_CELL_S,
        kernel_name="python3",
        record_timing=False,  # when a cell ran is nobody's business
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # it would warn that it talks to this process in plain text
        resources={"metadata": {"path": str(FOLDER)}},
    )
    with tempfile.TemporaryDirectory() as settings:
        client.execute(env=_environment(Path(settings), playbook=playbook, home=home))
    return tidied(notebook)


def tidied(notebook: NotebookNode) -> NotebookNode:
    """Give a notebook its kernel's name and nothing else that one machine or one run would say of itself."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
    nbformat.validate(notebook)
    return notebook


def write(name: str, notebook: NotebookNode) -> None:
    """Write a notebook where it is committed."""
    (FOLDER / f"{name}.ipynb").write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def _environment(settings: Path, *, playbook: Path, home: Home) -> dict[str, str]:
    """Give the kernel the company, and an IPython that nobody has set up for themselves."""
    return {
        **os.environ,
        "LEADSCORE_PLAYBOOK": str(playbook),
        "LEADSCORE_HOME": str(home.root),
        "IPYTHONDIR": str(settings),
        "PYTHONWARNINGS": "ignore:IProgress not found",  # tqdm would rather draw bars, and nothing here shows one
    }
