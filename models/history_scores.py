"""The scores of all leads that were open at an instant of history."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.importing.warehouse import Warehouse
from data.lifecycle.closed_leads import open_leads
from data.lifecycle.lead_lifecycle import LAST_STAGE, Lifecycle
from data.progress import Progress, silent
from features.age_and_silence import BESIDE, with_age_and_silence
from features.history.over_history import compute_features, known_values
from models.history_reach import HistoryReach
from models.receipt import displayed
from models.score_files import score_schema, score_table
from models.scorer import Scorer

_ROWS_AT_ONCE, _WORDED_AT_ONCE = 50_000, 1_000
_BEST_FIRST = [("points", "descending"), ("lead_id", "ascending")]


@dataclass(frozen=True, slots=True)
class ScoringRequest:
    """
    What to score: every lead that was open at an instant.

    Attributes:
        scorer: what scores.
        as_of: the instant [us since 1970 UTC].
        lifecycle: what closes a lead, and what opens it again.
        reasons: whether every reason of every lead is wanted too.
    """

    scorer: Scorer
    as_of: int
    lifecycle: Lifecycle
    reasons: bool


def scored_by_duckdb(warehouse: Warehouse, asked: ScoringRequest, progress: Progress = silent) -> pa.Table:
    """Return the scores of all open leads, the best first, from `models.score_files.score_table`."""
    tables = warehouse.leads, warehouse.activities, warehouse.outcomes
    listed = open_leads(*tables, lifecycle=asked.lifecycle, as_of=asked.as_of).order_by("lead_id")
    leads: pd.DataFrame = listed.execute()
    parts = [score_schema(reasons=asked.reasons).empty_table()]  # of no leads, where none is open
    for low, high in pairwise([*range(0, len(leads), _ROWS_AT_ONCE), len(leads)]):
        progress("scoring leads", low, len(leads))
        part = leads[low:high]
        frame = compute_features(warehouse, part.assign(as_of=asked.as_of), with_age_and_silence(asked.scorer.catalog))
        parts.append(scored_rows(asked, frame.assign(**{LAST_STAGE: part["stage"].to_numpy()}), progress))
    progress("scoring leads", len(leads), len(leads))
    return _best_first(parts)


def _best_first(parts: list[pa.Table]) -> pa.Table:
    """Return the rows of all parts in order, a block at a time: Arrow cannot sort more than 2 GB of reasons at once."""
    keys = pa.concat_tables(part.select(["points", "lead_id"]) for part in parts)
    order = pc.sort_indices(keys, _BEST_FIRST).to_numpy().astype(np.int64)
    starts = np.cumsum([0, *map(len, parts)])
    blocks = [parts[0].slice(0, 0)]
    for low in range(0, len(order), _ROWS_AT_ONCE):
        rows = order[low : low + _ROWS_AT_ONCE]
        ascending = np.sort(rows)
        cuts = np.searchsorted(ascending, starts)
        found = [part.take(ascending[cuts[n] : cuts[n + 1]] - starts[n]) for n, part in enumerate(parts)]
        blocks.append(pa.concat_tables(found).take(np.searchsorted(ascending, rows)))
    return pa.concat_tables(blocks)


def scored_rows(asked: ScoringRequest, frame: pd.DataFrame, progress: Progress = silent) -> pa.Table:
    """
    Return the scores of leads from their features, in the order of these.

    Args:
        asked: by which scorer, and whether with reasons.
        frame: (n, 5 + k) ``lead_id``, ``as_of``, the last stage under `LAST_STAGE`, the scorer's features, and what
            `features.age_and_silence` computes beside them.
        progress: is told how many reasons are done.
    """
    scorer = asked.scorer
    scored = scorer.score_many(frame)
    result = frame[["lead_id", "as_of"]].assign(
        score=[displayed(points) for points in scored.points.tolist()],
        points=scored.points,
        base_points=scored.base_points,
        probability=scored.probabilities,
        grade=scorer.bands.grades(scored.points),
        stage=frame[LAST_STAGE],
        beyond_history=pd.Series(beyond_history(scorer.reach, frame), index=frame.index, dtype="object"),
    )
    if asked.reasons:
        result["reasons"] = pd.Series(_all_reasons(scorer, frame, progress), index=result.index)
    return score_table(result, scorer.id)


def beyond_history(reach: HistoryReach | None, frame: pd.DataFrame) -> list[str | None]:
    """Return of each lead what `HistoryReach.beyond` says; nothing where the scorer does not know its reach."""
    if reach is None:
        return [None] * len(frame)
    return list(map(reach.beyond, *(frame[feature.name].tolist() for feature in BESIDE)))


def _all_reasons(scorer: Scorer, frame: pd.DataFrame, progress: Progress) -> list[list[dict[str, Any]]]:
    """Return the reasons of leads, which are all scored as of one instant."""
    written: list[list[dict[str, Any]]] = []
    for low, high in pairwise([*range(0, len(frame), _WORDED_AT_ONCE), len(frame)]):
        progress("wording the reasons", low, len(frame))
        part = frame[low:high]
        known = dict(zip(part["lead_id"], known_values(part[scorer.catalog.names]), strict=True))
        written += [
            [{"code": line.code, "says": line.says, "points": line.points} for line in receipt.reasons]
            for receipt in scorer.receipts(known, int(part["as_of"].iloc[0]))
        ]
    return written
