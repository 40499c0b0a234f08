"""
The model beside AutoGluon, the strongest AutoML we know, on the very same rows: ``make bench-automl``.

AutoGluon is installed into an environment of its own, in ``.venv-automl``, when it is first asked for. It gets the
training set that leadscore made: the same features, weights and folds by account, its preset for the best quality, and
five minutes. leadscore fits both of its families and chooses between them. Both are judged by their log loss on the
test weeks, which no fit saw; leadscore's choice between its two families did (decision 035 says what that is worth).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from rich.console import Console
from rich.table import Table

from data.home import Home
from data.progress import silent
from data.simulation import simulate
from data.words.playbook import load_playbook
from data.workspace import Workspace
from tests.bench.figures import BPI, datasets_folder
from training.dataset.dataset import SEED, Dataset
from training.dataset.dataset_builder import load_training_inputs
from training.dataset.origins import rolling_origins
from training.evaluation.backtest import evaluate_origins
from training.fitting.folds import deal_folds
from training.statistics.scoring_metrics import losses

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "docs" / "automl.json"
RIVAL = ROOT / ".venv-automl"
RIVAL_NEEDS = "autogluon.tabular[lightgbm,catboost,xgboost]==1.6.*"
UNTIL = datetime(2026, 3, 1, tzinfo=UTC)
SECONDS = 300

_THEIRS = """
import json, sys, time, warnings
import pandas as pd
from autogluon.tabular import TabularPredictor
folder, seconds = sys.argv[1], int(sys.argv[2])
train, test = (pd.read_parquet(f"{folder}/{name}.parquet") for name in ("train", "test"))
started = time.perf_counter()
predictor = TabularPredictor(
    label="label", problem_type="binary", eval_metric="log_loss", path=f"{folder}/models",
    sample_weight="weight", groups="fold", verbosity=0,
).fit(train, presets="best_quality", time_limit=seconds, num_cpus=2, num_gpus=0, dynamic_stacking=False)
took = time.perf_counter() - started
chance = predictor.predict_proba(test.drop(columns="label"))[1]
chance.to_frame("chance").to_parquet(f"{folder}/chance.parquet")
print(json.dumps({"seconds": took, "best": predictor.model_best, "models": len(predictor.model_names())}))
"""


def main() -> int:
    """Compare on each history, or on those named; keep the figures in ``docs/automl.json``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    none: list[str] = []  # argparse looks for what stands for no argument among the choices
    parser.add_argument("history", nargs="*", choices=[none, *HISTORIES], metavar="HISTORY", help=", ".join(HISTORIES))
    parser.add_argument("--seconds", type=int, default=SECONDS, help="that AutoGluon may take for each")
    asked = parser.parse_args()
    _install_rival()
    kept = {row["history"]: row for row in json.loads(OUT.read_text())} if OUT.exists() else {}
    for name in asked.history or HISTORIES:
        with tempfile.TemporaryDirectory(prefix="leadscore-automl-") as folder:
            workspace = HISTORIES[name](Path(folder))
            if workspace is None:
                print(f"{name}: its data are not on this machine.", file=sys.stderr)
                continue
            kept[name] = {"history": name, **_compared(workspace, Path(folder), seconds=asked.seconds)}
        rows = [kept[each] for each in HISTORIES if each in kept]
        OUT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    _print(list(kept.values()))
    return 0


def _install_rival() -> None:
    if not (RIVAL / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(RIVAL)], check=True)
    found = subprocess.run(
        [RIVAL / "bin" / "python", "-c", "import autogluon.tabular"], check=False, capture_output=True
    )
    if found.returncode:
        print("installing AutoGluon …", file=sys.stderr, flush=True)
        subprocess.run([RIVAL / "bin" / "python", "-m", "pip", "install", "-q", RIVAL_NEEDS], check=True)


def _demo(folder: Path) -> Workspace:
    simulate(folder / "company", leads=20_000, seed=7, until=UNTIL)
    return Workspace(load_playbook(folder / "company"), Home(folder / "home"))


def _drifting(folder: Path) -> Workspace:
    simulate(folder / "company", leads=8_000, seed=11, until=UNTIL, drift=1.0)
    return Workspace(load_playbook(folder / "company"), Home(folder / "home"))


def _few(folder: Path) -> Workspace:
    """Of 1,300 leads about 150 succeed."""
    simulate(folder / "company", leads=1_300, seed=12, until=UNTIL)
    return Workspace(load_playbook(folder / "company"), Home(folder / "home"))


def _leads_alone(folder: Path) -> Workspace:
    """A table of leads without any activity."""
    simulate(folder / "company", leads=8_000, seed=13, until=UNTIL)
    playbook = folder / "company" / "playbook.yaml"
    content = yaml.safe_load(playbook.read_text(encoding="utf-8"))
    content["sources"] = [source for source in content["sources"] if source["holds"] != "activities"]
    playbook.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return Workspace(load_playbook(folder / "company"), Home(folder / "home"))


def _bpi2012(folder: Path) -> Workspace | None:
    if not (datasets_folder() / "bpi2012").is_dir():
        return None
    return Workspace(load_playbook(BPI), Home(folder / "home"))


HISTORIES: dict[str, Callable[[Path], Workspace | None]] = {
    "bpi2012": _bpi2012,
    "demo": _demo,
    "drifting": _drifting,
    "few": _few,
    "leads_alone": _leads_alone,
}


def _compared(workspace: Workspace, folder: Path, *, seconds: int) -> dict[str, object]:
    """Fit both to the train rows, and return their log loss on the test rows and what each took."""
    dataset = load_training_inputs(workspace, progress=silent, seed=SEED).dataset
    started = time.perf_counter()
    found = evaluate_origins(rolling_origins(dataset), workspace.playbook)
    ours_took = time.perf_counter() - started
    test = dataset.block("test")
    label, weight = (test[name].to_numpy(dtype=np.float64) for name in ("label", "weight"))
    theirs, said = _rival(dataset, folder, seconds=seconds)
    loss = {
        "leadscore": float(np.average(losses(found.origins[-1].contenders[0].probability, label), weights=weight)),
        "AutoGluon": float(np.average(losses(theirs, label), weights=weight)),
    }
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "train_rows": len(dataset.block("train")),
        "test_rows": len(test),
        "features": len(dataset.catalog.features),
        "family": found.choice.family,
        "log_loss": loss,
        "seconds": {"leadscore, three origins": ours_took, "AutoGluon": said["seconds"]},
        "rival": said,
    }


def _rival(dataset: Dataset, folder: Path, *, seconds: int) -> tuple[np.ndarray, dict[str, object]]:
    """Return AutoGluon's chances of the test rows, fitted to the same rows in a process of its own."""
    train = dataset.block("train")
    folds = deal_folds(train["group"], train["label"], seed=SEED)
    for name, rows in (("train", train.assign(fold=folds)), ("test", dataset.block("test"))):
        columns = ["label", "weight", *(["fold"] if name == "train" else []), *dataset.catalog.names]
        pd.DataFrame({column: _plain(rows[column]) for column in columns}).to_parquet(folder / f"{name}.parquet")
    command = [str(RIVAL / "bin" / "python"), "-c", _THEIRS, str(folder), str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)
    return pd.read_parquet(folder / "chance.parquet")["chance"].to_numpy(), json.loads(done.stdout.splitlines()[-1])


def _plain(column: "pd.Series[float]") -> "pd.Series[float]":
    """Return a column of plain numbers or of text, which every version of pandas reads."""
    return column.astype("float64") if pd.api.types.is_numeric_dtype(column) else column.astype("object")


def _print(rows: list[dict[str, object]]) -> None:
    table = Table("history", title="Log loss on the test weeks, lower is better", title_justify="left")
    for name in ("leadscore", "AutoGluon", "seconds", "its seconds", "serves"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*_cells(row))
    Console().print(table)


def _cells(row: dict[str, object]) -> Iterator[str]:
    yield str(row["history"])
    yield from (f"{row['log_loss'][name]:.4f}" for name in ("leadscore", "AutoGluon"))  # type: ignore[index]
    yield from (f"{took:.0f}" for took in row["seconds"].values())  # type: ignore[attr-defined]
    yield str(row["family"])


if __name__ == "__main__":
    sys.exit(main())
