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

from data.workspace import Workspace
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
    """Return the README with the tables of the committed files between its marks."""
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
    replay = compared["replay"]
    facts = ("rows", "positives", "features", "features_tried", "calibration", "gates", "scorers", "differences")
    parts = ("start", "end", "days", "capacity_per_day", "winner", "decided", "says")
    participants = [{name: value for name, value in one.items() if name != "by_day"} for one in replay["participants"]]
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "train_s": round(took, 1),
        **{name: trained[name] for name in facts},
        "origins": [_slim(origin) for origin in trained["origins"]],
        "replay": {**{name: replay[name] for name in parts}, "participants": participants},
    }


def _slim(origin: dict[str, object]) -> dict[str, object]:
    """Reduce an origin to what the README shows: its weeks, every log loss, and the differences."""
    scorers = [{name: one[name] for name in ("name", "kind", "log_loss", "auc")} for one in origin["scorers"]]
    return {**{name: origin[name] for name in ("test", "rows", "positives", "differences", "says")}, "scorers": scorers}


def _draw(exports: Path, home: Path) -> None:
    """Draw the receipt of a lead that stands high, as ``leadscore explain`` prints it."""
    from data.home import Home
    from data.playbook import load_playbook
    from models.commands import explain, score

    folder = load_playbook(exports)
    best = score(Workspace(folder, Home(home)), out=home / "scores.parquet").top["lead_id"].iloc[9]
    console = Console(record=True, width=100, file=open(os.devnull, "w"), force_terminal=True)  # noqa: PTH123, SIM115
    explain(Workspace(folder, Home(home)), lead_id=best).show(console)
    drawn = console.export_svg(title=f"leadscore explain {best}")
    PICTURE.write_text(FONTS.sub("", drawn), encoding="utf-8")  # no font from elsewhere: any fixed-width one will do


def _interval(metric: object, digits: int) -> str:
    if isinstance(metric, dict):
        return f"{metric['value']:.{digits}f} ({metric['low']:.{digits}f} – {metric['high']:.{digits}f})"
    return f"{metric:.{digits}f}"


_NAMES = {"demo": "simulated", "bpi2012": "BPI 2012"}
_KINDS = {"model": "learned model", "rules": "point rules", "learned rules": "learned scorecard"}


def _quality(figures: dict[str, dict[str, object]]) -> str:
    dates = ", ".join(sorted({str(made["date"]) for made in figures.values()}))
    made = (
        "Simulated: 20,000 leads of a B2B company. BPI 2012: 13,087 loan applications of the BPI Challenge 2012. "
        f"Forward in time, 95 % intervals clustered by account; made on {dates} by `make figures`."
    )
    return f"{_headline(figures)}\n\n{_by_origin(figures)}\n\n{_replayed(figures)}\n\n{made}\n"


def _headline(figures: dict[str, dict[str, object]]) -> str:
    lines = [
        "| history | scorer | AUC | log loss | called leads that succeed | best tenth |",
        "|---|---|---|---|---|---|",
    ]
    for key, made in figures.items():
        for scorer in made["scorers"]:
            if scorer["name"] != "base rate":
                numbers = [_interval(scorer[name], 3) for name in ("auc", "log_loss", "precision_at_capacity")]
                who = _KINDS.get(scorer["kind"], scorer["name"])
                lift = _interval(scorer["lift_at_10"], 2)
                lines.append(f"| {_NAMES[key]} | {who} | {' | '.join(numbers)} | {lift} |")
    return "\n".join(lines)


def _by_origin(figures: dict[str, dict[str, object]]) -> str:
    """Return the table of the log loss of every scorer at every origin."""
    lines = [
        "Log loss, trained anew at each of three origins and judged on the weeks that followed:",
        "",
        "| history | judged on | base rate | point rules | logistic regression | learned model | against regression |",
        "|---|---|---|---|---|---|---|",
    ]
    for key, made in figures.items():
        for origin in made["origins"]:
            of = {
                one["name"] if one["kind"] == "baseline" else one["kind"]: one["log_loss"] for one in origin["scorers"]
            }
            against = next(one["log_loss"] for one in origin["differences"] if one["name"] == "logistic regression")
            losses = [f"{of[name]['value']:.3f}" for name in ("base rate", "rules", "logistic regression", "model")]
            span = f"{origin['test']['start'][:10]} – {origin['test']['end'][:10]}"
            lines.append(f"| {_NAMES[key]} | {span} | {' | '.join(losses)} | {_interval(against, 3)} |")
    return "\n".join(lines)


def _replayed(figures: dict[str, dict[str, object]]) -> str:
    """Return the table of what each scorer's calls found in the replay."""
    lines = [
        "Successes found when the team calls the best leads of each day (`leadscore compare`):",
        "",
        "| history | calls a day × days | scorer | successes found | calls for one |",
        "|---|---|---|---|---|",
    ]
    for key, made in figures.items():
        replay = made["replay"]
        room = f"{replay['capacity_per_day']:g} × {replay['days']}"
        for one in replay["participants"]:
            numbers = f"{_interval(one['conversions'], 0)} | {_interval(one['calls_per_conversion'], 2)}"
            lines.append(f"| {_NAMES[key]} | {room} | {one['name']} | {numbers} |")
    return "\n".join(lines)


def _speed(benchmarks: list[dict[str, object]]) -> str:
    lines = ["| benchmark | leadscore | compared with | ratio |", "|---|---|---|---|"]
    for row in benchmarks:
        ours, theirs = (f"{row[side]:,.3g}" if row[side] < 1000 else f"{row[side]:,.0f}" for side in ("ours", "theirs"))
        lines.append(f"| `{row['bench']}` | {ours} {row['unit']} | {theirs}, {row['against']} | {row['ratio']:.3g} |")
    return "\n".join(lines) + "\n\nMade by `make bench` on two cores; a ratio above 1 means that leadscore is better.\n"


if __name__ == "__main__":
    sys.exit(main())
