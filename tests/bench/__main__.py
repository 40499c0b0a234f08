"""
Run the benchmarks: ``make bench``, or some of them with ``make bench ONLY="name name"``.

Each compares with a named alternative in the same run; a ratio above 1 means that we are better. Nothing here
is a test: machines differ, ratios hardly do.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.batches import single_score_beside_batches
from tests.bench.bootstrap import bootstrap_vs_scikit_learn
from tests.bench.features import features_vs_pandas, features_vs_sql, live_features_ms
from tests.bench.gate import gate_calls_identical_better, gate_rejects_worse
from tests.bench.growth import store_growth
from tests.bench.http import http_score_vs_empty, http_score_vs_mlflow
from tests.bench.reasons import reasons_batch_vs_shap, reasons_one_vs_pred_contrib
from tests.bench.service import ingest, load_year, scores_at_once, steady, sweep
from tests.bench.sweep_growth import live_by_account_ms, sweep_by_account, sweep_by_history
from tests.bench.training import train_million
from tests.bench.whole import demo_s

OUT = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.json"
BENCHES: dict[str, Callable[[], dict[str, object]]] = {
    bench.__name__: bench
    for bench in (
        features_vs_pandas,
        features_vs_sql,
        live_features_ms,
        sweep_by_history,
        sweep_by_account,
        live_by_account_ms,
        reasons_batch_vs_shap,
        reasons_one_vs_pred_contrib,
        http_score_vs_empty,
        http_score_vs_mlflow,
        scores_at_once,
        single_score_beside_batches,
        ingest,
        steady,
        sweep,
        load_year,
        store_growth,
        bootstrap_vs_scikit_learn,
        gate_rejects_worse,
        gate_calls_identical_better,
        train_million,
        demo_s,
    )
}


def main(only: list[str]) -> int:
    """Run all benchmarks, or some; keep the figures in ``docs/benchmarks.json``."""
    for name in only:
        if name not in BENCHES:
            print(f"There is no benchmark {name}; there are {', '.join(BENCHES)}.", file=sys.stderr)
            return 2
    kept = {row["bench"]: row for row in json.loads(OUT.read_text())} if OUT.exists() else {}
    for name in only or BENCHES:
        print(f"running {name} …", file=sys.stderr, flush=True)
        kept[name] = BENCHES[name]()
    rows = [kept[name] for name in BENCHES if name in kept]
    OUT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    _print([kept[name] for name in only] or rows)
    return 0


def _print(rows: list[dict[str, object]]) -> None:
    table = Table("bench", "unit", title="A ratio above 1 means that leadscore is better", title_justify="left")
    for name in ("ours", "theirs", "ratio"):
        table.add_column(name, justify="right")
    table.add_column("against", overflow="fold")
    for row in rows:
        numbers = [
            f"{row[name]:,.3g}" if row[name] < 1000 else f"{row[name]:,.0f}" for name in ("ours", "theirs", "ratio")
        ]
        table.add_row(str(row["bench"]), str(row["unit"]), *numbers, str(row["against"]))
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
