"""Participants: models and point rules, current and former, each with its scores of the same listings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from data.importing.warehouse import Warehouse
from data.progress import Progress, silent, tracked
from data.words.playbook import Playbook
from features.errors import FeatureError
from models.scorecard import Scorecard
from models.scorer import Scorer
from training.dataset.dataset import LISTED, Dataset
from training.dataset.feature_values import values_of
from training.fitting.scorecard_fit import calibrated_rules
from training.replay.weeks import Floats
from training.statistics.comparison import Contender
from training.statistics.scorer_metrics import Kind

_UNREGISTERED = "unregistered"


@dataclass(frozen=True, eq=False, kw_only=True)
class Participant(Contender):
    """
    A contender that takes part in the replay.

    Attributes:
        probability: (n,) of each test row.
        score: (m,) of each listing, by which it would have the team call, highest first: points, since two leads whose
            probabilities a flat calibration makes equal may still differ in points.
        scorer: writes its receipts; None for one that has none.
    """

    score: Floats
    scorer: Scorer | None = None


@dataclass(frozen=True, eq=False)
class Participants:
    """
    All that take part.

    Attributes:
        participants: the model first; no two of one name.
        absent: a sentence on each scorer that should take part and cannot.
    """

    participants: tuple[Participant, ...]
    absent: tuple[str, ...] = ()


def participant_of(
    scorer: Scorer,
    dataset: Dataset,
    *,
    name: str | None = None,
    kind: Kind | None = None,
    warehouse: Warehouse | None = None,
) -> Participant:
    """
    Score the test rows, and the listings of the test weeks, with a scorer.

    Args:
        scorer: a model or point rules.
        dataset: its test rows and listings.
        name: what readers call it; default: the scorer's own name.
        kind: for learned rules, which their own id does not distinguish from written ones.
        warehouse: the history, for features that the training set does not hold.
    """
    rows = dataset.block("test", LISTED)
    scored = scorer.score_many(values_of(scorer.catalog, rows, dataset=dataset, warehouse=warehouse))
    listed = (rows["block"] == LISTED).to_numpy()
    identity = scorer.id
    return Participant(
        name=name or identity.name,
        kind=kind or identity.kind,
        version=identity.version,
        fingerprint=identity.fingerprint,
        probability=scored.probabilities[~listed],
        score=scored.points[listed],
        scorer=scorer,
    )


class _Entry(NamedTuple):
    """A scorer that is to take part, its name, and its kind."""

    scorer: Scorer
    name: str
    kind: Kind


def choose_participants(
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
    Score the test rows and the listings with the model and with every scorer that it is compared with.

    Args:
        dataset: its test rows and listings are what they are compared on; its train rows give rules their
            probabilities.
        playbook: its ``rivals`` take part.
        model: the challenger, or whichever model is to be compared.
        scorecard: the playbook's point rules, calibrated.
        champion: the model that serves; None where none does. It is absent if the history lacks one of its features.
        learned: the point rules distilled from the model, calibrated.
        warehouse: the history, for features that the training set does not hold.
        progress: called with the number of scorers that have scored the rows.

    Returns:
        The model first, then the champion unless that is the same, the point rules, the rivals, the learned rules.

    Raises:
        FeatureError: the history lacks a feature of ``model``.
    """
    rivals = (calibrated_rules(rules, dataset, playbook=playbook, warehouse=warehouse) for rules in playbook.rivals)
    entries = [
        *_models(model, champion),
        *(_Entry(rules, rules.id.name, "rules") for rules in (scorecard, *rivals)),
        *(_Entry(rules, rules.id.name, "learned rules") for rules in (learned,) if rules is not None),
    ]
    names = _distinct_names([entry.name for entry in entries], [entry.scorer.id.version for entry in entries])
    participants, absent = [], []
    for entry, name in tracked(list(zip(entries, names, strict=True)), "scoring the test weeks", progress):
        try:
            participant = participant_of(entry.scorer, dataset, name=name, kind=entry.kind, warehouse=warehouse)
        except FeatureError as error:
            if entry is entries[0] or entry.scorer is not champion:
                raise
            absent.append(f"The {name} could not take part, as this history lacks a feature it needs: {error}")
        else:
            participants.append(participant)
    return Participants(tuple(participants), tuple(absent))


def _models(model: Scorer, champion: Scorer | None) -> list[_Entry]:
    """Return the models; a challenger that serves already is the champion, whose version is known."""
    challenger = _Entry(model, _model_name(model), "model")
    if champion is None:
        return [challenger]
    serving = _Entry(champion, f"{_model_name(champion)} (serves)", "model")
    return [serving] if champion.id.fingerprint == model.id.fingerprint else [challenger, serving]


def _model_name(model: Scorer) -> str:
    """Name a model by its version in the registry, since all versions of it share one name."""
    version = model.id.version
    return "model" if version == _UNREGISTERED else f"model, version {version}"


def _distinct_names(names: Sequence[str], versions: Sequence[str]) -> list[str]:
    """
    Add the version to a name that an earlier participant has, and a number where that does not help.

    >>> _distinct_names(["model", "our rules", "our rules", "our rules"], ["3", "aa", "bb", "bb"])
    ['model', 'our rules', 'our rules, version bb', 'our rules, version bb, no. 4']
    """
    distinct: list[str] = []
    for number, (name, version) in enumerate(zip(names, versions, strict=True), 1):
        longer = f"{name}, version {version}"
        distinct.append(next(text for text in (name, longer, f"{longer}, no. {number}") if text not in distinct))
    return distinct
