"""Entrants: models and point rules, of today and of old, each with its scores of the same test rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.playbook import PlaybookFolder
from data.progress import Progress, silent
from data.rules import ScorecardRules
from data.warehouse import Warehouse
from features.errors import FeatureError
from models.scorecard import Scorecard, compile_scorecard
from models.scorer import Scorer
from training.arena.weeks import Floats
from training.calibrating import platt
from training.comparison import Contender, Kind
from training.dataset import Dataset
from training.thresholds import solve_bands
from training.values import values_of

_UNREGISTERED = "unregistered"
_Asked = tuple[Scorer, str, Kind]


@dataclass(frozen=True, eq=False, kw_only=True)
class Entrant(Contender):
    """
    A contender that takes part in the arena.

    Attributes:
        score: (n,) by which it would have the team call, highest first: points, since two leads whose chances a flat
            calibration calls equal may still differ in points.
        scorer: writes its receipts; None for one that has none.
    """

    score: Floats
    scorer: Scorer | None = None


@dataclass(frozen=True, eq=False)
class LineUp:
    """
    Who takes part.

    Attributes:
        entrants: ours first; no two of one name.
        absent: a sentence on each who should take part and cannot.
    """

    entrants: tuple[Entrant, ...]
    absent: tuple[str, ...] = ()


def enter(
    scorer: Scorer,
    dataset: Dataset,
    *,
    name: str | None = None,
    kind: Kind | None = None,
    warehouse: Warehouse | None = None,
) -> Entrant:
    """
    Let a scorer score the test rows.

    Args:
        scorer: a model or point rules.
        dataset: its test block.
        name: what readers call it; default: the scorer's own name.
        kind: where its receipts do not tell that its rules were learned.
        warehouse: the history, for features that the training set does not hold.
    """
    test = dataset.block("test")
    scored = scorer.score_many(values_of(scorer.catalog, test, dataset=dataset, warehouse=warehouse))
    said = scorer.id
    return Entrant(
        name=name or said.name,
        kind=kind or said.kind,
        version=said.version,
        fingerprint=said.fingerprint,
        probability=scored.probabilities,
        score=scored.points,
        scorer=scorer,
    )


def line_up(
    dataset: Dataset,
    folder: PlaybookFolder,
    *,
    model: Scorer,
    scorecard: Scorecard,
    champion: Scorer | None = None,
    learned: Scorecard | None = None,
    warehouse: Warehouse | None = None,
    progress: Progress = silent,
) -> LineUp:
    """
    Let everyone enter who has a say in whom to call.

    Args:
        dataset: its test block is what they are compared on, its calibrate block gives rules their probabilities.
        folder: its ``rivals`` take part.
        model: the challenger, or whichever model is asked about.
        scorecard: the playbook's point rules, calibrated.
        champion: the model that serves; None where none does. One that wants features which the history does not hold
            is absent.
        learned: the point rules distilled from the model, calibrated.
        warehouse: the history, for features that the training set does not hold.
        progress: hears how many have scored the rows.

    Returns:
        The model first, then the champion unless that is the same, the point rules, the rivals, the learned rules.

    Raises:
        FeatureError: the history lacks a feature of the model that is asked about.
    """
    rivals = (calibrated_rules(rules, dataset, folder=folder, warehouse=warehouse) for rules in folder.rivals)
    asked: list[_Asked] = [
        *_models(model, champion),
        *((rules, rules.id.name, "rules") for rules in (scorecard, *rivals)),
        *((rules, rules.id.name, "learned rules") for rules in (learned,) if rules is not None),
    ]
    names = _told_apart([name for _, name, _ in asked], [scorer.id.version for scorer, _, _ in asked])
    entrants, absent = [], []
    for at, ((scorer, _, kind), name) in enumerate(zip(asked, names, strict=True)):
        progress("scoring the test weeks", at, len(asked))
        try:
            entrants.append(enter(scorer, dataset, name=name, kind=kind, warehouse=warehouse))
        except FeatureError as error:
            if at == 0 or scorer is not champion:
                raise
            absent.append(f"The {name} could not take part, for this history lacks what it looks at: {error}")
    progress("scoring the test weeks", len(asked), len(asked))
    return LineUp(tuple(entrants), tuple(absent))


def _models(model: Scorer, champion: Scorer | None) -> list[_Asked]:
    """Give the models with their names; a challenger that serves already is the champion, whose version is known."""
    ours: _Asked = (model, _called(model), "model")
    if champion is None:
        return [ours]
    serving: _Asked = (champion, f"{_called(champion)} (serves)", "model")
    return [serving] if champion.id.fingerprint == model.id.fingerprint else [ours, serving]


def calibrated_rules(
    rules: ScorecardRules, dataset: Dataset, *, folder: PlaybookFolder, warehouse: Warehouse | None = None
) -> Scorecard:
    """
    Give point rules a probability, grades and a threshold, from the rows that the playbook's own rules get theirs from.

    Args:
        rules: such as one of the playbook's rivals.
        dataset: its calibrate block, and its rows of the last 90 days.
        folder: capacity and routing.
        warehouse: the history, for features that the training set does not hold.

    Raises:
        LookupError: a rule needs such a feature, and there is no history.
    """
    card = compile_scorecard(rules, folder.playbook)
    rows, recent = dataset.block("calibrate"), dataset.recent
    both = values_of(card.catalog, _once(rows, recent), dataset=dataset, warehouse=warehouse)
    points = pd.Series(card.score_many(both).points, index=both.index)
    scored, lately = (np.asarray(points[some.index], dtype=np.float64) for some in (rows, recent))
    calibration = platt(scored, rows)
    even = float(np.log(dataset.base_rate / (1 - dataset.base_rate)))
    average = (even - calibration.offset) / calibration.slope if calibration.slope > 0 else float(np.mean(lately))
    capacity = folder.playbook.capacity_per_day
    bands = solve_bands(recent, lately, routing=folder.routing, capacity_per_day=capacity, average=average)
    return card.calibrated(calibration, bands)


def _once(rows: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    """Put rows of one training set together, each once."""
    return pd.concat([rows, more[~more.index.isin(rows.index)]])


def _called(model: Scorer) -> str:
    """Name a model by its version in the registry, since all versions of it share one name."""
    version = model.id.version
    return "model" if version == _UNREGISTERED else f"model, version {version}"


def _told_apart(names: Sequence[str], versions: Sequence[str]) -> list[str]:
    """
    Add the version to a name that an earlier entrant has, and a number where that does not help.

    >>> _told_apart(["model", "our rules", "our rules", "our rules"], ["3", "aa", "bb", "bb"])
    ['model', 'our rules', 'our rules, version bb', 'our rules, version bb, no. 4']
    """
    found: list[str] = []
    for at, (name, version) in enumerate(zip(names, versions, strict=True), 1):
        longer = f"{name}, version {version}"
        found.append(next(one for one in (name, longer, f"{longer}, no. {at}") if one not in found))
    return found
