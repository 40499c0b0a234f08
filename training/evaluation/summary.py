"""What a training came to, in a few sentences that marketing operations can defend, and what to do next."""

from collections.abc import Iterable, Sequence

from training.evaluation.evaluation_document import Evaluation
from training.evaluation.scorer_evaluation import LogLossDifference, OriginEvaluation, first_of
from training.gates.gate import NOT_CONTRADICTED, QUESTION, GateResult, named
from training.statistics.estimate import Estimate
from training.statistics.scorer_metrics import ScorerName


def verdict_of(evaluation: Evaluation) -> str:
    """
    Summarise an evaluation: the replay at the team's capacity, the origins, and the gates.

    Args:
        evaluation: as training found it; its own verdict is not read.
    """
    if evaluation.model is None:
        return f"{evaluation.cold_start.says} Until then the point rules score alone."
    replay = "" if evaluation.replay is None else evaluation.replay.says
    parts = [replay, _of_origins(evaluation.origins), " ".join(gate_sentences(evaluation.gates))]
    return " ".join(part for part in parts if part)


def next_step(evaluation: Evaluation) -> str:
    """Return what to do with the model, as it follows from the evaluation."""
    if evaluation.blocking_gates:
        names = named(gate.name for gate in evaluation.blocking_gates)
        return (
            f"It is registered as the challenger but may not be promoted ({names} failed): mend what failed and train "
            "again, or overrule the gates with leadscore promote --force --reason."
        )
    if _loses_to_rules(evaluation):
        return (
            "It is registered as the challenger, but the point rules have the lower log loss, so leadscore promote "
            "would refuse it: train again with more history."
        )
    return "It is the challenger and serves nobody yet: run leadscore promote."


def gate_sentences(gates: Sequence[GateResult]) -> list[str]:
    """Return how many gates passed, and a sentence on those of each other outcome."""
    passed = [gate for gate in gates if gate.state == "passed"]
    if len(passed) == len(gates):
        return [f"All {len(gates)} gates passed."] if gates else []
    by_state = {state: [gate.name for gate in gates if gate.state == state] for state in _SENTENCES}
    counted = f"{len(passed)} of {len(gates)} gates passed."
    return [
        counted,
        *(sentence.format(named(by_state[state])) for state, sentence in _SENTENCES.items() if by_state[state]),
    ]


def differences_in_words(differences: Iterable[LogLossDifference]) -> str:
    """
    Return which scorers the model beat beyond chance.

    >>> differences_in_words([LogLossDifference(name="desk rules", log_loss=Estimate(value=-0.3, low=-0.4, high=-0.2))])
    'The model beats desk rules.'
    """
    names: dict[int, list[str]] = {-1: [], 1: [], 0: []}
    for difference in differences:
        names[difference.log_loss.sign].append(difference.name)
    verbs = {-1: "beats", 1: "loses to", 0: "cannot be told from"}
    parts = [f"{verbs[sign]} {named(others)}" for sign, others in names.items() if others]
    return f"The model {', '.join(parts)}."


_SENTENCES = {
    NOT_CONTRADICTED: f"{NOT_CONTRADICTED.capitalize()}: {{}}.",
    QUESTION: "Passed, with a question for you: {}.",
    "failed, accepted": "Failed, and accepted with a reason: {}.",
    "failed": "Failed, so that the model may not be promoted: {}.",
}


def _of_origins(origins: Iterable[OriginEvaluation]) -> str:
    """Return in how many origins the model beat the point rules beyond chance, and in how many it lost."""
    estimates = [_against_rules(origin.scorers, origin.differences) for origin in origins]
    signs = [estimate.sign for estimate in estimates if estimate is not None]
    if not signs:
        return ""
    better, worse = signs.count(-1), signs.count(1)
    lost = f", and are worse in {worse}" if worse else ""
    times = f"all {better} trainings" if 1 < better == len(signs) else f"{better} of {len(signs)} trainings"
    return f"The model's chances are better than those of the point rules in {times} forward in time{lost}."


def _loses_to_rules(evaluation: Evaluation) -> bool:
    """Whether promotion would refuse the model for the point rules: a small model may not be worse at all."""
    against = _against_rules(evaluation.scorers, evaluation.differences)
    if against is None or against.value is None:
        return False
    return against.sign > 0 or (evaluation.cold_start.stage == "small model" and against.value >= 0)


def _against_rules(scorers: Iterable[ScorerName], differences: Iterable[LogLossDifference]) -> Estimate | None:
    rules = first_of(scorers, "rules")
    return next((each.log_loss for each in differences if rules is not None and each.name == rules.name), None)
