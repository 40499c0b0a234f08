"""What the repository promises about itself, whatever is inside the packages."""

import ast
import dataclasses
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
SETTINGS = ROOT / "docs" / "settings.md"
FOR_TESTS = "LEADSCORE_RENEW_GOLDEN"
PACKAGES = ("data", "features", "models", "training", "serving")
COMMANDS = ("leadscore.py", "demonstration.py", "key_commands.py")
FOLDERS = (*PACKAGES, "docs/decisions", "notebooks", "tests")
VERBS = (
    "simulate",
    "draft",
    "check",
    "build",
    "train",
    "compare",
    "report",
    "scorecard",
    "promote",
    "rollback",
    "history",
    "score",
    "explain",
    "load",
    "rename",
    "serve",
    "keys create",
    "keys list",
    "keys rotate",
    "keys revoke",
    "keys signing",
    "deploy",
    "backup",
    "restore",
    "export",
    "recheck",
    "doctor",
    "erase",
    "dossier",
    "demo",
)

# Brackets in the patterns keep this file from matching itself.
PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.+!]+")
REGISTRY = re.compile(
    rb"pypi\.org|pythonhosted\.org|npmjs\.(org|com)|yarnpkg\.com|anaconda\.org|[a]rtifactory|[j]frog\.io|[p]ip\.conf"
    rb"|--(?:extra-)?index-url|--[f]ind-links|--trusted[-]host"
)
MACHINE_PATH = re.compile(rb"(?<![\w.])/(?:root|home|work|Users)/|/tmp[/]w\b")
LOCK_FILES = re.compile(r"(^|/)(.*\.lock|package-lock\.json|pnpm-lock\.yaml|npm-shrinkwrap\.json|pylock.*\.toml)$")

# What runs code when it is read, and what only training or history installs.
UNPICKLERS = {"pickle", "_pickle", "cPickle", "joblib", "cloudpickle", "dill", "shelve", "marshal", "skops"}
NOT_FOR_SERVING = (
    *("lightgbm", "mlflow", "sklearn", "shap", "matplotlib", "duckdb", "lxml"),
    *("altair", "vl_convert", "jsonschema", "lifelines", "optuna", "pyspark"),
)


def committed() -> list[Path]:
    """Give the files git would hold: tracked ones, and new ones that are not ignored."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    files = [ROOT / name for name in names.split("\0") if name]
    return [file for file in files if file.is_file()]


def sources(*packages: str) -> Iterator[tuple[Path, ast.Module]]:
    """Give every Python file of the packages, parsed."""
    for package in packages:
        for file in sorted((ROOT / package).rglob("*.py")):
            yield file.relative_to(ROOT), ast.parse(file.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> set[str]:
    """Give the top-level names that a module imports, wherever in it."""
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    of = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in plain | of}


def places(pattern: re.Pattern[bytes]) -> list[str]:
    """Say in which committed lines the pattern stands."""
    return [
        f"{file.relative_to(ROOT)}:{number}: {found.group().decode(errors='replace')}"
        for file in committed()
        for number, line in enumerate(file.read_bytes().splitlines(), start=1)
        if (found := pattern.search(line))
    ]


def fresh(script: str) -> str:
    """Run a script in an interpreter of its own and give what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# ---- files


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_of_the_layout_exists(folder):
    assert (ROOT / folder).is_dir(), f"{folder}/ is missing"


def test_constraints_hold_pinned_versions_and_nothing_else():
    """A host, a path, a hash or an editable install would tie the pins to one machine."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert lines
    assert [line for line in lines if not PIN.fullmatch(line)] == []


def test_no_version_is_pinned_twice():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    names = [re.sub(r"[-_.]+", "-", line.partition("==")[0]).lower() for line in lines]
    assert sorted(names) == sorted(set(names))


def test_no_committed_file_names_a_package_registry():
    assert places(REGISTRY) == []


def test_no_committed_file_names_a_path_of_one_machine():
    assert places(MACHINE_PATH) == []


def test_no_lock_file_is_committed():
    names = [file.relative_to(ROOT).as_posix() for file in committed()]
    assert [name for name in names if LOCK_FILES.search(name)] == []


def test_every_number_of_a_decision_is_used_once():
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [page.name[:3] for page in pages] == [f"{number:03}" for number in range(1, len(pages) + 1)]


# ---- packages


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_why_it_is_so(package):
    text = (ROOT / package / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# ")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_of_a_package_exists(package):
    module = importlib.import_module(package)
    assert module.__all__, f"{package}/__init__.py lists no public names"
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_has_a_name_that_says_nothing(package):
    """A newcomer must be able to guess what a file holds."""
    empty_names = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
    assert [file for file, _ in sources(package) if file.stem in empty_names] == []


# ---- trust


def test_serving_and_models_never_unpickle():
    """Whoever can write a file must not be able to run code in the server."""
    guilty = {str(file): found for file, tree in sources("serving", "models") if (found := imported(tree) & UNPICKLERS)}
    assert guilty == {}


def test_serving_and_models_never_let_a_library_unpickle():
    calls = re.compile(r"\bread_pickle\(|allow_pickle\s*=\s*True|\btorch\.load\(")
    files = [file for package in ("serving", "models") for file in (ROOT / package).rglob("*.py")]
    assert [file for file in files if calls.search(file.read_text(encoding="utf-8"))] == []


def test_the_server_loads_nothing_that_is_only_for_training():
    script = "import json, sys, serving.app; print(json.dumps([name.partition('.')[0] for name in sys.modules]))"
    loaded = set(json.loads(fresh(script).splitlines()[-1]))
    assert loaded.isdisjoint(NOT_FOR_SERVING), sorted(loaded & set(NOT_FOR_SERVING))


def test_the_server_starts_where_only_its_own_extra_is_installed():
    """None in sys.modules makes an import fail as if the library were not there."""
    blocked = f"import sys; sys.modules.update(dict.fromkeys({NOT_FOR_SERVING!r}))"
    assert fresh(f"{blocked}; from serving.app import create_app; print(create_app.__name__)").strip() == "create_app"


# ---- command line and settings


def command_tree() -> dict[str, object]:
    """Give each verb of the command line by its full name, as typer understood it."""
    import typer.main

    from leadscore import app

    def walk(command, name):
        nested = getattr(command, "commands", None)
        if nested is None:
            return {name: command}
        return {full: leaf for key, sub in nested.items() for full, leaf in walk(sub, f"{name} {key}".strip()).items()}

    return walk(typer.main.get_command(app), "")


def options(command) -> set[str]:
    """Give the long option names of a verb."""
    return {name for param in command.params for name in getattr(param, "opts", ()) if name.startswith("--")}


def environment_names() -> set[str]:
    """Give every environment variable of ours that the code names."""
    named = re.compile(r"LEADSCORE_[A-Z][A-Z0-9_]*[A-Z0-9]")
    trees = [tree for _, tree in sources(*PACKAGES)]
    trees += [ast.parse((ROOT / name).read_text(encoding="utf-8")) for name in COMMANDS]
    texts = [node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return {name for text in texts if isinstance(text, str) for name in named.findall(text)}


def setting_names() -> set[str]:
    """Give the fields of the server's settings, whichever kind of value object they are."""
    settings = importlib.import_module("serving.settings").Settings
    if dataclasses.is_dataclass(settings):
        return {field.name for field in dataclasses.fields(settings)}
    return set(settings.model_fields)


def test_the_command_line_has_every_promised_verb():
    assert set(VERBS) - set(command_tree()) == set()


@pytest.mark.parametrize("verb", VERBS)
def test_every_promised_verb_takes_a_playbook_and_answers_in_json(verb):
    assert {"--playbook", "--json"} - options(command_tree()[verb]) == set()


def test_every_verb_says_what_it_does():
    assert [name for name, command in command_tree().items() if not (command.help or "").strip()] == []


def documentation() -> str:
    """Return the text of every page that users read."""
    files = [README, ROOT / "SECURITY.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "guides").glob("*.md")]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def test_every_verb_is_documented():
    text = documentation()
    assert [name for name in command_tree() if not re.search(rf"leadscore {re.escape(name)}(?![\w-])", text)] == []


def test_every_environment_variable_is_documented():
    text = SETTINGS.read_text(encoding="utf-8")
    assert sorted(name for name in environment_names() - {FOR_TESTS} if name not in text) == []


def test_every_setting_of_the_server_is_documented():
    text = SETTINGS.read_text(encoding="utf-8")
    assert sorted(name for name in setting_names() if f"LEADSCORE_{name.upper()}" not in text) == []
