"""Backtest: at each origin, model, point rules and baselines are fitted anew and evaluated on the weeks ahead."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from data.progress import Progress, silent
from data.words.playbook import Playbook
from training.dataset.dataset import SEED, Dataset
from training.errors import FewLeadsError
from training.evaluation.family_choice import choose_family
from training.evaluation.scorer_evaluation import LogLossDifference, OriginEvaluation, Period
from training.evaluation.summary import differences_in_words
from training.evaluation.training_summary import FamilyChoice
from training.fitting.families import NAMES, fit_families
from training.fitting.fitted_model import Family, FittedModel
from training.fitting.minimum_data import require_enough_leads
from training.lists.list_test import ScoredLists
from training.statistics.comparison import Contender, evaluate_scorers, paired_difference
from training.statistics.scorer_metrics import ScorerEvaluation
from training.statistics.scoring_metrics import EvaluationRows

MOST_ROWS = 120_000
"""Most training rows of an earlier origin, drawn by account: origins are there to be compared, not to serve."""


BASE_RATE = "base rate"
"""The baseline that is the same for every lead."""


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
    differences: tuple[LogLossDifference, ...]

    def lists(self, spread: float) -> ScoredLists:
        """
        Score everybody open on several mornings of the test weeks by the model.

        Args:
            spread: by how much the sum of chances may be off by the luck of the calibration, as a share of it.
        """
        rows = self.dataset.listed[self.dataset.listed["whole_list"]]
        scored = self.fitted.model.score_many(rows)
        return ScoredLists(rows, scored.probabilities, scored.points, spread)

    def evaluation(self, number: int) -> OriginEvaluation:
        """Describe the origin for the evaluation."""
        plan = self.dataset.manifest["plan"]
        periods = {name: Period.model_validate(plan[name]) for name in ("train", "test")}
        return OriginEvaluation(
            number=number,
            **periods,
            rows=self.scorers[0].rows,
            positives=self.scorers[0].positives,
            scorers=self.scorers,
            differences=self.differences,
            says=differences_in_words(self.differences),
        )


@dataclass(frozen=True, eq=False)
class Backtest:
    """
    Every origin, evaluated with the family of models that serves.

    Attributes:
        origins: oldest first.
        choice: which family, and why.
    """

    origins: tuple[OriginResult, ...]
    choice: FamilyChoice


def evaluate_origins(
    datasets: tuple[Dataset, ...],
    playbook: Playbook,
    *,
    parameters: Mapping[str, Any] | None = None,
    seed: int = SEED,
    progress: Progress = silent,
) -> Backtest:
    """
    Train and evaluate at every origin that has enough leads, the earlier ones beside the last.

    Args:
        datasets: the training set at each origin, oldest first; the last one must have enough leads.
        playbook: capacity, routing and point rules.
        parameters: of the trees, where a search was made. The search saw the last origin's training weeks, so that
            earlier origins are evaluated a little too well then.
        seed: of the fitting.
        progress: hears how far the last origin has come.

    Raises:
        FewLeadsError: the last origin has too few leads.
    """
    require_enough_leads(datasets[-1])
    *earlier, last = [each for each in datasets if _enough(each)]
    run = partial(fit_families, playbook=playbook, parameters=parameters, seed=seed)
    # One thread adds in one order: the same data give the same numbers, however many cores there are.
    with threadpool_limits(1, user_api="blas"), _second_thread() as (submit, unless_left):
        fitting = [submit(run, each, most_rows=MOST_ROWS, progress=unless_left) for each in earlier]
        newest = run(last, progress=progress)
        fits = [*(future.result() for future in fitting), newest]
        choice = _chosen((*earlier, last), fits)
        evaluate = partial(_evaluated, family=choice.family, playbook=playbook)
        pending = [
            submit(evaluate, each, found, progress=unless_left) for each, found in zip(earlier, fits[:-1], strict=True)
        ]
        evaluated = evaluate(last, newest, progress=progress)
        return Backtest((*(future.result() for future in pending), evaluated), choice)


def _chosen(datasets: Sequence[Dataset], fits: Sequence[dict[Family, FittedModel]]) -> FamilyChoice:
    tests = [each.block("test") for each in datasets]
    chances = [
        {family: fitted.probabilities(rows) for family, fitted in found.items()}
        for rows, found in zip(tests, fits, strict=True)
    ]
    return choose_family(tests, chances)


def _enough(dataset: Dataset) -> bool:
    try:
        require_enough_leads(dataset)
    except FewLeadsError:
        return False
    return True


@contextmanager
def _second_thread() -> Iterator[tuple[Callable[..., Future[Any]], Progress]]:
    """
    Open a thread beside this one, and a progress that stops its work when the block is left early.

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


def _evaluated(
    dataset: Dataset,
    fits: Mapping[Family, FittedModel],
    *,
    family: Family,
    playbook: Playbook,
    progress: Progress,
) -> OriginResult:
    """Evaluate the model of the family that serves, beside the point rules and the baselines."""
    test, fitted = dataset.block("test"), fits[family]
    others = [each for name, each in fits.items() if name != family]
    contenders = (
        replace(Contender.of(fitted.model, fitted.model.score_many(test).probabilities), name="model"),
        Contender.of(fitted.scorecard, fitted.scorecard.score_many(dataset.rules_frame(test)).probabilities),
        Contender.baseline(BASE_RATE, np.full(len(test), dataset.base_rate)),
        *(Contender.baseline(NAMES[each.family], each.probabilities(test)) for each in others),
    )
    rows = EvaluationRows.of(test)
    scorers = evaluate_scorers(
        contenders,
        rows,
        base_rate=dataset.base_rate,
        capacity_per_day=playbook.business.capacity_per_day,
        progress=progress,
    )
    return OriginResult(dataset, fitted, contenders, scorers, differences(contenders, rows))


def with_contender(origin: OriginResult, contender: Contender, *, capacity_per_day: float) -> OriginResult:
    """Evaluate one more contender at an origin, after the others."""
    rows = EvaluationRows.of(origin.dataset.block("test"))
    contenders = (*origin.contenders, contender)
    numbers = evaluate_scorers([contender], rows, base_rate=origin.dataset.base_rate, capacity_per_day=capacity_per_day)
    return replace(
        origin,
        contenders=contenders,
        scorers=(*origin.scorers, *numbers),
        differences=differences(contenders, rows),
    )


def differences(contenders: tuple[Contender, ...], rows: EvaluationRows) -> tuple[LogLossDifference, ...]:
    """Return the first contender's log loss minus each other's, paired on the same rows."""
    model, *others = contenders
    return tuple(
        LogLossDifference(name=other.name, log_loss=paired_difference(model.probability, other.probability, rows))
        for other in others
    )
