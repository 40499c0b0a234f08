"""The numbers of a training's MLflow run: the ones that people compare as metrics, and all of them as one file."""

from training.dataset.dataset import Dataset
from training.evaluation.evaluation_document import Evaluation
from training.evaluation.scorer_evaluation import OriginEvaluation
from training.fitting.minimum_data import leads_of_block
from training.statistics.scorer_metrics import Metrics, ScorerName

_OF_EACH_ORIGIN = ("log_loss", "auc")
_PARTS = ("_low", "_high")


def headline_metrics(dataset: Dataset, evaluation: Evaluation) -> dict[str, float]:
    """
    Return the numbers by which versions are compared; at most 120, however many scorers there are.

    Returns:
        The rows of each block; the model's numbers on its test rows with their intervals (``test_``); those of the
        playbook's rules without (``rules_test_``); and the log loss and AUC of each kind of scorer at each origin.
    """
    counts = {f"rows_{name}": float(count) for name, count in dataset.manifest["blocks"].items()}
    counts["leads_reached_goal"] = float(leads_of_block(dataset, "train")[0])
    rules = _test_metrics("rules_test_", evaluation.rules_scorer)
    plain = {name: number for name, number in rules.items() if not name.endswith(_PARTS)}
    origins: dict[str, float] = {}
    for origin in evaluation.origins:
        wanted = tuple(f"_{name}" for name in _OF_EACH_ORIGIN)
        numbers = _origin_metrics(origin)
        origins |= {name: number for name, number in numbers.items() if name.endswith(wanted) and "pr_auc" not in name}
    return counts | _test_metrics("test_", evaluation.model_scorer) | plain | origins


def all_metrics(evaluation: Evaluation) -> dict[str, float]:
    """Return every number of every scorer at every origin; of the test rows also as ``test_``, ``rules_test_``."""
    numbers: dict[str, float] = {}
    for origin in evaluation.origins:
        numbers |= _origin_metrics(origin)
    return (
        numbers
        | _test_metrics("test_", evaluation.model_scorer)
        | _test_metrics("rules_test_", evaluation.rules_scorer)
    )


def _origin_metrics(origin: OriginEvaluation) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for scorer in origin.scorers:
        numbers |= _prefixed(f"origin_{origin.number}_{_label(scorer)}_", scorer.metrics)
    return numbers


def _test_metrics(prefix: str, metrics: Metrics | None) -> dict[str, float]:
    return {} if metrics is None else _prefixed(prefix, metrics)


def _label(scorer: ScorerName) -> str:
    return (scorer.name if scorer.kind == "baseline" else scorer.kind).replace(" ", "_")


def _prefixed(prefix: str, metrics: Metrics) -> dict[str, float]:
    """Name each number: ``auc``, ``auc_low``, ``auc_high``; one that is not known is left out."""
    numbers = {
        name if part == "value" else f"{name}_{part}": number
        for name, value in metrics.model_dump(include=set(Metrics.model_fields)).items()
        for part, number in (value.items() if isinstance(value, dict) else (("value", value),))
    }
    return {f"{prefix}{name}": float(number) for name, number in numbers.items() if number is not None}
