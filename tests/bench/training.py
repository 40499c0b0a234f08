"""How long the trees of a million snapshots take to fit, and how much memory, against what they may take."""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from tests.training.drawn import drawn

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOTS, FEATURES = 1_000_000, 60
ALLOWED_S, ALLOWED_GB = 150.0, 4.0
"""What fitting the three origins may take; the memory is that beyond the training set."""


def train_million() -> dict[str, object]:
    """
    Fit the three origins of a million snapshots in a process of its own.

    Returns:
        {"bench", "unit", "ours", "against", "theirs", "ratio"}; a ratio above 1 means that there was time left.
    """
    command = [sys.executable, "-m", "tests.bench.training"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    took = sum(found["fit_s"])
    size = f"{found['rows']:,} snapshots × {FEATURES} features"
    fits = ", ".join(f"{seconds:.0f}" for seconds in found["fit_s"])
    return {
        "bench": "train_million",
        "unit": "s",
        "ours": took,
        "against": f"the {ALLOWED_S:.0f} s it may take; {size}, origins {fits}, "
        f"{found['beyond_gb']:.1f} GB beyond the {found['dataset_gb']:.1f} of the training set",
        "theirs": ALLOWED_S,
        "ratio": ALLOWED_S / took,
    }


def main() -> None:
    """Fit each origin, oldest first, and say how long each took and what memory the process came to need."""
    from training.fitting import fit  # here, because LightGBM is no part of the training set's memory
    from training.origins import origins

    dataset, folder = drawn(SNAPSHOTS, FEATURES)
    before_gb = _peak_gb()
    took = []
    for origin in origins(dataset):
        started = time.perf_counter()
        fit(origin, folder)
        took.append(time.perf_counter() - started)
    found = {"fit_s": took, "dataset_gb": before_gb, "beyond_gb": _peak_gb() - before_gb, "rows": len(dataset.rows)}
    print(json.dumps(found))


def _peak_gb() -> float:
    """Give the most memory this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


if __name__ == "__main__":
    main()
