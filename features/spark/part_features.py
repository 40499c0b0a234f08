# ruff: noqa: S608 - this is SQL over the rows of one part
"""The features of one part, as a worker of Spark computes them: by the code that computes those of a whole history."""

from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from data.lifecycle.lead_lifecycle import LAST_STAGE
from features.catalog import Catalog
from features.errors import EngineError
from features.history.history_facts import HistoryTables
from features.history.over_history import features_of
from features.spark.placement import PlacedFacts

_DISTRIBUTION = "leadscore"
_VERSIONS = f"(SELECT * EXCLUDE (_part, _alone, {LAST_STAGE}) FROM of_leads WHERE _alone IS NULL)"
_ALONE = f"(SELECT * REPLACE (NULL::VARCHAR AS account_id) FROM {_VERSIONS})"


def computed_by_part(
    facts: PlacedFacts,
    catalog: Catalog,
    compute: Callable[[pd.DataFrame], pa.Table],
    *,
    as_of: int,
    schema: pa.Schema,
) -> Any:
    """
    Return what is computed of the features of each part, as a table of Spark; nothing runs yet.

    Args:
        facts: leads and facts in parts.
        catalog: the features.
        compute: from (n, 3 + k) features, as `part_features` returns them, to rows of the result; it is sent to the
            workers.
        as_of: the instant [us since 1970 UTC].
        schema: the columns of the result.
    """
    from pyspark.sql.pandas.types import from_arrow_schema  # noqa: PLC0415 - only who uses Spark has it

    work = partial(_computed, version(_DISTRIBUTION), catalog, as_of, compute)
    parts = facts.leads.groupBy("_part").cogroup(facts.activities.groupBy("_part"))
    return parts.applyInArrow(work, from_arrow_schema(schema))


def features_by_part(facts: PlacedFacts, catalog: Catalog, *, as_of: int) -> Any:
    """
    Return the features themselves, (n, 2 + k) in no particular order, as a table of Spark; nothing runs yet.

    Args:
        facts: leads and facts in parts.
        catalog: k features.
        as_of: the instant [us since 1970 UTC].
    """
    texts = {feature.name for feature in catalog.features if feature.is_category}
    values = [(name, pa.string() if name in texts else pa.float64()) for name in catalog.names]
    schema = pa.schema([("lead_id", pa.string()), ("as_of", pa.int64()), *values])
    return computed_by_part(facts, catalog, partial(_as_table, schema), as_of=as_of, schema=schema)


def _as_table(schema: pa.Schema, frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, schema, preserve_index=False)


def _computed(
    release: str,
    catalog: Catalog,
    as_of: int,
    compute: Callable[[pd.DataFrame], pa.Table],
    of_leads: pa.Table,
    activities: pa.Table,
) -> pa.Table:
    if version(_DISTRIBUTION) != release:
        message = f"a worker has leadscore {version(_DISTRIBUTION)}, expected {release}: install the same on all."
        raise EngineError(message)
    return compute(part_features(of_leads, activities, catalog, as_of=as_of))


def part_features(of_leads: pa.Table, activities: pa.Table, catalog: Catalog, *, as_of: int) -> pd.DataFrame:
    """
    Compute a catalog's features for the leads of one part.

    Args:
        of_leads: versions of leads, and the leads to describe; see `PlacedFacts`.
        activities: what the leads did.
        catalog: k features.
        as_of: the instant [us since 1970 UTC].

    Returns:
        (n, 3 + k), in no particular order: as `features.history.over_history` returns them, and `LAST_STAGE`.
    """
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("of_leads", of_leads)
        connection.register("activities", activities)
        frames = []
        for alone, leads in ((False, _VERSIONS), (True, _ALONE)):
            asked = connection.sql(
                f"SELECT lead_id, {as_of} AS as_of, {LAST_STAGE} FROM of_leads WHERE _alone = {alone}"
            ).to_arrow_table()
            if asked.num_rows:
                rows = asked.to_pandas()
                found = features_of(HistoryTables(connection, leads), rows, catalog, threads=1)
                frames.append(found.assign(**{LAST_STAGE: rows[LAST_STAGE]}))
    return pd.concat(frames, ignore_index=True)
