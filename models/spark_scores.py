"""The scores of all leads that were open at an instant of history, by Spark: to the bit those of DuckDB."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from data.lifecycle.closed_leads import open_leads
from features.age_and_silence import with_age_and_silence
from features.history.over_history import require_attributes
from features.spark.part_features import computed_by_part
from features.spark.placement import placed_facts
from features.spark.spark_session import spark_session
from features.spark.spark_tables import SparkTables, unbound_tables
from models.history_scores import ScoringRequest, scored_rows
from models.score_files import score_schema
from models.score_summary import ScoreSummary, require_open_leads


@dataclass(frozen=True, slots=True)
class SparkScores:
    """
    Scores that lie on the workers, for as long as the session is open.

    Attributes:
        asked: what was scored.
        rows: the scores, the best first, as a table of Spark.
    """

    asked: ScoringRequest
    rows: Any

    def table(self) -> pa.Table:
        """Return them as `models.history_scores.scored_by_duckdb` does; this machine must hold them."""
        return self.rows.toArrow().cast(score_schema(reasons=self.asked.reasons))

    def write(self, folder: Path) -> ScoreSummary:
        """
        Write them, by the workers, into a new folder of Parquet files, which they and this machine know by one path.

        Args:
            folder: its path.

        Raises:
            ModelError: no lead was open then.
        """
        threshold = self.asked.scorer.bands.threshold
        counts = "count(*)", f"count_if(points >= {threshold!r})", "count(beyond_history)"
        ((leads, over, beyond),) = self.rows.selectExpr(*counts).collect()
        require_open_leads(leads, self.asked.as_of)
        self.rows.write.parquet(folder.resolve().as_uri())
        first = ScoreSummary.of(self.rows.limit(ScoreSummary.MOST_NAMED).toArrow(), threshold)
        return ScoreSummary(leads, over, beyond, first.top)


@contextmanager
def scores_by_spark(master: str, folder: str, asked: ScoringRequest) -> Iterator[SparkScores]:
    """
    Open a session at a master of Spark and let it score.

    Args:
        master: from `features.spark.engine`.
        folder: the address of the contract's tables.
        asked: what to score.

    Raises:
        EngineError: Spark is missing, does not answer or fails.
        CatalogError: the leads lack an attribute that the scorer uses.
    """
    catalog, schema = with_age_and_silence(asked.scorer.catalog), score_schema(reasons=asked.reasons)
    with spark_session(master) as session:
        tables = SparkTables.of(session, folder)
        require_attributes(catalog, tables.leads.columns)
        leads = tables.selected(open_leads(*unbound_tables(), lifecycle=asked.lifecycle, as_of=asked.as_of))
        facts = placed_facts(tables.known_before(asked.as_of), leads, catalog)
        scored = computed_by_part(facts, catalog, partial(scored_rows, asked), as_of=asked.as_of, schema=schema)
        scored = scored.persist()  # to sort is to read twice
        yield SparkScores(asked, scored.orderBy(scored["points"].desc(), scored["lead_id"]))
