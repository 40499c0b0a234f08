"""YAML that remembers where each value stood, so that a mistake can be named by file and line."""

import difflib
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from data.errors import PlaybookError

Where = tuple[Hashable, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing a file says that cannot be meant, and where it stands."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        """
        Write it as editors understand it.

        >>> str(Mistake("playbook.yaml", 3, "goal: missing, name the stage."))
        'playbook.yaml:3: goal: missing, name the stage.'
        """
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class YamlFile:
    """The content of one YAML file and the line of each value in it."""

    path: Path
    content: Any
    lines: dict[Where, int] = field(repr=False)

    def mistake(self, where: Sequence[Hashable], message: str) -> Mistake:
        """Name a mistake at the nearest place the file has for it."""
        place = tuple(where)
        while place and place not in self.lines:
            place = place[:-1]
        dotted = ".".join(str(part) for part in where)
        return Mistake(str(self.path), self.lines.get(place, 1), f"{dotted}: {message}" if dotted else message)


def read_yaml(path: Path) -> YamlFile:
    """
    Read one YAML file with the line of each value.

    Raises:
        PlaybookError: the file is missing, is not text, or is not YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        message = f"{path} does not exist: a playbook is a folder with playbook.yaml, scorecard.yaml and routing.yaml."
        raise PlaybookError(message) from None
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read as UTF-8 text ({error}): save it as a UTF-8 file."
        raise PlaybookError(message) from None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise PlaybookError(_broken(path, error)) from None
    lines: dict[Where, int] = {}
    if node is not None:
        mistakes = _walk(node, (), lines=lines, path=path)
        if mistakes:
            raise playbook_error(mistakes)
    return YamlFile(path, content, lines)


def parse_as(model: type[Model], file: YamlFile) -> Model | list[Mistake]:
    """Check a file's content against a model; give the value, or every mistake at once."""
    if not isinstance(file.content, dict):
        return [file.mistake((), f"expected a mapping of {', '.join(model.model_fields)}, found something else.")]
    try:
        return model.model_validate(file.content)
    except ValidationError as error:
        return [_said(file, model, detail) for detail in error.errors(include_url=False)]


def playbook_error(mistakes: Iterable[Mistake]) -> PlaybookError:
    """Put every mistake into one error, one line each."""
    said = list(dict.fromkeys(str(mistake) for mistake in mistakes))
    return PlaybookError("\n".join(said))


def nearest(found: str, known: Iterable[str]) -> str:
    """
    Say what was probably meant.

    >>> nearest("page_veiw", ["page_view", "call"])
    'did you mean page_view?'
    >>> nearest("xyz", ["page_view", "call"])
    'known are call, page_view.'
    """
    names = sorted(known)
    close = difflib.get_close_matches(found, names, n=1)
    if close:
        return f"did you mean {close[0]}?"
    shown = ", ".join(names[:12]) or "none"
    return f"known are {shown}{', …' if len(names) > 12 else '.'}"  # noqa: PLR2004 - a line one can still read


def _broken(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it cannot be read"
    line = mark.line + 1 if mark is not None else 1
    return f"{path}:{line}: this is not YAML ({problem}): mend the line; indentation and quotes are the usual cause."


def _walk(node: yaml.Node, where: Where, *, lines: dict[Where, int], path: Path) -> list[Mistake]:
    lines[where] = node.start_mark.line + 1
    mistakes = []
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = (*where, key.value)
            if name in lines:
                said = f"{key.value} is given twice (first on line {lines[name]}): keep one."
                mistakes.append(Mistake(str(path), key.start_mark.line + 1, said))
            mistakes += _walk(value, name, lines=lines, path=path)
            lines[name] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            mistakes += _walk(item, (*where, position), lines=lines, path=path)
    return mistakes


def _said(file: YamlFile, model: type[BaseModel], detail: ErrorDetails) -> Mistake:
    where = tuple(part for part in detail["loc"] if not str(part).startswith("function-"))
    if detail["type"] == "extra_forbidden":
        known = _siblings(model, where)
        return file.mistake(where, f"unknown name; {nearest(str(where[-1]), known)}" if known else "unknown name.")
    if detail["type"] == "missing":
        return file.mistake(where, "missing; add it.")
    told = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    shown = repr(detail["input"])
    found = f" (found {shown})" if len(shown) < 60 else ""  # noqa: PLR2004 - longer than this nobody reads
    return file.mistake(where, f"{told}{found}.")


def _siblings(model: type[BaseModel], where: Where) -> list[str]:
    """Name the fields that were possible where an unknown one was found; only the top level is looked up."""
    return list(model.model_fields) if len(where) == 1 else []
