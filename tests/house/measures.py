"""
The house in numbers: how long its functions and files are, how its docstrings begin, and which way its imports run.

``python -m tests.house`` prints them; the tests beside this file hold them.
"""

import ast
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, quantiles

import grimp
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("data", "features", "models", "training", "serving")
TWICE_ALLOWED = {"__init__", "errors", "commands"}
"""File names that several packages may have; routers in ``serving/api`` are named after what they route."""
ROUTERS = "serving/api"
_README_LINES = 40
_OPENING = re.compile(r"(Give|Say|Tell|Let)\b")
_PARTICIPLE = re.compile(r"[A-Z][a-z]+(ed|ing)")
_IRREGULAR = re.compile(
    "Asked|Bound|Built|Chosen|Drawn|Due|Found|Given|Gone|Held|Kept|Known|Left|Made|Meant|Seen|Sent|Shown|Sold|Taken|Told"
)
_NOUNS = {"Encoding", "Ranking", "Setting", "String"}


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file of the product: its path from the root, its text, and its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every function, methods and nested ones included."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    @property
    def classes(self) -> list[ast.ClassDef]:
        """Every class, nested ones included."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef)]

    @property
    def docstrings(self) -> list[str]:
        """Every docstring: of the module, its classes and its functions."""
        documented = [self.tree, *self.classes, *self.functions]
        return [text for node in documented if (text := ast.get_docstring(node))]


def product() -> list[Source]:
    """Return the product's files: the packages and the command line, without migrations and tests."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    paths += sorted(ROOT.glob("*.py"))
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    return [
        Source(path, text, ast.parse(text)) for path, text in texts.items() if "/store/migrations/versions/" not in path
    ]


def function_lengths(sources: list[Source]) -> dict[str, int]:
    """
    Return the lines of code of each function, by file, line and name.

    Its docstring, blank lines and comments do not count; its signature does.
    """
    return {
        f"{source.path}:{node.lineno} {node.name}": _code_lines(source, node)
        for source in sources
        for node in source.functions
    }


def _code_lines(source: Source, node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = source.text.splitlines()[node.lineno - 1 : node.end_lineno]
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        lines = lines[: first.lineno - node.lineno] + lines[(first.end_lineno or first.lineno) - node.lineno + 1 :]
    return sum(1 for line in lines if line.strip() and not line.strip().startswith("#"))


def file_lengths(sources: list[Source]) -> dict[str, int]:
    """Return the lines of each file, blank ones included."""
    return {source.path: len(source.text.splitlines()) for source in sources}


def public_classes(sources: list[Source]) -> dict[str, list[str]]:
    """Return where each public class name stands."""
    places = defaultdict(list)
    for source in sources:
        for node in source.classes:
            if not node.name.startswith("_"):
                places[node.name].append(source.path)
    return dict(places)


def file_names(sources: list[Source]) -> dict[str, list[str]]:
    """Return where each file name stands that may stand only once."""
    places = defaultdict(list)
    for source in sources:
        path = Path(source.path)
        if path.stem not in TWICE_ALLOWED and path.parent.as_posix() != ROUTERS:
            places[path.stem].append(source.path)
    return dict(places)


def twice(places: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the names that stand in more than one place."""
    return {name: where for name, where in places.items() if len(where) > 1}


def participles(sources: list[Source]) -> list[str]:
    """Return the classes that are named by a participle alone, such as ``Trained``."""
    names = (node.name.lstrip("_") for source in sources for node in source.classes)
    return sorted({name for name in names if is_participle(name)})


def is_participle(name: str) -> bool:
    """
    Return whether a class name is one bare participle.

    >>> [is_participle(name) for name in ("Trained", "Told", "TrainResult", "Encoding")]
    [True, True, False, False]
    """
    return _IRREGULAR.fullmatch(name) is not None or (_PARTICIPLE.fullmatch(name) is not None and name not in _NOUNS)


def vague_openings(sources: list[Source]) -> tuple[list[str], int]:
    """Return the docstrings that begin with Give, Say, Tell or Let, and how many docstrings there are."""
    texts = [(source.path, text.strip().splitlines()[0]) for source in sources for text in source.docstrings]
    return [f"{path}: {line}" for path, line in texts if _OPENING.match(line)], len(texts)


def imports() -> set[tuple[str, str]]:
    """Return which file imports which, for type checking too; packages that only re-export are left out."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    modules = {module for module in graph.modules if not graph.find_children(module)}
    return {
        (importer, imported)
        for importer in modules
        for imported in graph.find_modules_directly_imported_by(importer)
        if imported in modules
    }


def circles(arrows: set[tuple[str, str]]) -> list[list[str]]:
    """
    Return the groups of files that import each other, directly or through others.

    >>> circles({("a", "b"), ("b", "c"), ("c", "b")})
    [['b', 'c']]
    """
    names = sorted({name for arrow in arrows for name in arrow})
    number = {name: index for index, name in enumerate(names)}
    rows, columns = zip(*((number[importer], number[imported]) for importer, imported in arrows), strict=True)
    matrix = coo_array(([1] * len(rows), (rows, columns)), shape=(len(names), len(names)))
    _, labels = connected_components(matrix, connection="strong")
    groups = defaultdict(list)
    for name, label in zip(names, labels, strict=True):
        groups[label].append(name)
    return [group for group in groups.values() if len(group) > 1]


def arrows_back_up(arrows: set[tuple[str, str]]) -> list[str]:
    """Return the imports that run against the layers which ``pyproject.toml`` names."""
    floor = dict(_floors())
    climbing = []
    for importer, imported in sorted(arrows):
        for depth in (1, 2):
            low, high = (".".join(name.split(".")[:depth]) for name in (importer, imported))
            if low != high and low in floor and high in floor and floor[high] > floor[low] and _siblings(low, high):
                climbing.append(f"{importer} -> {imported}")
    return climbing


def _siblings(first: str, second: str) -> bool:
    return first.rpartition(".")[0] == second.rpartition(".")[0]


def _floors() -> Iterator[tuple[str, int]]:
    """Yield every layer of the import rules with its height; the lowest is 0."""
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    for rule in rules:
        if rule["type"] == "layers":
            for container in rule.get("containers", [""]):
                for height, layer in enumerate(reversed(rule["layers"])):
                    for name in layer.split("|"):
                        yield f"{container}.{name.strip()}".strip("."), height


def readme_words() -> int:
    """Return how many words stand in the first 40 lines of the README."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:_README_LINES]
    return sum(len(line.split()) for line in lines)


def summary() -> list[tuple[str, str]]:
    """Return every figure with what it measures."""
    sources = product()
    functions, files = function_lengths(sources), file_lengths(sources)
    classes = Counter(source.path for source in sources for _ in source.classes)
    openings, documented = vague_openings(sources)
    arrows = imports()
    return [
        ("functions", f"{len(functions)}: p90 {quantiles(functions.values(), n=10)[-1]:g}, {_spread(functions)}"),
        ("files", f"{len(files)}: {sum(files.values()):,} lines, {_spread(files)}"),
        ("classes a module", f"mean {mean(classes[source.path] for source in sources):.2f}, {_spread(classes)}"),
        ("class names twice", str(len(twice(public_classes(sources))))),
        ("file names twice", str(len(twice(file_names(sources))))),
        ("participle classes", str(len(participles(sources)))),
        ("docstrings that begin with Give, Say, Tell, Let", f"{len(openings)} of {documented}"),
        ("circles of files", str(len(circles(arrows)))),
        ("imports back up", str(len(arrows_back_up(arrows)))),
        ("words in the README's first 40 lines", str(readme_words())),
    ]


def _spread(lengths: Mapping[str, int]) -> str:
    largest = max(lengths, key=lengths.__getitem__)
    return f"median {median(lengths.values()):g}, most {lengths[largest]} ({largest})"
