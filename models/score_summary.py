"""What to say of many scores: how many, how many over the threshold, and whom to call first."""

import math
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from data.instants import iso
from models.errors import ModelError


@dataclass(frozen=True, slots=True)
class TopLead:
    """
    One of the leads to call first.

    Attributes:
        lead_id: which.
        score: as shown.
        grade: its letter.
        probability: NaN where it is not known yet.
        beyond_history: what `models.history_reach.HistoryReach.beyond` says of it.
    """

    lead_id: str
    score: int
    grade: str
    probability: float
    beyond_history: str | None


@dataclass(frozen=True, slots=True)
class ScoreSummary:
    """How many leads were scored, how many of them handed over or beyond the history, and the first of them."""

    MOST_NAMED: ClassVar[int] = 10

    leads: int
    handed_over: int
    beyond_history: int
    top: tuple[TopLead, ...]

    @classmethod
    def of(cls, table: pa.Table, threshold: float) -> "ScoreSummary":
        """
        Summarise scores.

        Args:
            table: from `models.score_files.score_table`, the best first.
            threshold: the points from which on a lead is handed over.
        """
        over = pc.sum(pc.greater_equal(table["points"], threshold)).as_py() or 0
        columns = ["lead_id", "score", "grade", "probability", "beyond_history"]
        rows = table.select(columns).slice(0, cls.MOST_NAMED).to_pylist()
        top = (TopLead(**row | {"probability": _known_chance(row["probability"])}) for row in rows)
        beyond = table.num_rows - table["beyond_history"].null_count
        return cls(table.num_rows, over, beyond, tuple(top))


def require_open_leads(leads: int, as_of: int) -> None:
    """
    Check that there was something to score.

    Raises:
        ModelError: no lead was open at the instant [us since 1970 UTC].
    """
    if not leads:
        message = f"no lead was open as of {iso(as_of)}: give --as-of an instant within the history."
        raise ModelError(message)


def _known_chance(probability: float | None) -> float:
    return math.nan if probability is None else probability
