"""The import rules of pyproject.toml find what they are there to find."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.test_house import PACKAGES, ROOT, imported, sources

# What the rules allow: one line of code per module.
ALLOWED = {
    "data/importing/warehouse.py": "import duckdb, ibis",
    "features/history/over_history.py": "import ibis.expr.types, data.importing.warehouse",
    "models/booster.py": "import lightgbm",
    "models/bundle.py": "import features.live.live_features",
    "models/signing.py": "import cryptography",
    "training/fitting/fit.py": "import lightgbm, mlflow, shap, models.booster, models.bundle, features.catalog",
    "serving/scorers/live_scorer.py": "import features.live.live_features, models.bundle",
    "serving/app.py": "import fastapi, sqlalchemy.orm, serving.scorers.live_scorer",
}

# What they forbid, and the words of the rule that must say so.
FORBIDDEN = [
    ("data/contract.py", "import features.live.live_features", "Imports go one way"),
    ("features/catalog.py", "import models.bundle", "Imports go one way"),
    ("models/receipt.py", "import training.fitting.fit", "Imports go one way"),
    ("training/reporting/report.py", "import serving.app", "Imports go one way"),
    ("serving/worker.py", "import training.fitting.fit", "Imports go one way"),
    ("serving/worker.py", "def late():\n    import training.fitting.fit", "Imports go one way"),
    ("features/sweep/kernel.py", "import features.history.over_history", "Rooms of features"),
    ("features/live/live_sweep.py", "import features.history.sorted_facts", "Rooms of features"),
    ("training/dataset/labels.py", "import training.fitting.fit", "Rooms of training"),
    ("training/statistics/bootstrap.py", "import training.dataset.dataset", "Rooms of training"),
    ("training/heap.py", "", "Rooms of training"),
    ("serving/store/tables.py", "import serving.scores.crossings", "Rooms of serving"),
    ("serving/intake/merging.py", "import serving.privacy.erasure", "Rooms of serving"),
    ("data/contract.py", "import leadscore", "No package imports the command line"),
    ("training/reporting/report.py", "import fastapi", "fastapi and sqlalchemy only"),
    ("models/receipt.py", "from sqlalchemy import select", "fastapi and sqlalchemy only"),
    ("serving/worker.py", "import cryptography", "cryptography only in models.signing"),
    ("models/bundle.py", "import mlflow.pyfunc", "mlflow only"),
    ("serving/worker.py", "from mlflow import pyfunc", "mlflow only"),
    ("models/explanation.py", "import shap", "shap only"),
    ("models/conversion.py", "import lightgbm", "lightgbm only"),
    ("serving/worker.py", "import lightgbm", "lightgbm only"),
    ("serving/worker.py", "import models.booster", "models.booster only"),
    ("models/__init__.py", "from models import booster", "models.booster only"),
    ("models/scorecard.py", "import ibis", "ibis and duckdb only"),
    ("training/dataset/dataset.py", "import duckdb", "ibis and duckdb only"),
    ("serving/worker.py", "from ibis import _", "ibis and duckdb only"),
]


def rooms() -> set[str]:
    """Return every room that the rules name, such as ``training/dataset``."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {
        f"{container}/{name.strip()}"
        for contract in settings["tool"]["importlinter"]["contracts"]
        for container in contract.get("containers", ())
        for layer in contract["layers"]
        for name in layer.split("|")
    }


def checked(folder: Path, modules: dict[str, str]) -> str:
    """Run import-linter with our rules over made-up packages and return what it prints."""
    (folder / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    flat = {name.removesuffix(".py") for name in modules}
    packages = [*PACKAGES, *sorted(rooms() - flat)]
    for name in (*(f"{package}/__init__.py" for package in packages), *modules):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.parent.joinpath("__init__.py").touch()
        file.write_text(f"{modules.get(name, '')}\n", encoding="utf-8")
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=300).stdout


def test_what_the_design_allows_is_kept(tmp_path):
    assert re.search(r"Contracts: \d+ kept, 0 broken\.", checked(tmp_path, ALLOWED))


@pytest.mark.parametrize(("module", "code", "rule"), FORBIDDEN)
def test_what_the_design_forbids_is_found(tmp_path, module, code, rule):
    assert re.search(rf"^{re.escape(rule)}.* BROKEN", checked(tmp_path, ALLOWED | {module: code}), re.MULTILINE)


def test_the_command_line_only_hands_over():
    """They are modules, which import-linter does not look at."""
    fenced = {"fastapi", "sqlalchemy", "mlflow", "lightgbm", "shap", "ibis", "duckdb", "sklearn", "numba"}
    for name in ("leadscore.py", "key_commands.py"):
        assert imported(ast.parse((ROOT / name).read_text(encoding="utf-8"))) & fenced == set()


def test_every_package_is_looked_at():
    """A package without files would keep every rule."""
    assert [package for package in PACKAGES if not list(sources(package))] == []
