"""
Measure how good the scores are: ``make figures``.

Trains on the demo's 20,000 simulated leads and, if the log is on this machine, on the BPI Challenge 2012. Writes
``docs/figures.json`` and ``docs/receipt.svg``, then the pages that show them.
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
from tests.bench.pages import FIGURES, ROOT, write_pages
from tests.end_to_end.command_line import Done, leadscore

PICTURE = ROOT / "docs" / "receipt.svg"
FONTS = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
UNTIL, LEADS = "2026-03-01", 20_000
BPI = ROOT / "data" / "playbooks" / "bpi2012"


def main() -> int:
    """Measure everything; without the real log its last figures stay."""
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        home, exports = Path(folder) / "home", Path(folder) / "demo"
        _run("simulate", str(exports), "--leads", str(LEADS), "--until", UNTIL, "--json", home=home)
        figures["demo"] = _trained(exports, home)
        _run("promote", "--playbook", str(exports), home=home)
        _draw(exports, home)
        if (datasets_folder() / "bpi2012").is_dir():
            figures["bpi2012"] = _trained(BPI, home, LEADSCORE_DATASETS=str(datasets_folder()))
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    write_pages()
    return 0


def datasets_folder() -> Path:
    """Return where the real data are on this machine, if they are."""
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
    from data.words.playbook import load_playbook
    from models.commands import explain, score

    folder = load_playbook(exports)
    best = score(Workspace(folder, Home(home)), out=home / "scores.parquet").top[9].lead_id
    console = Console(record=True, width=100, file=open(os.devnull, "w"), force_terminal=True)  # noqa: PTH123, SIM115
    explain(Workspace(folder, Home(home)), lead_id=best).show(console)
    drawn = console.export_svg(title=f"leadscore explain {best}")
    PICTURE.write_text(FONTS.sub("", drawn), encoding="utf-8")  # no font from elsewhere: any fixed-width one will do


if __name__ == "__main__":
    sys.exit(main())
