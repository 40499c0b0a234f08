"""YAML that remembers where each value stood, so that a mistake can be named by file and line."""

import difflib
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from yaml.constructor import SafeConstructor
from yaml.reader import ReaderError

from data.errors import PlaybookError
from data.words.yaml_traps import trap

_FASTEST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # PyYAML can be built without libyaml
DEEPEST = 20
MOST_PLACES = 100_000
Where = tuple[Hashable, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a file, and its line."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        """
        Return the mistake in the form that editors make clickable.

        >>> str(Mistake("playbook.yaml", 3, "goal: missing, name the stage."))
        'playbook.yaml:3: goal: missing, name the stage.'
        """
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class YamlFile:
    """The content of one YAML file, the line of each value in it, and what is wrong whatever it should say."""

    path: Path
    content: Any
    lines: dict[Where, int] = field(repr=False)
    mistakes: tuple[Mistake, ...] = ()

    def mistake(self, where: Sequence[Hashable], message: str) -> Mistake:
        """Return a mistake at the nearest place the file has for it."""
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
        message = f"{path}:1: this cannot be read as UTF-8 text ({error}): save it as a UTF-8 file."
        raise PlaybookError(message) from None
    node = _composed(path, text)
    lines: dict[Where, int] = {}
    mistakes = _walk(node, (), lines=lines, path=path) if node is not None else []
    return YamlFile(path, {} if mistakes else _content(path, node), lines, tuple(mistakes))


def _composed(path: Path, text: str) -> yaml.Node | None:
    try:
        node = _nodes(path, text, _FASTEST)
    except yaml.YAMLError:
        node = _explained(path, text)
    if node is not None and _places_in(node, path, above=(), known={}) > MOST_PLACES:
        raise _error_at(path, None, "aliases (*name) expand to too many values: write them out.")
    return node


def _nodes(path: Path, text: str, loader: Any) -> yaml.Node | None:
    _require_flat(path, yaml.parse(text, Loader=loader))
    return yaml.compose(text, Loader=loader)


def _explained(path: Path, text: str) -> yaml.Node | None:
    """Read again, with the reader in Python, what libyaml refuses: it is slow, but says more clearly what is wrong."""
    try:
        return _nodes(path, text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        message = _broken(path, text, error)
        raise PlaybookError(message) from None


def _require_flat(path: Path, events: Iterable[yaml.Event]) -> None:
    depth = 0
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            message = f"lists and mappings are nested too deeply: at most {DEEPEST} levels are allowed."
            raise _error_at(path, event, message)


def _error_at(path: Path, part: yaml.Node | yaml.Event | None, message: str) -> PlaybookError:
    mark = None if part is None else part.start_mark
    return playbook_error([Mistake(str(path), 1 if mark is None else mark.line + 1, message)])


def _places_in(node: yaml.Node, path: Path, *, above: tuple[int, ...], known: dict[int, int]) -> int:
    """Count the values of a node with its aliases expanded."""
    if id(node) in above:
        raise _error_at(path, node, "this alias contains itself: write the values out.")
    if id(node) not in known:
        parts = node.value if isinstance(node, yaml.CollectionNode) else []
        inner = [each for part in parts for each in (part if isinstance(part, tuple) else (part,))]
        counted = (_places_in(each, path, above=(*above, id(node)), known=known) for each in inner)
        known[id(node)] = 1 + sum(counted)
    return known[id(node)]


def _content(path: Path, node: yaml.Node | None) -> Any:
    """Convert nodes into values, one by one, so that a bad value is reported with its line."""
    match node:
        case yaml.MappingNode():
            return {_content(path, key): _content(path, value) for key, value in node.value}
        case yaml.SequenceNode():
            return [_content(path, item) for item in node.value]
        case yaml.ScalarNode():
            return _scalar(path, node)
        case _:
            return None


def _scalar(path: Path, node: yaml.ScalarNode) -> Any:
    if node.tag == "tag:yaml.org,2002:timestamp":
        return node.value  # a playbook holds no dates; what looks like one is text
    try:
        return SafeConstructor().construct_object(node)
    except (yaml.YAMLError, ValueError):
        message = f"{node.value[:40]!r} is not a value that a playbook can hold: put it in quotes if it is text."
        raise _error_at(path, node, message) from None


def parse_as(model: type[Model], file: YamlFile) -> Model | list[Mistake]:
    """Check a file's content against a model; return the value, or every mistake at once."""
    if file.mistakes:
        return list(file.mistakes)
    if not isinstance(file.content, dict):
        names = sorted(model.model_fields, key=lambda name: not model.model_fields[name].is_required())
        message = f"expected a mapping of {', '.join(names)}, found something else."
        return [file.mistake((), message)]
    try:
        return model.model_validate(file.content)
    except ValidationError as error:
        details = error.errors(include_url=False)
        return [_mistake_of(file, model, detail) for detail in details if not _is_echo(detail)]


def playbook_error(mistakes: Iterable[Mistake]) -> PlaybookError:
    """Return one error with every mistake, one line each."""
    lines = list(dict.fromkeys(str(mistake) for mistake in mistakes))
    return PlaybookError("\n".join(lines))


def nearest(name: str, known: Iterable[str]) -> str:
    """
    Suggest what was probably meant.

    >>> nearest("page_veiw", ["page_view", "call"])
    'did you mean page_view?'
    >>> nearest("xyz", ["page_view", "call"])
    'known are call, page_view.'
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"did you mean {close[0]}?"
    shown = ", ".join(names[:12]) or "none"
    return f"known are {shown}{', …' if len(names) > 12 else '.'}"  # noqa: PLR2004 - a line one can still read


def _broken(path: Path, text: str, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    before = text[: error.position] if isinstance(error, ReaderError) else ""
    line = mark.line + 1 if mark is not None else before.count("\n") + 1
    return f"{path}:{line}: this is not YAML ({problem}): mend the line; indentation and quotes are the usual cause."


def _walk(node: yaml.Node, where: Where, *, lines: dict[Where, int], path: Path) -> list[Mistake]:
    lines[where] = node.start_mark.line + 1
    trapped = trap(node)
    mistakes = [Mistake(str(path), node.start_mark.line + 1, trapped)] if trapped else []
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            mistakes += _walk_key(key, where, lines=lines, path=path)
            if isinstance(key, yaml.ScalarNode):
                name = (*where, key.value)
                mistakes += _walk(value, name, lines=lines, path=path)
                lines[name] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            mistakes += _walk(item, (*where, position), lines=lines, path=path)
    return mistakes


def _walk_key(key: yaml.Node, where: Where, *, lines: dict[Where, int], path: Path) -> list[Mistake]:
    line = key.start_mark.line + 1
    if not isinstance(key, yaml.ScalarNode):
        return [Mistake(str(path), line, "a list or mapping cannot be a key: write a name before the colon.")]
    if trapped := trap(key):
        return [Mistake(str(path), line, trapped)]
    if key.tag == "tag:yaml.org,2002:merge":
        return [Mistake(str(path), line, "<< (merge) is not supported: write the values out.")]
    if (*where, key.value) in lines:
        message = f"{key.value} is given twice (first on line {lines[(*where, key.value)]}): keep one."
        return [Mistake(str(path), line, message)]
    return []


def _is_echo(detail: ErrorDetails) -> bool:
    """Return whether a list counts as too short only because its items are mistaken, which are reported themselves."""
    return detail["type"] == "too_short" and bool(detail["input"])


def _mistake_of(file: YamlFile, model: type[BaseModel], detail: ErrorDetails) -> Mistake:
    where = _in_file(file.content, tuple(detail["loc"]))
    if detail["type"] == "extra_forbidden":
        known = _fields_beside(model, tuple(detail["loc"]))
        return file.mistake(where, f"unknown name; {nearest(str(where[-1]), known)}" if known else "unknown name.")
    if detail["type"] == "missing":
        return file.mistake(where, "missing; add it.")
    if detail["type"] == "union_tag_invalid":
        return file.mistake((*where, _tag_name(detail["ctx"])), _unknown_tag(detail["ctx"]))
    problem = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    shown = repr(detail["input"])
    input_shown = f" (found {shown})" if len(shown) < 60 else ""  # noqa: PLR2004 - a longer value hides the message
    return file.mistake(where, f"{problem}{input_shown}{_quotes(detail)}.")


def _quotes(detail: ErrorDetails) -> str:
    if detail["type"] != "string_type" or not isinstance(detail["input"], bool | int | float):
        return ""
    return "; put it in quotes"


def _unknown_tag(context: Mapping[str, Any]) -> str:
    known = [tag.strip(" '") for tag in context["expected_tags"].split(",")]
    return f"unknown {_tag_name(context)} {context['tag']}; {nearest(context['tag'], known)}"


def _tag_name(context: Mapping[str, Any]) -> str:
    return str(context["discriminator"]).strip("'")


def _in_file(content: Any, loc: Where) -> Where:
    """Remove what pydantic adds to a place, such as the member of a union."""
    return max(_places(content, loc), key=lambda place: (place[-1:] == loc[-1:], len(place)))


def _places(content: Any, loc: Where) -> Iterator[Where]:
    """Yield every reading of a place: each part is a name in the file, or a word of pydantic's own."""
    if not loc:
        yield ()
        return
    part, rest = loc[0], loc[1:]
    if isinstance(content, dict) and (part in content or (not rest and part != "[key]")):
        yield from ((part, *place) for place in _places(content.get(part), rest))
    elif isinstance(content, list) and isinstance(part, int) and part < len(content):
        yield from ((part, *place) for place in _places(content[part], rest))
    yield from _places(content, rest)


def _fields_beside(model: type[BaseModel], loc: Where) -> list[str]:
    """Return the fields that were possible in the place of an unknown one."""
    models = [model]
    for part in loc[:-1]:
        fields = [each.model_fields[str(part)] for each in models if str(part) in each.model_fields]
        inner = [inner_model for field in fields for inner_model in _models_in(field.annotation)]
        models = inner or [each for each in models if part in _tags(each)] or models
    return sorted({info.alias or name for each in models for name, info in each.model_fields.items()})


def _tags(model: type[BaseModel]) -> set[Any]:
    """Return what distinguishes a model in a union: its fixed words and its required fields."""
    fields = model.model_fields
    words = {
        word
        for field in fields.values()
        if get_origin(field.annotation) is Literal
        for word in get_args(field.annotation)
    }
    return words | {name for name, field in fields.items() if field.is_required()}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]
