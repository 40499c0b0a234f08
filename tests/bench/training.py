"""How long training takes on a million snapshots, and how much memory, against what it may take."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from data.words.playbook import Playbook
from tests.training.drawn import drawn
from training.dataset.dataset import SEED, Dataset

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOTS, FEATURES = 1_000_000, 60
ALLOWED_S, ALLOWED_GB = 300.0, 10.0


def train_million() -> dict[str, object]:
    """
    Train on a million snapshots in a process of its own: all of ``leadscore train`` that needs no history.

    Left out are the rebuild of 500 snapshots without the future, and MLflow's files, which take the same seconds
    whatever the size.

    Returns:
        {"bench", "unit", "ours", "against", "theirs", "ratio"}; a ratio above 1 means that there was time left.
    """
    command = [sys.executable, "-m", "tests.bench.training"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    took = sum(found["seconds"].values())
    parts = ", ".join(f"{name} {seconds:.0f}" for name, seconds in found["seconds"].items())
    return {
        "bench": "train_million",
        "unit": "s",
        "ours": took,
        "against": f"the five minutes it may take; {found['rows']:,} snapshots × {FEATURES} features, {parts}; "
        f"peak {found['peak_gb']:.1f} GB of {ALLOWED_GB:.0f}",
        "theirs": ALLOWED_S,
        "ratio": ALLOWED_S / took,
    }


def main() -> None:
    """Go through the steps of training one after the other, and say how long each took and what memory all came to."""
    # here, so that what the libraries take to load counts for no step
    from training.dataset.origins import on_all_rows, rolling_origins
    from training.distillation.distillation import distil
    from training.evaluation.assembly import Findings, evaluation_of
    from training.evaluation.backtest import evaluate_origins
    from training.fitting.families import refit
    from training.fitting.minimum_data import cold_start_stage
    from training.gates.leakage.dominance import dominance
    from training.gates.leakage.leakage_gates import after_fitting
    from training.lists.list_test import list_test
    from training.replay.participants import choose_participants
    from training.replay.replay import run_replay
    from training.reporting.report import render_report
    from training.statistics.scoring_metrics import EvaluationRows

    dataset, playbook = _large()
    seconds: dict[str, float] = {}
    with _timed("dominance", seconds):
        gates = (dominance(dataset, playbook.business, seed=SEED),)
    with _timed("three origins", seconds):
        tried = evaluate_origins(rolling_origins(dataset), playbook)
    last = tried.origins[-1]
    with _timed("gates", seconds):
        gates += after_fitting(
            last.dataset,
            probability=last.contenders[0].probability,
            judged=EvaluationRows.of(last.dataset.block("test")),
            encoding=last.fitted.model.encoding,
            parameters=last.fitted.parameters,
        )
    with _timed("learned rules", seconds):
        learned = distil(last.fitted.model, dataset, playbook)
    with _timed("replay", seconds):
        lined_up = choose_participants(dataset, playbook, model=last.fitted.model, scorecard=last.fitted.scorecard)
        arena = run_replay(lined_up, dataset, capacity_per_day=playbook.business.capacity_per_day)
    with _timed("what serves", seconds):
        served = refit(last.fitted, on_all_rows(dataset), playbook)
    with _timed("report", seconds):
        lists = list_test(last.lists(0.0), dataset, bands=last.fitted.model.bands, business=playbook.business)
        findings = Findings(
            tried.origins, tried.choice, served, gates, lists, arena, learned, tuned=None, accepted_risk=None
        )
        standing = cold_start_stage(dataset)
        evaluation = evaluation_of(findings, standing, playbook, trained_at=0, run_id="", fingerprint="")
        render_report(evaluation)
    print(json.dumps({"seconds": seconds, "peak_gb": _peak_gb(), "rows": dataset.manifest["snapshots"]}))


def _large() -> tuple[Dataset, Playbook]:
    """Draw a training set of a million snapshots, and the demo's playbook without rivals."""
    dataset, playbook = drawn(SNAPSHOTS, FEATURES)
    horizon = {"share": None, "proposed_days": None, "median_days": None, "says": "", "curve": []}
    manifest = {**dataset.manifest, "horizon": horizon}
    rows = dataset.rows.assign(closed_at=float("nan"))
    return replace(dataset, rows=rows, manifest=manifest), replace(playbook, rivals=())


@contextmanager
def _timed(name: str, seconds: dict[str, float]) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - started


def _peak_gb() -> float:
    """Return the most memory this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


if __name__ == "__main__":
    main()
