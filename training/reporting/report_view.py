"""A judgement made ready to be read: parts that a training did not make are there, and what is not known is None."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from training.reporting.number_format import ends, known

_ABSENT: Mapping[str, Any] = {
    "version": None,
    "run_id": None,
    "model": None,
    "gates": [],
    "reasons": [],
    "scorers": [],
    "differences": [],
    "origins": [],
    "segments": [],
    "arena": None,
    "learned_scorecard": None,
    "accepted_risk": None,
}
_CURVES = ("reliability", "gain", "lift")


def complete(judgement: Mapping[str, Any]) -> dict[str, Any]:
    """
    Give the judgement with every optional part present and plain: JSON can write it, templates can ask for anything.

    Args:
        judgement: as training found it; a part that point rules alone do not have may be absent or None.

    >>> found = complete({"verdict": "Rules only.", "scorers": None, "data": {"base_rate": float("nan")}})
    >>> found["scorers"], found["arena"], found["data"]["base_rate"]
    ([], None, None)
    """
    given = {name: _plain(part) for name, part in judgement.items()}
    whole = {**given, **{name: empty for name, empty in _ABSENT.items() if given.get(name) is None}}
    curves = given.get("curves") or {}
    return {**whole, "curves": {name: curves.get(name) or [] for name in _CURVES}}


def the_model(scorers: Iterable[Mapping[str, Any]], name: str | None = None) -> Mapping[str, Any] | None:
    """Give the model that is judged: the one of that name, or else the first of its kind."""
    models = [one for one in scorers if one["kind"] == "model"]
    return next((one for one in models if one["name"] == name), models[0] if models else None)


def the_rules(scorers: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Give the playbook's own point rules: the first of their kind."""
    return next((one for one in scorers if one["kind"] == "rules"), None)


def telling(scorers: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Leave out the scorers that say the same of every lead, whose AUC is that of no order at all."""
    given = list(scorers)
    return [one for one in given if (known(one.get("auc")), ends(one.get("auc"))) != (0.5, (0.5, 0.5))] or given


def _plain(part: Any) -> Any:
    if isinstance(part, Mapping):
        return {str(name): _plain(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [_plain(value) for value in part]
    if hasattr(part, "item"):  # a number of NumPy's
        return _plain(part.item())
    return None if isinstance(part, float) and not math.isfinite(part) else part
