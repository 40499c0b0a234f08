"""Judging: at each origin model, point rules and baselines are fitted anew and judged on the weeks ahead."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import Any

from threadpoolctl import threadpool_limits

from data.playbook import Playbook
from data.progress import Progress, silent
from training.dataset.dataset import SEED, Dataset
from training.errors import FewLeadsError
from training.fitting.baselines import fit_baselines
from training.fitting.fit import FittedModel, fit
from training.fitting.minimum_data import require_enough_leads
from training.statistics.comparison import Contender, evaluate_scorers, paired_difference
from training.statistics.estimates import ScorerEvaluation
from training.statistics.scoring_metrics import EvaluationRows

MOST_ROWS = 250_000
"""Of an earlier origin's training rows, drawn by account: origins are there to be compared, not to serve."""


@dataclass(frozen=True, eq=False)
class OriginResult:
    """
    One origin: what was fitted there, and how it did on the weeks ahead.

    Attributes:
        dataset: as it was divided there.
        fitted: the model with the point rules beside it.
        contenders: the model first, then the point rules, then the baselines; probabilities of the test rows.
        scorers: their numbers, in the same order.
        differences: the model's log loss minus each other's, paired, with its interval.
    """

    dataset: Dataset
    fitted: FittedModel
    contenders: tuple[Contender, ...]
    scorers: tuple[ScorerEvaluation, ...]
    differences: tuple[Mapping[str, Any], ...]

    def as_json(self, number: int) -> dict[str, Any]:
        """Write the origin for the judgement."""
        plan = self.dataset.manifest["plan"]
        return {
            "number": number,
            **{name: plan[name] for name in ("train", "calibrate", "test")},
            "rows": self.scorers[0].rows,
            "positives": self.scorers[0].positives,
            "scorers": [scorer.as_json() for scorer in self.scorers],
            "differences": [dict(difference) for difference in self.differences],
            "says": _says(self.differences),
        }


def try_origins(
    found: tuple[Dataset, ...],
    playbook: Playbook,
    *,
    parameters: Mapping[str, Any] | None = None,
    seed: int = SEED,
    progress: Progress = silent,
) -> tuple[OriginResult, ...]:
    """
    Train and judge at every origin that has leads enough, the earlier ones beside the last.

    Args:
        found: the training set at each origin, oldest first; the last one must have leads enough.
        playbook: capacity, routing and point rules.
        parameters: of the trees, where a search found some. It saw the last origin's training weeks, so that earlier
            origins are judged a little too well then.
        seed: of the fitting.
        progress: hears how far the last origin has come.

    Raises:
        FewLeadsError: the last origin has too few leads.
    """
    *earlier, last = found
    require_enough_leads(last)
    tried = partial(_try, playbook=playbook, parameters=parameters, seed=seed)
    # One thread adds in one order: the same data give the same numbers, whatever the machine.
    with threadpool_limits(1, user_api="blas"), _beside() as (submit, unless_stopped):
        before = [submit(tried, one, most_rows=MOST_ROWS, progress=unless_stopped) for one in earlier if _enough(one)]
        ours = tried(last, most_rows=None, progress=progress)
        return (*(one.result() for one in before), ours)


def _enough(dataset: Dataset) -> bool:
    try:
        require_enough_leads(dataset)
    except FewLeadsError:
        return False
    return True


@contextmanager
def _beside() -> Iterator[tuple[Callable[..., Future[OriginResult]], Progress]]:
    """
    Give a thread beside this one to do work in, and the progress that ends this work when the block is left early.

    A thread is enough: LightGBM, BLAS and our kernels compute without Python's lock.
    """
    left = Event()

    def unless_left(what: str, done: int, total: int) -> None:
        if left.is_set():
            message = f"{what}: {done} of {total}"
            raise CancelledError(message)

    with ThreadPoolExecutor(1) as pool:
        try:
            yield pool.submit, unless_left
        finally:
            left.set()
            pool.shutdown(cancel_futures=True)


def _try(
    dataset: Dataset,
    *,
    playbook: Playbook,
    most_rows: int | None,
    parameters: Mapping[str, Any] | None,
    seed: int,
    progress: Progress,
) -> OriginResult:
    fitted = fit(dataset, playbook, parameters=parameters, most_rows=most_rows, progress=progress, seed=seed)
    test = dataset.block("test")
    contenders = (
        replace(Contender.of(fitted.model, fitted.model.score_many(test).probabilities), name="model"),
        Contender.of(fitted.scorecard, fitted.scorecard.score_many(dataset.rules_frame(test)).probabilities),
        *(Contender.baseline(one.name, one.probabilities(test)) for one in fit_baselines(dataset, seed=seed)),
    )
    judged = EvaluationRows.of(test)
    scorers = evaluate_scorers(
        contenders,
        judged,
        base_rate=dataset.base_rate,
        capacity_per_day=playbook.business.capacity_per_day,
        progress=progress,
    )
    return OriginResult(dataset, fitted, contenders, scorers, differences(contenders, judged))


def joined(tried: OriginResult, contender: Contender, *, capacity_per_day: float) -> OriginResult:
    """Let one more contender be judged at an origin, after the others."""
    judged = EvaluationRows.of(tried.dataset.block("test"))
    contenders = (*tried.contenders, contender)
    numbers = evaluate_scorers(
        [contender], judged, base_rate=tried.dataset.base_rate, capacity_per_day=capacity_per_day
    )
    return replace(
        tried,
        contenders=contenders,
        scorers=(*tried.scorers, *numbers),
        differences=differences(contenders, judged),
    )


def differences(contenders: tuple[Contender, ...], judged: EvaluationRows) -> tuple[Mapping[str, Any], ...]:
    """Give the first one's log loss minus each other's, paired on the same rows."""
    ours, *others = contenders
    return tuple(
        {"name": other.name, "log_loss": paired_difference(ours.probability, other.probability, judged).as_json()}
        for other in others
    )


def _says(found: tuple[Mapping[str, Any], ...]) -> str:
    """
    Say whom the model beat beyond chance.

    >>> _says(({"name": "desk rules", "log_loss": {"value": -0.03, "low": -0.04, "high": -0.02}},))
    'The model beats desk rules.'
    """
    better = [one["name"] for one in found if one["log_loss"]["high"] < 0]
    worse = [one["name"] for one in found if one["log_loss"]["low"] > 0]
    open_ = [one["name"] for one in found if one["name"] not in {*better, *worse}]
    parts = [
        f"{verb} {_listed(names)}"
        for verb, names in (("beats", better), ("loses to", worse), ("cannot be told from", open_))
        if names
    ]
    return f"The model {', '.join(parts)}."


def _listed(names: list[str]) -> str:
    """
    Write names as people do.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
