"""
Make the figures that the README shows: ``make figures``.

Trains on the demo's 20,000 simulated leads and, where its log is on this machine, on the BPI Challenge 2012; writes
``docs/figures.json`` and ``docs/receipt.svg``, and puts the tables between the marks in ``README.md``.
"""

import json
import os
import re
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from tests.end_to_end.command_line import Done, leadscore

ROOT = Path(__file__).resolve().parents[2]
FIGURES, BENCHMARKS = ROOT / "docs" / "figures.json", ROOT / "docs" / "benchmarks.json"
PICTURE, README = ROOT / "docs" / "receipt.svg", ROOT / "README.md"
MARKS = re.compile(r"(<!-- figures -->\n).*?(<!-- end of figures -->)", re.DOTALL)
FONTS = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
UNTIL, LEADS = "2026-03-01", 20_000
BPI = ROOT / "data" / "playbooks" / "bpi2012"


def main() -> int:
    """Make them all; without the real log the figures of the last time are kept for it."""
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        home, exports = Path(folder) / "home", Path(folder) / "demo"
        _run("simulate", str(exports), "--leads", str(LEADS), "--until", UNTIL, "--json", home=home)
        figures["demo"] = _trained(exports, home)
        _run("promote", "--playbook", str(exports), home=home)
        _draw(exports, home)
        if (_datasets() / "bpi2012").is_dir():
            figures["bpi2012"] = _trained(BPI, home, LEADSCORE_DATASETS=str(_datasets()))
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    README.write_text(with_figures(README.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


def with_figures(readme: str) -> str:
    """Give the README with the tables of the committed files between its marks."""
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    benchmarks = json.loads(BENCHMARKS.read_text()) if BENCHMARKS.exists() else []
    tables = f"{_quality(figures)}\n{_speed(benchmarks)}"
    return MARKS.sub(lambda found: f"{found[1]}\n{tables}\n{found[2]}", readme)


def _datasets() -> Path:
    return Path(os.environ.get("LEADSCORE_DATASETS", ROOT / ".." / "shared" / "datasets")).resolve()


def _run(*arguments: str, home: Path, **environment: str) -> Done:
    print("leadscore", *arguments, file=sys.stderr, flush=True)
    done = leadscore(*arguments, home=home, **environment)
    if done.code:
        raise SystemExit(done.stderr)
    return done


def _trained(playbook: Path, home: Path, **environment: str) -> dict[str, object]:
    started = time.perf_counter()
    trained = _run("train", "--playbook", str(playbook), "--json", home=home, **environment).json
    took = time.perf_counter() - started
    compared = _run("compare", "--playbook", str(playbook), "--json", home=home, **environment).json
    facts = {name: trained[name] for name in ("rows", "positives", "features")}
    return {"date": f"{datetime.now(UTC):%Y-%m-%d}", "train_s": round(took, 1), **facts, "compare": compared}


def _draw(exports: Path, home: Path) -> None:
    """Draw the receipt of a lead that stands high, as ``leadscore explain`` prints it."""
    from data.home import Home
    from data.playbook import load_playbook
    from models.commands import explain, score

    folder = load_playbook(exports)
    best = score(folder, Home(home), out=home / "scores.parquet").top["lead_id"].iloc[9]
    console = Console(record=True, width=100, file=open(os.devnull, "w"), force_terminal=True)  # noqa: PTH123, SIM115
    explain(folder, Home(home), lead_id=best).show(console)
    drawn = console.export_svg(title=f"leadscore explain {best}")
    PICTURE.write_text(FONTS.sub("", drawn), encoding="utf-8")  # no font from elsewhere: any fixed-width one will do


def _interval(metric: object, digits: int) -> str:
    if isinstance(metric, dict):
        return f"{metric['value']:.{digits}f} ({metric['low']:.{digits}f} – {metric['high']:.{digits}f})"
    return f"{metric:.{digits}f}"


def _quality(figures: dict[str, dict[str, object]]) -> str:
    lines = [
        "| history | scorer | AUC | log loss | without a scorer | called leads that succeed | best tenth |",
        "|---|---|---|---|---|---|---|",
    ]
    names = {"demo": "simulated, 20,000 leads", "bpi2012": "BPI Challenge 2012, 13,087 loan applications"}
    for key, made in figures.items():
        for scorer in made["compare"]["scorers"]:
            kind = "learned model" if scorer["kind"] == "model" else "point rules"
            numbers = [
                _interval(scorer[name], 3) for name in ("auc", "log_loss", "base_log_loss", "precision_at_capacity")
            ]
            lines.append(f"| {names[key]} | {kind} | {' | '.join(numbers)} | {_interval(scorer['lift_at_10'], 2)} |")
    dates = ", ".join(sorted({str(made["date"]) for made in figures.values()}))
    return (
        "\n".join(lines)
        + f"\n\nMade on {dates} by `make figures`; forward in time, 95 % intervals clustered by account.\n"
    )


def _speed(benchmarks: list[dict[str, object]]) -> str:
    lines = ["| benchmark | leadscore | compared with | ratio |", "|---|---|---|---|"]
    for row in benchmarks:
        ours, theirs = (f"{row[side]:,.3g}" if row[side] < 1000 else f"{row[side]:,.0f}" for side in ("ours", "theirs"))
        lines.append(f"| `{row['bench']}` | {ours} {row['unit']} | {theirs}, {row['against']} | {row['ratio']:.3g} |")
    return "\n".join(lines) + "\n\nMade by `make bench` on two cores; a ratio above 1 means that leadscore is better.\n"


if __name__ == "__main__":
    sys.exit(main())
