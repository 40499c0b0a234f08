"""
Files of a lead: what names the lead in files on this machine.

Tables and training sets are caches: those that hold the lead are deleted, and made again from their source when they
are next needed. Reports and the other texts of a training are rewritten with ``(erased)`` in its place. Both only where
leadscore recognises what it wrote itself: everything else that names the lead, or may, is listed and left as it is, so
that somebody takes care of it.
"""

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from data.home import Home
from data.table_caches import TableCache, caches_in
from serving.privacy.lead_names import PLACEHOLDER, LeadNames
from serving.privacy.unowned_files import MAY_NAME, NAMES, FileSearch
from serving.settings import LEDGER_NAME
from serving.store.writes_in_flight import SLOTS_SUFFIX

_BEING_WRITTEN = "is being written, or its writing was given up less than an hour ago"
_RUN = re.compile(r"[0-9a-f]{32}|rules-only")
_EVALUATION = "evaluation.json"
_REPORT = {_EVALUATION, "report.html", "card.html", "card.json", "scorecard.yaml"}
_STATE = {"champion.json", "history.jsonl", "scorecard.json", "standing.json"}
_DEPTH_OF_RUNS = 3
_NEVER_NAMES = {".py", ".png"}
"""Code and plots, which leadscore or MLflow wrote beside a model."""


@dataclass(frozen=True, slots=True)
class LeadFiles:
    """
    What became of the files that held a lead.

    Attributes:
        deleted: caches, which are made again from their source; of one in which somebody put files, what was deleted.
        rewritten: texts, with ``(erased)`` in place of the lead's id.
        left: files that were not changed, with why each of them may still hold the lead, in words.
    """

    deleted: tuple[str, ...]
    rewritten: tuple[str, ...]
    left: Mapping[str, str]


def erase_from_files(home: Home, name: str, person: Collection[str], *, store: Path | None = None) -> LeadFiles:
    """
    Erase a person from what was made of a playbook's history on this machine.

    Args:
        home: where local tables and models are.
        name: the playbook's name.
        person: every id of the person.
        store: the file of the store, which is erased from by itself; None where the store is not a file.
    """
    work = _FileErasure(home, name, LeadNames(person), _files_of_store(store))
    work.delete_caches()
    work.rewrite_texts()
    work.list_the_rest()
    # Whatever stands there by now, another process has made anew, or nobody could delete: it is not gone.
    deleted = tuple(str(path) for path in work.deleted if not os.path.lexists(path))
    return LeadFiles(deleted, tuple(str(path) for path in work.rewritten), dict(sorted(work.left.items())))


def _files_of_store(store: Path | None) -> set[Path]:
    """Return a SQLite store's file, and those that the engine and the service keep beside it."""
    endings = ("", "-wal", "-shm", "-journal", SLOTS_SUFFIX)
    return set() if store is None else {store.resolve().with_name(store.name + ending) for ending in endings}


class _FileErasure:
    """One erasure from the files of a playbook; each step adds to what was deleted, rewritten and left."""

    def __init__(self, home: Home, name: str, names: LeadNames, store: set[Path]) -> None:
        self._tables, self._models, self._registry = home.tables(name), home.models(name), home.registry
        self._name, self._names, self._store = name, names, store
        self._search = FileSearch(names.spellings)
        self.deleted: list[Path] = []
        self.rewritten: list[Path] = []
        self.left: dict[str, str] = {}

    def delete_caches(self) -> None:
        """Delete the caches that hold the person, and drafts that nobody will finish."""
        for cache in caches_in(self._tables):
            if cache.is_draft and not cache.is_abandoned:
                self.left[str(cache.place)] = _BEING_WRITTEN
            elif cache.is_draft or any(self._is_named_in(path) for path in cache.files):
                self._delete(cache)

    def _is_named_in(self, path: Path) -> bool:
        """Return whether a file of a cache names the person, or is too damaged to know."""
        try:
            return self._names.appear_in(path)
        except (OSError, pa.ArrowException):
            return True

    def _delete(self, cache: TableCache) -> None:
        try:
            cache.delete()
        except OSError as error:
            self.left[str(cache.place)] = f"cannot be deleted ({error.strerror or error}), and names the lead"
        gone = [path for path in cache.files if not os.path.lexists(path)]
        self.deleted += gone if os.path.lexists(cache.place) else [cache.place]

    def rewrite_texts(self) -> None:
        """Take the person out of the reports of this playbook's trainings, and of what the models folder remembers."""
        for path in self._own_texts():
            try:
                if self._names.appear_in(path):
                    self._names.remove_from(path)
                    self.rewritten.append(path)
            except OSError as error:
                self.left[str(path)] = f"cannot be rewritten ({error.strerror or error}), and may name the lead"

    def _own_texts(self) -> Iterator[Path]:
        runs = sorted(folder for folder in (self._models / "reports").glob("*") if _RUN.fullmatch(folder.name))
        artifacts = sorted((self._registry / "artifacts").glob("**/artifacts/report"))
        own = [folder for folder in runs if _playbook_of(folder)] + [
            each for each in artifacts if self._is_own_run(each)
        ]
        for folder in own:
            if not folder.is_symlink():
                yield from (path for path in sorted(folder.iterdir()) if _is_own(path, _REPORT))
        if self._models.is_dir():
            yield from (path for path in sorted(self._models.iterdir()) if _is_own(path, _STATE))

    def _is_own_run(self, report: Path) -> bool:
        """Return whether a report in MLflow is of this playbook: it has its name, or the run's bundle is here."""
        playbook, run = _playbook_of(report), report.parent.parent.name
        return playbook is not None and (playbook == self._name or (self._models / "bundles" / run).is_dir())

    def list_the_rest(self) -> None:
        """List what still names the person, or may, in the playbook's folders and in MLflow's."""
        for path, why in self._search.finds_in(self._tables):
            is_slots = path.name.endswith(SLOTS_SUFFIX) and why == MAY_NAME
            if path.resolve() not in self._store and not is_slots:
                self.left.setdefault(str(path), why)
        for path, why in self._search.finds_in(self._models):
            if path.name == LEDGER_NAME:  # it names no lead, and one whose id is a word of it must not change it
                continue
            if path.suffix not in _NEVER_NAMES and not (self._is_of_run(path) and not self._names.appear_in(path)):
                self.left.setdefault(str(path), why)
        for path in self._mlflow_files():
            if self._names.appear_in(path):
                self.left.setdefault(str(path), NAMES)

    def _is_of_run(self, path: Path) -> bool:
        """Return whether a training wrote a file: its numbers are counts, and not ids."""
        inside = path.relative_to(self._models).parts
        return len(inside) == _DEPTH_OF_RUNS and inside[0] in {"bundles", "judged", "reports"} and path.is_file()

    def _mlflow_files(self) -> Iterator[Path]:
        """Yield MLflow's files but code, plots, and reports of other playbooks, whose leads may have the same ids."""
        artifacts = self._registry / "artifacts"
        paths = [*self._registry.glob("mlflow.db*"), *(artifacts.rglob("*") if artifacts.is_dir() else ())]
        for path in sorted(paths):
            is_file = path.is_file() and not path.is_symlink() and path.suffix not in _NEVER_NAMES
            if is_file and (_playbook_of(path.parent) is None or self._is_own_run(path.parent)):
                yield path


def _is_own(path: Path, names: Collection[str]) -> bool:
    return path.name in names and path.is_file() and not path.is_symlink()


def _playbook_of(report: Path) -> str | None:
    """Return which playbook's training a report is of; None where the folder is no report."""
    try:
        evaluation = json.loads((report / _EVALUATION).read_bytes())
        name = evaluation["playbook"]["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return name if isinstance(name, str) else None


__all__ = ["PLACEHOLDER", "LeadFiles", "LeadNames", "erase_from_files"]
