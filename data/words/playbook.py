"""The playbook: one folder of YAML that describes one business, checked and frozen."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel

from data.company_identity import CompanyIdentity, company_of
from data.errors import PlaybookError
from data.words.business import (
    ActivityKind,
    ActivityWords,
    Business,
    FeatureWishes,
    Goal,
    LeadAttribute,
)
from data.words.located_yaml import Mistake, YamlFile, parse_as, playbook_error, read_yaml
from data.words.playbook_consistency import contradictions, rule_contradictions
from data.words.point_rules import RoutingRules, ScorecardRules

__all__ = [
    "ActivityKind",
    "ActivityWords",
    "Business",
    "FeatureWishes",
    "Goal",
    "LeadAttribute",
    "Playbook",
    "expand",
    "load_playbook",
]

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_][A-Z0-9_]*)(?::-(?P<default>[^}]*))?\}")


RIVALS = "scorecards"
"""The subfolder of a playbook with other point rules, to be compared with those of ``scorecard.yaml``."""


@dataclass(frozen=True)
class Playbook:
    """
    A playbook with its point rules and its routing, as loaded from one folder.

    ``rivals`` are the other point rules in the folder ``scorecards``: they score nobody and only take part wherever
    rules and models are compared.
    """

    path: Path
    business: Business
    scorecard: ScorecardRules
    routing: RoutingRules
    exports: Path | None = None
    rivals: tuple[ScorecardRules, ...] = ()

    @cached_property
    def exports_folder(self) -> Path:
        """The folder that holds the exports: the requested one, or the one the playbook names."""
        if self.exports is not None:
            return self.exports
        return (self.path / expand(self.business.folder)).resolve()

    @cached_property
    def company(self) -> CompanyIdentity:
        """
        The company that the playbook describes; its id is made at the first use, where the playbook has none.

        Raises:
            PlaybookError: the id cannot be kept beside the playbook.
        """
        return company_of(self.path, self.business)


def load_playbook(folder: Path, *, exports: Path | None = None) -> Playbook:
    """
    Load a playbook and check it, across its files.

    Args:
        folder: holds ``playbook.yaml``, ``scorecard.yaml`` and ``routing.yaml``, and may hold more point rules in
            ``scorecards``.
        exports: folder of the exports, in place of the one the playbook names.

    Raises:
        PlaybookError: every mistake in the files, each with file, line and what to do.
    """
    if not folder.is_dir():
        message = f"{folder} is not a folder: a playbook is a folder with playbook.yaml, scorecard.yaml, routing.yaml."
        raise PlaybookError(message)
    files = _read_all([folder / f"{name}.yaml" for name in ("playbook", "scorecard", "routing")], folder)
    cards = [files[1], *files[3:]]
    playbook, routing = parse_as(Business, files[0]), parse_as(RoutingRules, files[2])
    scorecards = [_rules_of(file, is_rival=number > 0) for number, file in enumerate(cards)]
    mistakes = [
        mistake for parsed in (playbook, *scorecards, routing) if isinstance(parsed, list) for mistake in parsed
    ]
    if isinstance(playbook, Business):
        mistakes += contradictions(playbook, files[0])
        for rules, file in zip(scorecards, cards, strict=True):
            mistakes += rule_contradictions(playbook, rules, file) if isinstance(rules, ScorecardRules) else []
    mistakes += _names_taken(scorecards, cards)
    if mistakes or isinstance(playbook, list) or isinstance(routing, list):
        raise playbook_error(mistakes)
    own, *rivals = (rules for rules in scorecards if isinstance(rules, ScorecardRules))
    return Playbook(folder, playbook, own, routing, exports, tuple(rivals))


def _read_all(paths: Sequence[Path], folder: Path) -> list[YamlFile]:
    """
    Read the files of a playbook and those with other point rules.

    Raises:
        PlaybookError: some are no YAML; says so of all of them, and what is wrong with the others as they stand.
    """
    files, unreadable = [], []
    for path in [*paths, *_rival_files(folder)]:
        try:
            files.append(read_yaml(path))
        except PlaybookError as error:
            unreadable.append(str(error))
    if not unreadable:
        return files
    mistakes = [str(mistake) for file in files for mistake in _mistakes_alone(file)]
    raise PlaybookError("\n".join(dict.fromkeys([*unreadable, *mistakes])))


def _mistakes_alone(file: YamlFile) -> list[Mistake]:
    """Return the mistakes that a file has whatever stands in the others."""
    models: dict[str, type[BaseModel]] = {"playbook": Business, "routing": RoutingRules}
    parsed = parse_as(models.get(file.path.stem, ScorecardRules), file)
    return parsed if isinstance(parsed, list) else []


def _rival_files(folder: Path) -> list[Path]:
    """Return the files with other point rules, by name; hidden files belong to an editor or the system."""
    paths = [*(folder / RIVALS).glob("*.yaml"), *(folder / RIVALS).glob("*.yml")]
    return sorted(path for path in paths if not path.name.startswith("."))


def _rules_of(file: YamlFile, *, is_rival: bool) -> ScorecardRules | list[Mistake]:
    """Read point rules; a rival without a name takes its file's name."""
    rules = parse_as(ScorecardRules, file)
    if is_rival and isinstance(rules, ScorecardRules) and "name" not in rules.model_fields_set:
        return rules.model_copy(update={"name": file.path.stem})
    return rules


def _names_taken(scorecards: Sequence[ScorecardRules | list[Mistake]], files: Sequence[YamlFile]) -> list[Mistake]:
    """Return point rules that share a name with others, and so could not be told apart in a comparison."""
    taken_by: dict[str, Path] = {}
    mistakes = []
    for rules, file in zip(scorecards, files, strict=True):
        if not isinstance(rules, ScorecardRules):
            continue
        if rules.name in taken_by:
            message = (
                f"{rules.name} is already the name of the rules in {taken_by[rules.name].name}; choose another name."
            )
            mistakes.append(file.mistake(("name",), message))
        taken_by.setdefault(rules.name, file.path)
    return mistakes


def expand(text: str) -> str:
    """
    Replace environment variables in a path: ``${NAME}`` or ``${NAME:-default}``.

    A relative path in a variable at the start counts from the working directory, as in any shell; a URL stays as it is.

    Raises:
        PlaybookError: a variable without a default is not set.

    >>> expand("${SURELY_NOT_SET:-exports}/2026")
    'exports/2026'
    """

    def replaced(variable: re.Match[str]) -> str:
        value = os.environ.get(variable["name"]) or variable["default"]
        if value is None:
            message = f"{text} needs the environment variable {variable['name']}, which is not set: set it to a path."
            raise PlaybookError(message)
        from_here = variable.start() == 0 and os.environ.get(variable["name"]) and "://" not in value
        return str(Path(value).absolute()) if from_here else str(value)

    return _VARIABLE.sub(replaced, text)
