"""The folder of a simulation: written beside its place and put there all at once."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.atomic_files import new_folder
from data.errors import DataError
from data.playbook import RIVALS
from data.simulation.export_files import FILES

MARK = "simulation.json"
TRUTH = "truth"
PLAYBOOK = ("playbook.yaml", "scorecard.yaml", f"{RIVALS}/last_year.yaml", "routing.yaml")
_DEMO = Path(__file__).resolve().parent.parent / "playbooks" / "demo"
_OURS = frozenset({MARK, TRUTH, RIVALS, *FILES, *PLAYBOOK})
_FOLDER_LINE = re.compile(r"^folder:.*$", re.MULTILINE)


def check_place(out: Path) -> None:
    """
    Make sure that nothing but an earlier simulation would be overwritten.

    Raises:
        DataError: the place is a file, or a folder that holds anything else.
    """
    if not out.exists():
        return
    if not out.is_dir():
        message = f"{out} is a file: name a new folder for the simulation."
        raise DataError(message)
    found = {path.name for path in out.iterdir()} | {f"{RIVALS}/{path.name}" for path in (out / RIVALS).glob("*")}
    foreign = sorted(found - _OURS) if MARK in found else sorted(found)
    if foreign:
        message = f"{out} holds {foreign[0]}, which no simulation wrote: name an empty or a new folder."
        raise DataError(message)


@contextmanager
def put_in_place(out: Path) -> Iterator[Path]:
    """
    Give a folder to write in, and make it the wanted one when all went well.

    If anything goes wrong, or the user interrupts, the place looks as it did before.
    """
    out = out.resolve()
    check_place(out)
    try:
        with new_folder(out, overwrite=True) as draft:
            yield draft
    except OSError as error:
        message = f"{out} cannot be written ({error.strerror or error}): name a folder that can."
        raise DataError(message) from error


def copy_playbook(folder: Path) -> None:
    """Copy the demo playbook beside the exports, so that the folder works as a playbook by itself."""
    (folder / RIVALS).mkdir()
    for name in PLAYBOOK:
        text = (_DEMO / name).read_text(encoding="utf-8")
        (folder / name).write_text(_FOLDER_LINE.sub("folder: .", text, count=1), encoding="utf-8")
