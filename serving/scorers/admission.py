"""Admission: what a scorer must prove before it answers, beyond being unchanged since it was saved."""

import json
import math
import sqlite3

from sqlalchemy import text

from models.errors import BundleError
from models.scorer import Scorer
from serving.scorers.live_scorer import LiveScorer, compile_scorer
from serving.store.database import Database, in_memory_store, raw_connection
from serving.store.store_errors import STORE_ERRORS

_NOT_RUNNING = "its features do not run on a store: export the bundle again from its MLflow run."
_DAY_US = 86_400_000_000
_AS_OF = 20_000 * _DAY_US
_LEAD = "INSERT INTO leads (lead_id) VALUES ('L')"
_VERSION = "INSERT INTO lead_versions (lead_id, known_at, created_at, attributes) VALUES ('L', ?, ?, '{}')"


def admit_scorer(scorer: Scorer, database: Database) -> LiveScorer:
    """
    Compile a scorer's features for the store, run them there, and score a lead of which nothing is known.

    Args:
        scorer: verified.
        database: the store that it shall run on.

    Raises:
        BundleError: its features do not run on the store, or its score cannot be written as JSON.
    """
    live = compile_scorer(scorer, dialect=database.dialect)
    _score_once(live)
    try:
        with database.reading() as connection:
            raw_connection(connection).execute(live.query.one, ("", _AS_OF)).fetchall()
            raw_connection(connection).execute(live.query.many, ("[]",)).fetchall()
    except STORE_ERRORS:
        with database.reading() as connection:  # raises the same again if it is the store that does not answer
            connection.execute(text("SELECT 1")).scalar()
        raise BundleError(_NOT_RUNNING) from None
    return live


def _score_once(live: LiveScorer) -> None:
    """Score a new lead in a store in memory."""
    store = in_memory_store()
    try:
        store.execute("BEGIN")
        store.execute(_LEAD)
        store.execute(_VERSION, (_AS_OF - _DAY_US, _AS_OF - _DAY_US))
        score = live.in_memory.score(store, "L", as_of=_AS_OF, top=None)
    except sqlite3.Error:
        raise BundleError(_NOT_RUNNING) from None
    finally:
        store.close()
    if score is None or not math.isfinite(score.receipt.points):
        message = "it gives a new lead no points: export the bundle again from its MLflow run."
        raise BundleError(message)
    json.dumps(score.as_json(), allow_nan=False).encode()
