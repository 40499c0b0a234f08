"""Segments: how good each scorer is for each kind of lead that the playbook wants told apart."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.contract import AttributeType
from data.playbook import Business
from features.derivation import attribute_feature
from training.dataset.dataset import SEGMENT
from training.statistics.bootstrap import RESAMPLES, Floats, Ranking, Ratios, interval, spread
from training.statistics.comparison import Contender
from training.statistics.scoring_metrics import SEED, EvaluationRows, best_share, losses

FEWEST = 10
"""Leads of either kind below which a segment is not judged: its intervals would hold almost any number."""

MOST_VALUES = 12
"""Values of one attribute, by size; those beyond are told as one."""

UNKNOWN, OTHERS = "unknown", "other values"
METRICS = ("log_loss", "auc", "precision_at_10", "lift_at_10", "observed_over_expected", "base_rate")
_BEST = 0.10
_SPOKEN = {1.0: "yes", 0.0: "no"}
_HELD: Mapping[str, float] = {"yes": 1.0, "no": 0.0}


def segments(
    contenders: Sequence[Contender], rows: pd.DataFrame, *, business: Business, resamples: int = RESAMPLES
) -> list[dict[str, Any]]:
    """
    Judge contenders on each segment of the rows by itself.

    Args:
        contenders: with probabilities of the n rows.
        rows: (n) rows of a training set with ``segment.<name>`` for every attribute in ``playbook.segments``.
        business: names the segments and says their words.
        resamples: of the accounts of each segment, for the intervals.

    Returns:
        JSON, an entry for each value of each attribute, the largest first and those beyond 12 as one: ``attribute``,
        ``label``, ``value``, ``says``, ``rows``, ``positives``, ``leads``, ``note`` and ``scorers``, each with
        ``name``, ``kind``, ``log_loss``, ``auc``, ``precision_at_10``, ``lift_at_10``, ``observed_over_expected`` and
        ``base_rate``, all ``{"value", "low", "high"}``. The best 10 % are those of the segment. In a segment with
        fewer than 10 leads of either kind every number is None, and the note says so; else it is empty.
    """
    found = []
    for name in business.segments:
        values = _values(rows[SEGMENT + name], business.attributes[name].type)
        for value in _ordered(values):
            here = (values == value).to_numpy()
            told = _judged(contenders, rows, here=here, stage=business.goal.stage, resamples=resamples)
            found.append({**_worded(name, value, business), **told})
    return found


def _values(column: "pd.Series[Any]", kind: AttributeType) -> "pd.Series[str]":
    """Give each row's segment as text; the values beyond the largest are one."""
    known = column.map(_SPOKEN) if kind is AttributeType.BOOLEAN else column.astype(object)
    text = known.where(known.notna(), UNKNOWN).astype(str)
    if text.nunique() <= MOST_VALUES:
        return text
    return text.where(text.isin([*_ordered(text)[: MOST_VALUES - 1], UNKNOWN]), OTHERS)


def _ordered(values: "pd.Series[str]") -> list[str]:
    """Give the values by size, equal ones by name; what is no value of its own comes last."""
    sizes = {str(value): int(size) for value, size in values.value_counts().items()}
    return sorted(sizes, key=lambda value: (value == UNKNOWN, value == OTHERS, -sizes[value], value))


def _worded(name: str, value: str, business: Business) -> dict[str, str]:
    """Give attribute and value with their words."""
    attribute = business.attributes[name]
    label = attribute.label or name.replace("_", " ")
    if value == OTHERS:
        says = f"any other {label}"
    elif value == UNKNOWN:
        says = f"{label} unknown"
    else:
        says = attribute_feature(name, attribute).worded(
            _HELD[value] if attribute.type is AttributeType.BOOLEAN else value
        )
    return {"attribute": name, "label": label, "value": value, "says": says}


def _judged(
    contenders: Sequence[Contender],
    rows: pd.DataFrame,
    *,
    here: NDArray[np.bool_],
    stage: str,
    resamples: int,
) -> dict[str, Any]:
    """Count one segment's rows and judge the contenders on them, where there are enough."""
    kept = rows[here]
    note = _note(kept, stage)
    judged = EvaluationRows.of(kept)
    numbers = [
        dict.fromkeys(METRICS) if note else _metrics(one.probability[here], judged, resamples=resamples)
        for one in contenders
    ]
    return {
        "rows": len(kept),
        "positives": int(judged.label.sum()),
        "leads": int(kept["lead_id"].nunique()),
        "scorers": [
            {"name": one.name, "kind": one.kind, **said} for one, said in zip(contenders, numbers, strict=True)
        ],
        "note": note,
    }


def _note(rows: pd.DataFrame, stage: str) -> str:
    """Say that there are too few leads to judge; nothing where there are enough."""
    reached = rows.groupby("lead_id")["label"].max()
    succeeded = int(reached.sum())
    failed = len(reached) - succeeded
    if min(succeeded, failed) >= FEWEST:
        return ""
    few, what = (succeeded, "reached") if succeeded < FEWEST else (failed, "did not reach")
    return f"too few to judge: {few} lead{'' if few == 1 else 's'} that {what} {stage}"


def _metrics(probability: Floats, judged: EvaluationRows, *, resamples: int) -> dict[str, Any]:
    """Judge the probabilities of one scorer by the numbers that a segment can carry."""
    label, weight = judged.label, judged.weight
    hits, top = weight * label, best_share(probability, judged, share=_BEST)
    parts = {
        "log_loss": (weight * losses(probability, label), weight),
        "precision_at_10": (top * label, top),
        "observed_over_expected": (hits, weight * probability),
        "base_rate": (hits, weight),
    }
    ratios = Ratios.of(parts, judged.group)
    ranking = Ranking.of(probability, label, weight=weight, group=judged.group)

    def measure(counts: Floats) -> Floats:
        found = dict(zip(parts, ratios.at(counts).T, strict=True))
        with np.errstate(invalid="ignore", divide="ignore"):
            found["lift_at_10"] = found["precision_at_10"] / found["base_rate"]
        found["auc"] = ranking.at(counts)[:, 0]
        return np.stack([found[name] for name in METRICS], axis=1)

    values = measure(np.ones((1, judged.groups)))[0]
    spreads = spread(measure, judged.groups, times=resamples, seed=SEED)
    return {name: interval(spreads[:, at], float(values[at])).as_json() for at, name in enumerate(METRICS)}
