"""
Pages made from committed figures: ``make pages``.

Writes ``docs/results.md`` and ``docs/settings.md``, and the small table in ``README.md``, from ``docs/figures.json``,
``docs/benchmarks.json`` and the service's settings. ``make figures`` and ``make bench`` measure anew.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from serving.settings import settings_rows

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
README, RESULTS, SETTINGS = ROOT / "README.md", DOCS / "results.md", DOCS / "settings.md"
FIGURES, BENCHMARKS = DOCS / "figures.json", DOCS / "benchmarks.json"

_MARKS = re.compile(r"(<!-- results -->\n).*?(<!-- end of results -->)", re.DOTALL)
_HISTORIES = {"demo": "Simulated B2B company", "bpi2012": "BPI 2012 loan applications"}
_KINDS = {"model": "learned model", "rules": "point rules", "learned rules": "learned scorecard"}

_INTRODUCTION = """# Results

Measured forward in time: each scorer is fitted on the past and judged on later weeks it has never seen. Brackets hold
95 % intervals, clustered by account. *Simulated* is a B2B company of 20,000 leads whose true conversion process is
known; *BPI 2012* is a real event log of 13,087 loan applications (van Dongen, BPI Challenge 2012, 4TU.ResearchData,
doi 10.4121/uuid:3926db30-f712-4394-aebc-75976070e91f; not part of this repository).
"""

_OUR_OWN = """- The simulated company is our own, and the loan log is not a sales process: measure on your own
  history with `leadscore compare`.
"""

_SETTINGS_INTRODUCTION = """# Settings

Every setting is an environment variable; options of a command come before it. Unknown `LEADSCORE_` variables are
rejected, with a suggestion.
"""


def write_pages() -> None:
    """Write every page from the committed figures."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


def pages() -> dict[Path, str]:
    """Return each page's path with the text that the committed figures make of it."""
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    benchmarks = json.loads(BENCHMARKS.read_text(encoding="utf-8"))
    table = f"\n{_found_by_calling(figures, kinds=('rules', 'model'), first_of_kind=True)}\n\n"
    readme = _MARKS.sub(lambda match: f"{match[1]}{table}{match[2]}", README.read_text(encoding="utf-8"))
    return {README: readme, RESULTS: _results(figures, benchmarks), SETTINGS: _settings()}


def _settings() -> str:
    rows = [[f"`{row.variable}`", row.default, row.description] for row in settings_rows()]
    return f"{_SETTINGS_INTRODUCTION}\n{_table(['variable', 'default', 'meaning'], rows)}\n"


def _results(figures: Mapping[str, Any], benchmarks: Sequence[Mapping[str, Any]]) -> str:
    dates = ", ".join(sorted({str(history["date"]) for history in figures.values()}))
    parts = [
        _INTRODUCTION,
        "## Conversions found\n\nWhen the team calls the best leads of each day (`leadscore compare`):\n",
        _found_by_calling(figures, kinds=("rules", "model", "learned rules")) + "\n",
        "## Last test period\n",
        _headline(figures) + "\n",
        "## Log loss at each origin\n\nFitted anew at each of three dates and judged on the weeks that followed:\n",
        _by_origin(figures) + "\n",
        "## What the numbers do not flatter\n",
        "\n".join([*_failed_gates(figures), *_no_better_than_regression(figures), _OUR_OWN]),
        "## Speed\n",
        _speed(benchmarks) + "\n",
        f"Quality was measured on {dates} by `make figures`; speed by `make bench` on two cores, with release 0.1.0.",
        "A ratio above 1 means that leadscore is better.",
    ]
    return "\n".join(parts) + "\n"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _interval(metric: Any, digits: int) -> str:
    if isinstance(metric, dict):
        return f"{metric['value']:.{digits}f} ({metric['low']:.{digits}f} – {metric['high']:.{digits}f})"
    return f"{metric:.{digits}f}"


def _found_by_calling(figures: Mapping[str, Any], *, kinds: Sequence[str], first_of_kind: bool = False) -> str:
    rows = []
    for key, history in figures.items():
        replay = history["replay"]
        room = f"{replay['capacity_per_day']:g} × {replay['days']}"
        seen: set[str] = set()
        entries = [entry for entry in replay["participants"] if entry["kind"] in kinds]
        for entry in sorted(entries, key=lambda entry: kinds.index(entry["kind"])):
            if not (first_of_kind and entry["kind"] in seen):
                seen.add(entry["kind"])
                name = _KINDS[entry["kind"]] if first_of_kind else entry["name"]
                numbers = (_interval(entry["conversions"], 0), _interval(entry["calls_per_conversion"], 2))
                rows.append([_HISTORIES[key], name, room, *numbers])
    return _table(["history", "scorer", "calls a day × days", "conversions found", "calls per conversion"], rows)


def _headline(figures: Mapping[str, Any]) -> str:
    rows = [
        [
            _HISTORIES[key],
            _KINDS.get(scorer["kind"], scorer["name"]),
            *(_interval(scorer[name], 3) for name in ("auc", "log_loss", "precision_at_capacity")),
            _interval(scorer["lift_at_10"], 2),
        ]
        for key, history in figures.items()
        for scorer in history["scorers"]
        if scorer["name"] != "base rate"
    ]
    return _table(["history", "scorer", "AUC", "log loss", "precision at capacity", "lift at 10 %"], rows)


def _by_origin(figures: Mapping[str, Any]) -> str:
    rows = []
    for key, history in figures.items():
        for origin in history["origins"]:
            losses = {
                scorer["name"] if scorer["kind"] == "baseline" else scorer["kind"]: scorer["log_loss"]
                for scorer in origin["scorers"]
            }
            against = _against_regression(origin)
            shown = [f"{losses[name]['value']:.3f}" for name in ("base rate", "rules", "logistic regression", "model")]
            period = f"{origin['test']['start'][:10]} – {origin['test']['end'][:10]}"
            rows.append([_HISTORIES[key], period, *shown, _interval(against, 3)])
    header = ["history", "judged on", "base rate", "point rules", "logistic regression", "learned model"]
    return _table([*header, "model − regression"], rows)


def _against_regression(origin: Mapping[str, Any]) -> Mapping[str, float]:
    """Return the model's log loss minus that of the regression, with its interval."""
    found: Mapping[str, float] = next(
        row["log_loss"] for row in origin["differences"] if row["name"] == "logistic regression"
    )
    return found


def _failed_gates(figures: Mapping[str, Any]) -> list[str]:
    """Return a line for each gate that failed, as `leadscore promote` would refuse the model for it."""
    return [
        f"- {_HISTORIES[key]}: `leadscore promote` refuses this model, as the gate *{gate['name']}* failed. "
        f"{gate['says']}"
        for key, history in figures.items()
        for gate in history["gates"]
        if not gate["passed"]
    ]


def _no_better_than_regression(figures: Mapping[str, Any]) -> list[str]:
    """Return a line for each history with periods in which the model's advantage over the regression may be chance."""
    lines = []
    for key, history in figures.items():
        close = [origin for origin in history["origins"] if _against_regression(origin)["high"] >= 0]
        if close:
            lines.append(
                f"- {_HISTORIES[key]}: in {len(close)} of {len(history['origins'])} periods the learned model is not "
                "better than the logistic regression beyond chance."
            )
    return lines


def _speed(benchmarks: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for row in benchmarks:
        ours, theirs = (f"{row[side]:,.3g}" if row[side] < 1000 else f"{row[side]:,.0f}" for side in ("ours", "theirs"))
        rows.append(
            [f"`{row['bench']}`", f"{ours} {row['unit']}", f"{theirs}, {row['against']}", f"{row['ratio']:.3g}"]
        )
    return _table(["benchmark", "leadscore", "compared with", "ratio"], rows)


if __name__ == "__main__":
    write_pages()
