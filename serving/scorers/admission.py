"""Admission: what a scorer must prove before it answers, beyond being unchanged since it was saved."""

import json
import math

from features.live.live_features import LeadFacts
from features.live.live_sweep import Activity, Members
from models.errors import BundleError
from models.scorer import Scorer
from serving.scorers.live_scorer import KnownLead, LiveScorer, compile_scorer
from serving.store.database import Dialect

_DAY_US = 86_400_000_000
_AS_OF = 20_000 * _DAY_US
_CREATED = _AS_OF - _DAY_US


def admit_scorer(scorer: Scorer, dialect: Dialect) -> LiveScorer:
    """
    Compile a scorer's features, and score a new lead of which little is known.

    Args:
        scorer: verified.
        dialect: the engine of the store that it shall run on.

    Raises:
        BundleError: its score cannot be written as JSON.
    """
    live = compile_scorer(scorer, dialect=dialect)
    did = [Activity("L", "activity", None, None, _CREATED, _CREATED)]
    account = Members(_AS_OF, [(), did], [(0, 0)])
    for activities in ((), did):
        (described,) = live.described([LeadFacts(_AS_OF, _CREATED, {}, activities)], [account])
        score = live.score_known("L", _AS_OF, known=KnownLead(None, *described))
        if not math.isfinite(score.receipt.points):
            message = "it gives a new lead no points: export the bundle again from its MLflow run."
            raise BundleError(message)
        json.dumps(score.as_json(), allow_nan=False).encode()
    return live
