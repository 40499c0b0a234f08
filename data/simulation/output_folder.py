"""The folder of a simulation: written beside its place and put there all at once, over nothing that would be lost."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data.atomic_files import new_folder, sha256_of
from data.company_identity import COMPANY_FILE, CompanyIdentity
from data.errors import DataError
from data.home import DEMO
from data.simulation.export_files import FILES
from data.simulation.truth import FILES as TRUTH_FILES
from data.words.playbook import RIVALS

MARK = "simulation.json"
TRUTH = "truth"
PLAYBOOK = ("playbook.yaml", "scorecard.yaml", f"{RIVALS}/last_year.yaml", "routing.yaml")
_WRITTEN = frozenset(
    {MARK, COMPANY_FILE, TRUTH, RIVALS, *FILES, *PLAYBOOK, *(f"{TRUTH}/{name}" for name in TRUTH_FILES)}
)
_FOLDER_LINE = re.compile(r"^folder:.*$", re.MULTILINE)
_COMPANY_LINE = re.compile(r"^company:.*\n", re.MULTILINE)
_NAME_LINES = re.compile(r"^name: .*\ncompany: .*\ntitle: .*$", re.MULTILINE)


def check_place(out: Path) -> None:
    """
    Check that a place is free, or a folder that holds nothing but an earlier simulation.

    Raises:
        DataError: it is a file, or a folder that holds anything else.
    """
    if not out.exists():
        return
    if not out.is_dir():
        message = f"{out} is a file: name a new folder for the simulation."
        raise DataError(message)
    names = {path.name for path in out.iterdir()} | {f"{RIVALS}/{path.name}" for path in (out / RIVALS).glob("*")}
    foreign = sorted(names - _WRITTEN) if MARK in names else sorted(names)
    if foreign:
        message = f"{out} holds {foreign[0]}, which no simulation wrote: name an empty or a new folder."
        raise DataError(message)


def check_inside(out: Path) -> None:
    """
    Check that an earlier simulation holds no file that somebody else put into one of its folders.

    Raises:
        DataError: it holds one; not even ``--overwrite`` deletes it.
    """
    foreign = [name for path in _files(out) if (name := path.relative_to(out).as_posix()) not in _WRITTEN]
    if foreign:
        message = f"{out} holds {foreign[0]}, which no simulation wrote: move it away, or name a new folder."
        raise DataError(message)


def require_unchanged(out: Path, company: Mapping[str, int] | None) -> None:
    """
    Check that replacing an earlier simulation loses nothing.

    Args:
        out: as `check_place` accepts it.
        company: how many leads the new simulation has and from which seed; None to accept any.

    Raises:
        DataError: a file was changed since it was written, or the earlier simulation is of another company.
    """
    if not (out / MARK).exists():
        return
    mark = _read_mark(out)
    changed = ", ".join(_changed(out, mark))
    if changed:
        message = (
            f"In {out}, {changed} changed after the simulation: name another folder, or add --overwrite to lose that."
        )
        raise DataError(message)
    if company is not None and any(mark.get(name) != value for name, value in company.items()):
        message = (
            f"{out} holds another company ({MARK}: leads {mark.get('leads')}, seed {mark.get('seed')}): name another "
            "folder, or add --overwrite to replace it."
        )
        raise DataError(message)


def write_mark(folder: Path, about: Mapping[str, Any]) -> None:
    """Write what marks a folder as a simulation: how it was made, and the hash of every file in it."""
    hashes = {path.relative_to(folder).as_posix(): sha256_of(path) for path in _files(folder)}
    text = json.dumps({**about, "sha256": hashes}, indent=2)
    (folder / MARK).write_text(f"{text}\n", encoding="utf-8")


def _read_mark(out: Path) -> dict[str, Any]:
    try:
        mark = json.loads((out / MARK).read_bytes())
    except (OSError, ValueError):
        mark = None
    return mark if isinstance(mark, dict) else {}


def _changed(out: Path, mark: Mapping[str, Any]) -> list[str]:
    """Name the files that are not as the simulation wrote them; files that are gone do not count."""
    hashes = mark.get("sha256")
    if not isinstance(hashes, dict):  # of the first release: only what people edit is compared
        return [name for name in PLAYBOOK if (out / name).exists() and _is_edited(out, name)]
    names = (path.relative_to(out).as_posix() for path in _files(out))
    return [name for name in names if name != MARK and hashes.get(name) != sha256_of(out / name)]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@contextmanager
def put_in_place(out: Path) -> Iterator[Path]:
    """
    Open a folder to write in, and put it in the wanted place if all went well.

    If anything goes wrong, or the user interrupts, the place looks as it did before.
    """
    out = out.resolve()
    check_place(out)
    check_inside(out)
    try:
        with new_folder(out, overwrite=True) as draft:
            yield draft
    except OSError as error:
        message = f"{out} cannot be written ({error.strerror or error}): name a folder that can."
        raise DataError(message) from error


def copy_playbook(folder: Path, company: CompanyIdentity | None) -> None:
    """
    Copy the demo playbook beside the exports, so that the folder works as a playbook by itself.

    Args:
        folder: exists.
        company: whom the playbook describes; None for the demo's company.
    """
    (folder / RIVALS).mkdir()
    for name in PLAYBOOK:
        text = _text(name)
        if company is not None:
            lines = f"name: {company.name}\ncompany: {company.id}\ntitle: {company.name}, B2B software (simulated)"
            text = _NAME_LINES.sub(lines, text, count=1)
        (folder / name).write_text(text, encoding="utf-8")


def _text(name: str) -> str:
    """Return a file of the demo playbook as it reads beside the exports."""
    return _FOLDER_LINE.sub("folder: .", (DEMO / name).read_text(encoding="utf-8"), count=1)


def _is_edited(out: Path, name: str) -> bool:
    """Return whether somebody changed a file of a playbook of the first release, which named no company."""
    found, written = (out / name).read_text("utf-8"), _text(name)
    return _COMPANY_LINE.sub("", found) != _COMPANY_LINE.sub("", written)
