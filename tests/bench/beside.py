"""
An older checkout beside this one: ``python -m tests.bench.beside OLDER [BENCH …]``.

Each benchmark runs in both, one after the other on the same machine, several times in turn; what is compared are the
medians of the ratios to the benchmark's own alternative, so that a slow moment of the machine hits both.
"""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

from tests.bench.__main__ import BENCHES
from tests.bench.pages import ROOT

TURNS = 3
WORSE = 0.95
"""A ratio below this share of the older one is reported as worse."""


def ratio_in(checkout: Path, bench: str) -> float:
    """Run a benchmark in a checkout and return its ratio, and leave the checkout's committed figures as they were."""
    figures = checkout / "docs" / "benchmarks.json"
    before = figures.read_bytes()
    try:
        command = [sys.executable, "-m", "tests.bench", bench]
        subprocess.run(command, cwd=checkout, check=True, capture_output=True)
        return float(next(row["ratio"] for row in json.loads(figures.read_bytes()) if row["bench"] == bench))
    finally:
        figures.write_bytes(before)


def main(older: Path, benches: list[str]) -> int:
    """Print each benchmark's ratio in both checkouts; return 1 if one is more than 5 % worse here."""
    worse = 0
    for bench in benches or list(BENCHES):
        pairs = [(ratio_in(older, bench), ratio_in(ROOT, bench)) for _ in range(TURNS)]
        then, now = (median(side) for side in zip(*pairs, strict=True))
        share = now / then
        worse += share < WORSE
        print(f"{bench:<30} {then:>9.3g} {now:>9.3g}  {share:.2f}{' worse' if share < WORSE else ''}", flush=True)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2:]))
