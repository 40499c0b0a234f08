"""
The judgement: everything a training found, as one JSON document.

The report, the model card, the notebooks and ``--json`` all read this one document, so no two of them can count
differently.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.instants import iso
from data.playbook import Business, Playbook
from models.cold_start import ColdStartStage
from training.dataset.dataset import Dataset
from training.dataset.feature_labels import reason_label
from training.distillation import LearnedRules
from training.errors import TrainingError
from training.evaluation.backtest import OriginResult
from training.evaluation.curves import curves
from training.evaluation.segments import segments
from training.evaluation.summary import verdict_of
from training.fitting.tuning import TuningResult
from training.gates.leakage import GateResult
from training.replay import Replay
from training.statistics.scoring_metrics import EvaluationRows

FORMAT = "leadscore-judgement-1"
FILE = "judgement.json"
_DATA = (
    "cutoff_at",
    "mature_until",
    "snapshots",
    "mature",
    "young",
    "leads",
    "groups",
    "base_rate",
    "blocks",
    "positives",
    "plan",
    "rows_sha256",
    "catalog_fingerprint",
    "outcome_lag_days",
    "horizon",
)


@dataclass(frozen=True, eq=False)
class Findings:
    """
    What a training found, before it is written down.

    Attributes:
        tried: every origin, oldest first; the last is the one whose model is registered.
        gates: those against leakage, then those of the calibration.
        arena: the replay of the test weeks.
        learned: the scorecard distilled from the model; None where there was nothing that a rule could tell.
        tuned: what a search for parameters found, where one was asked for.
        accepted_risk: why a failed gate did not stop the training.
    """

    tried: tuple[OriginResult, ...]
    gates: tuple[GateResult, ...]
    arena: Replay
    learned: LearnedRules | None
    tuned: TuningResult | None
    accepted_risk: str | None

    @property
    def last(self) -> OriginResult:
        """Give the origin whose model is registered."""
        return self.tried[-1]


def judgement_of(
    findings: Findings, standing: ColdStartStage, playbook: Playbook, *, trained_at: int, run_id: str, fingerprint: str
) -> dict[str, Any]:
    """
    Write down what a training found.

    Args:
        findings: all of it.
        standing: the rung of the cold-start ladder.
        playbook: the playbook.
        trained_at: when [us since 1970 UTC].
        run_id: of MLflow.
        fingerprint: of the bundle.

    Returns:
        JSON with finite numbers only; the version is not known yet.
    """
    last = findings.last
    judged, test = EvaluationRows.of(last.dataset.block("test")), last.dataset.block("test")
    content = {
        **_heading(last.dataset, playbook.business, standing=standing, trained_at=trained_at),
        "run_id": run_id,
        "gates": [gate.as_json() for gate in findings.gates],
        "model": _model(findings, fingerprint),
        "reasons": _reasons(last, playbook.business),
        "scorers": [scorer.as_json() for scorer in last.scorers],
        "differences": [dict(difference) for difference in last.differences],
        "origins": [one.as_json(number) for number, one in enumerate(findings.tried, 1)],
        "segments": segments(last.contenders[:2], test, business=playbook.business),
        "curves": curves(last.contenders, judged),
        "arena": findings.arena.as_json(),
        "learned_scorecard": None if findings.learned is None else findings.learned.as_json(scorers=last.scorers),
        "accepted_risk": findings.accepted_risk,
    }
    return {**content, "verdict": verdict_of(content)}


def judgement_of_rules_alone(
    dataset: Dataset, standing: ColdStartStage, playbook: Playbook, *, trained_at: int
) -> dict[str, Any]:
    """Write down that there is too little to learn from, and what is missing."""
    content = {
        **_heading(dataset, playbook.business, standing=standing, trained_at=trained_at),
        **dict.fromkeys(("run_id", "model", "arena", "learned_scorecard", "accepted_risk", "curves")),
        **{name: [] for name in ("gates", "reasons", "scorers", "differences", "origins", "segments")},
    }
    return {**content, "verdict": verdict_of(content)}


def _heading(dataset: Dataset, business: Business, *, standing: ColdStartStage, trained_at: int) -> dict[str, Any]:
    """Say which business this is about, from which data, and how far these carry."""
    return {
        "format": FORMAT,
        "playbook": {"name": business.name, "title": business.title},
        "goal": business.goal.model_dump(mode="json"),
        "capacity_per_day": business.capacity_per_day,
        "trained_at": iso(trained_at),
        "version": None,
        "data": {name: dataset.manifest[name] for name in _DATA},
        "standing": {**standing.as_json(), "says": standing.says},
    }


def _model(findings: Findings, fingerprint: str) -> dict[str, Any]:
    fitted = findings.last.fitted
    model = fitted.model
    return {
        "name": model.name,
        "fingerprint": fingerprint,
        "features": len(model.catalog.features),
        "features_tried": fitted.features_tried,
        "directions": dict(fitted.directions),
        "steps": fitted.steps,
        "trees": len(model.trees.trees),
        "threshold": model.bands.threshold,
        "base_points": model.base_points,
        "bands": model.bands.as_json(),
        "parameters": {name: value for name, value in fitted.parameters.items() if name != "num_threads"},
        "calibration": fitted.calibrated.as_json(),
        "tuned": None if findings.tuned is None else findings.tuned.as_json(),
    }


def _reasons(tried: OriginResult, business: Business) -> list[dict[str, Any]]:
    """Give the reasons by how far they move the points of the test rows on average, largest first."""
    scored = tried.fitted.model.score_many(tried.dataset.block("test"))
    moved = np.abs(scored.reasons).mean(axis=0)
    whole = float(moved.sum()) or 1.0
    order = np.argsort(-moved, kind="stable").tolist()
    return [
        {
            "code": scored.codes[at],
            "says": reason_label(scored.codes[at], business),
            "mean_points": float(moved[at]),
            "share": float(moved[at]) / whole,
        }
        for at in order
    ]


def labelled(judgement: Mapping[str, Any], *, version: str) -> dict[str, Any]:
    """Give the judgement with the version that the registry gave the model."""
    return {**judgement, "version": version}


def read_judgement(folder: Path) -> dict[str, Any]:
    """
    Read the judgement that a training left in its folder.

    Raises:
        TrainingError: there is none, or it is damaged.
    """
    path = folder / FILE
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read ({error}): train again to have a report."
        raise TrainingError(message) from None
    if found.get("format") != FORMAT:
        message = f"{path} has format {found.get('format')!r}, expected {FORMAT}: train again to have a report."
        raise TrainingError(message)
    return found
