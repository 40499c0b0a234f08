"""
Promotion: the gate between a challenger and serving.

All scorers are compared on the same rows, the challenger's test rows. The gate has four rules:

1. Against the champion, log loss: the upper end of the 95 % interval of the paired difference may be at most 0.5 % of
   the champion's log loss. A challenger that so few leads cannot tell from a worse one stays outside.
2. Against the champion, precision at capacity: at most 2 points worse, as counted. Its interval stands beside it; at
   the size of a usual test block it is wider than 2 points, so that a rule on the interval would let nothing through.
3. Against the point rules: a small model must have the lower log loss. A full model stays outside where the rules
   are better beyond chance.
4. Every gate that the training recorded passed, or its failure was accepted with a reason.

A rule that is passed although its interval holds worse values as well is worded "not contradicted".

What serves was fitted on every row, so neither it nor the challenger is judged itself: for both stands the same recipe,
fitted to the weeks before the own test. A champion's are as old as its training, the challenger's end one horizon
before the rows on which both are judged. Only a champion of a longer history may know some of these rows, which favours
it: in doubt, the model that serves stays. There is no age at which it has to go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.gates.gate import NOT_CONTRADICTED, QUESTION
from training.registry.gate_decision import GateDecision, GateRule
from training.statistics.bootstrap import Floats, Ratios, interval, spread
from training.statistics.estimate import Estimate
from training.statistics.number_format import difference
from training.statistics.scoring_metrics import SEED, EvaluationRows, called, losses

WORSE_BY = 0.005
"""Of the champion's log loss: the upper end of the interval may reach this far."""

FEWER_BY = 0.02
"""Of the called snapshots: so much smaller may the share that succeeds be."""

RESAMPLES = 2_000
"""Of the accounts. The end of an interval decides here, and with fewer it would hang on the draw."""

_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class GateCandidate:
    """
    A scorer at the gate.

    Attributes:
        name: as a sentence calls it, such as ``version 3``.
        fingerprint: equal for equal scorers.
        probability: (n,) of each row.
    """

    name: str
    fingerprint: str
    probability: Floats


def evaluate_challenger(
    challenger: GateCandidate,
    champion: GateCandidate | None,
    *,
    rules: tuple[GateCandidate, ...],
    rows: EvaluationRows,
    capacity_per_day: float,
    small: bool,
    gates: tuple[Mapping[str, Any], ...] = (),
    resamples: int = RESAMPLES,
) -> GateDecision:
    """
    Decide whether a challenger may serve.

    Args:
        challenger: the model that wants to serve.
        champion: the model that serves; None where none does yet.
        rules: the point rules with a probability, each on its own.
        rows: the n test rows.
        capacity_per_day: how many leads the team can call in a day.
        small: whether the challenger learnt from too few successes to be a full model.
        gates: those that the training recorded in the bundle: ``name``, ``passed``, ``says``, and ``accepted``, the
            reason for going on although it failed, or null.
        resamples: of the accounts, for the intervals.

    Source: non-inferiority with a margin, Piaggio et al. 2012 (CONSORT extension, doi 10.1001/jama.2012.87802).
    """
    numbers = _compared(challenger, champion, rules, rows=rows, capacity=capacity_per_day, resamples=resamples)
    applied = [] if champion is None else [_not_worse(champion, numbers.champion), _as_precise(champion, numbers)]
    applied += [_beside_rules(each, loss, small=small) for each, loss in zip(rules, numbers.rules, strict=True)]
    applied += [_recorded(gate) for gate in gates]
    same = champion is not None and champion.fingerprint == challenger.fingerprint
    serving = numbers.rules if champion is None else (numbers.champion,)
    better = not same and bool(serving) and all(loss.sign < 0 for loss in serving)
    allowed = all(rule.passed for rule in applied)
    told_apart = all(loss.sign != 0 for loss in numbers.rules)
    text = (
        _allowed(champion, rules, better=better, same=same, told_apart=told_apart)
        if allowed
        else _refused(challenger, applied)
    )
    return GateDecision(allowed, better, tuple(applied), text)


@dataclass(frozen=True, slots=True)
class _ChallengerNumbers:
    """
    The challenger's numbers against the others', each with its interval.

    Attributes:
        champion: log loss minus the champion's, as a share of it.
        precision: at capacity, minus the champion's.
        rules: log loss minus that of each point rules, as a share of it.
        precisions: of the challenger and of the champion.
    """

    champion: Estimate
    precision: Estimate
    rules: tuple[Estimate, ...]
    precisions: tuple[float, float]


def _compared(
    challenger: GateCandidate,
    champion: GateCandidate | None,
    rules: tuple[GateCandidate, ...],
    *,
    rows: EvaluationRows,
    capacity: float,
    resamples: int,
) -> _ChallengerNumbers:
    """Compare with each other scorer on the same resamples; without a champion the challenger stands in for itself."""
    others = (champion or challenger, *rules)
    challenger_losses, *other_losses = (losses(each.probability, rows.label) for each in (challenger, *others))
    weight = rows.weight
    parts = {str(column): (weight * (challenger_losses - each), weight) for column, each in enumerate(other_losses)}
    for name, candidate in (("challenger", challenger), ("champion", others[0])):
        taken = called(candidate.probability, rows, capacity_per_day=capacity)
        parts[name] = (taken * rows.label, taken)
    ratios = Ratios.of(parts, rows.group)
    spreads, values = spread(ratios.at, rows.groups, times=resamples, seed=SEED), ratios.values
    bases = [float(np.average(each, weights=weight)) for each in other_losses]
    relative = [interval(spreads[:, column] / base, float(values[column] / base)) for column, base in enumerate(bases)]
    precision = interval(spreads[:, -2] - spreads[:, -1], float(values[-2] - values[-1]))
    return _ChallengerNumbers(relative[0], precision, tuple(relative[1:]), (float(values[-2]), float(values[-1])))


def _not_worse(champion: GateCandidate, loss: Estimate) -> GateRule:
    text = f"log loss {_shares(loss)} against {champion.name}, of which the upper end may be {_share(WORSE_BY)}"
    passed = loss.high is not None and loss.high <= WORSE_BY
    return GateRule("log loss", passed, text, {**loss.model_dump(), "most": WORSE_BY})


def _as_precise(champion: GateCandidate, numbers: _ChallengerNumbers) -> GateRule:
    least, precision = -FEWER_BY, numbers.precision
    first, second = (f"{share:.1%}" for share in numbers.precisions)
    more = "unknown" if precision.value is None else f"{difference(first, second).rstrip('%')} points"
    text = (
        f"called snapshots that succeed {first} against {second} of {champion.name}, {more} ("
        f"{_point(precision.low)} to {_point(precision.high)}), of which {_point(least)} is the least"
    )
    passed = precision.value is not None and precision.value >= least - _ROUNDING
    if passed and (precision.low is None or precision.low < least - _ROUNDING):
        text += f": {NOT_CONTRADICTED}"
    return GateRule("precision at capacity", passed, text, {**precision.model_dump(), "least": least})


def _beside_rules(rules: GateCandidate, loss: Estimate, *, small: bool) -> GateRule:
    text = f"log loss {_shares(loss)} against {rules.name}"
    rules_win = loss.low is None or loss.low > 0
    passed = not rules_win and (not small or (loss.value is not None and loss.value < 0))
    if rules_win:
        text += ", which win beyond chance"
    elif not passed:
        text += ", which a small model must be below"
    elif loss.sign == 0:
        text += f": {NOT_CONTRADICTED}"
    return GateRule(rules.name, passed, text, loss.model_dump())


def _recorded(gate: Mapping[str, Any]) -> GateRule:
    """Read a gate of the training; one that does not record that it passed did not pass."""
    name, says, accepted = (gate.get(part) for part in ("name", "says", "accepted"))
    passed = gate.get("passed") is True
    outcome = "passed" if gate.get("conclusive", True) else NOT_CONTRADICTED
    if not passed:
        outcome = "failed in training"
    elif gate.get("question") is True:
        outcome = QUESTION
    text = f"the gate {name} {'was ' if outcome == NOT_CONTRADICTED else ''}{outcome}: {str(says).rstrip('.')}"
    if accepted and not passed:
        text += f" (accepted: {accepted})"
    return GateRule(f"gate {name}", passed or bool(accepted), text, dict(gate.get("numbers") or {}))


def _allowed(
    champion: GateCandidate | None, rules: tuple[GateCandidate, ...], *, better: bool, same: bool, told_apart: bool
) -> str:
    if same and champion is not None:
        return f"It is the very model of {champion.name}."
    if champion is not None:
        relation = "better than" if better else "not worse than"
        return f"It is {relation} {champion.name} on the same rows."
    if not rules:
        return "It is the first to serve."
    names = " and ".join(each.name for each in rules)
    if better:
        return f"It is the first to serve, and better than {names} on the same rows."
    doubt = "" if told_apart else f"; that it is at least as good as each of them is {NOT_CONTRADICTED}"
    return f"It is the first to serve, and not beaten by {names} on the same rows{doubt}."


def _refused(challenger: GateCandidate, rules: list[GateRule]) -> str:
    failed = "; ".join(rule.says for rule in rules if not rule.passed)
    return (
        f"{challenger.name.capitalize()} may not serve: {failed}. Mend what is named, train again with more history "
        "where an interval is wide, or overrule the gate with --force --reason."
    )


def _share(number: float | None) -> str:
    """
    Write a share with its sign.

    >>> _share(-0.0042)
    '-0.42 %'
    """
    return "unknown" if number is None else f"{number * 100:+.2f} %"


def _shares(estimate: Estimate) -> str:
    return f"{_share(estimate.value)} ({_share(estimate.low)} to {_share(estimate.high)})"


def _point(number: float | None) -> str:
    """
    Write a difference of shares in points.

    >>> _point(-0.02)
    '-2.0 points'
    """
    return "unknown" if number is None else f"{number * 100:+.1f} points"
