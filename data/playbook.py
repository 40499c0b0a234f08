"""The playbook: one folder of YAML that describes one business, checked and frozen."""

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from data.business import (
    ActivityKind,
    ActivityWords,
    Attribute,
    ExtraFeature,
    FeatureWishes,
    Goal,
    Playbook,
)
from data.consistency import contradictions, rule_contradictions
from data.errors import PlaybookError
from data.rules import Routing, ScorecardRules
from data.yaml_file import parse_as, playbook_error, read_yaml

__all__ = [
    "ActivityKind",
    "ActivityWords",
    "Attribute",
    "ExtraFeature",
    "FeatureWishes",
    "Goal",
    "Playbook",
    "PlaybookFolder",
    "expand",
    "load_playbook",
]

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_][A-Z0-9_]*)(?::-(?P<default>[^}]*))?\}")


@dataclass(frozen=True)
class PlaybookFolder:
    """A playbook with its point rules and its routing, as loaded from one folder."""

    path: Path
    playbook: Playbook
    scorecard: ScorecardRules
    routing: Routing
    exports: Path | None = None

    @cached_property
    def exports_folder(self) -> Path:
        """Give the folder that holds the exports: as asked for, or as the playbook says."""
        if self.exports is not None:
            return self.exports
        return (self.path / expand(self.playbook.folder)).resolve()


def load_playbook(folder: Path, *, exports: Path | None = None) -> PlaybookFolder:
    """
    Load a playbook and check it, across its three files.

    Args:
        folder: holds ``playbook.yaml``, ``scorecard.yaml`` and ``routing.yaml``.
        exports: folder of the exports, in place of the one the playbook names.

    Raises:
        PlaybookError: every mistake in the three files, each with file, line and what to do.
    """
    if not folder.is_dir():
        message = f"{folder} is not a folder: a playbook is a folder with playbook.yaml, scorecard.yaml, routing.yaml."
        raise PlaybookError(message)
    files = [read_yaml(folder / f"{name}.yaml") for name in ("playbook", "scorecard", "routing")]
    playbook, scorecard = parse_as(Playbook, files[0]), parse_as(ScorecardRules, files[1])
    routing = parse_as(Routing, files[2])
    mistakes = [mistake for parsed in (playbook, scorecard, routing) if isinstance(parsed, list) for mistake in parsed]
    if isinstance(playbook, Playbook):
        mistakes += contradictions(playbook, files[0])
        if isinstance(scorecard, ScorecardRules):
            mistakes += rule_contradictions(playbook, scorecard, files[1])
    if mistakes or isinstance(playbook, list) or isinstance(scorecard, list) or isinstance(routing, list):
        raise playbook_error(mistakes)
    return PlaybookFolder(folder, playbook, scorecard, routing, exports)


def expand(text: str) -> str:
    """
    Put environment variables into a path: ``${NAME}`` or ``${NAME:-default}``.

    A variable that begins the path and holds a relative one is meant from the working directory, as in any shell.

    Raises:
        PlaybookError: a variable without a default is not set.

    >>> expand("${SURELY_NOT_SET:-exports}/2026")
    'exports/2026'
    """

    def value(found: re.Match[str]) -> str:
        given = os.environ.get(found["name"]) or found["default"]
        if given is None:
            message = f"{text} needs the environment variable {found['name']}, which is not set: set it to a folder."
            raise PlaybookError(message)
        from_here = found.start() == 0 and os.environ.get(found["name"])
        return str(Path(given).absolute()) if from_here else str(given)

    return _VARIABLE.sub(value, text)
