"""Entrants: models and point rules, of today and of old, each with its scores of the same test rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from data.playbook import Playbook
from data.progress import Progress, silent
from data.warehouse import Warehouse
from features.errors import FeatureError
from models.scorecard import Scorecard
from models.scorer import Scorer
from training.dataset.dataset import Dataset
from training.dataset.feature_values import values_of
from training.fitting.scorecard_fit import calibrated_rules
from training.replay.weeks import Floats
from training.statistics.comparison import Contender
from training.statistics.scorer_kind import Kind

_UNREGISTERED = "unregistered"
_Asked = tuple[Scorer, str, Kind]


@dataclass(frozen=True, eq=False, kw_only=True)
class Participant(Contender):
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
class Participants:
    """
    Who takes part.

    Attributes:
        entrants: ours first; no two of one name.
        absent: a sentence on each who should take part and cannot.
    """

    entrants: tuple[Participant, ...]
    absent: tuple[str, ...] = ()


def enter(
    scorer: Scorer,
    dataset: Dataset,
    *,
    name: str | None = None,
    kind: Kind | None = None,
    warehouse: Warehouse | None = None,
) -> Participant:
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
    return Participant(
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
    playbook: Playbook,
    *,
    model: Scorer,
    scorecard: Scorecard,
    champion: Scorer | None = None,
    learned: Scorecard | None = None,
    warehouse: Warehouse | None = None,
    progress: Progress = silent,
) -> Participants:
    """
    Let everyone enter who has a say in whom to call.

    Args:
        dataset: its test block is what they are compared on, its calibrate block gives rules their probabilities.
        playbook: its ``rivals`` take part.
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
    rivals = (calibrated_rules(rules, dataset, playbook=playbook, warehouse=warehouse) for rules in playbook.rivals)
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
    return Participants(tuple(entrants), tuple(absent))


def _models(model: Scorer, champion: Scorer | None) -> list[_Asked]:
    """Give the models with their names; a challenger that serves already is the champion, whose version is known."""
    ours: _Asked = (model, _called(model), "model")
    if champion is None:
        return [ours]
    serving: _Asked = (champion, f"{_called(champion)} (serves)", "model")
    return [serving] if champion.id.fingerprint == model.id.fingerprint else [ours, serving]


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
