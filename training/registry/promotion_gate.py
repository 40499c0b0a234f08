"""
Promotion: the gate between a challenger and serving.

Everyone is judged on the same rows, the challenger's test rows. The gate asks four things:

1. Against the champion, log loss: the upper end of the 95 % interval of the paired difference may be at most 0.5 % of
   the champion's log loss. A challenger of which this cannot be known with so few leads stays outside.
2. Against the champion, precision at capacity: at most 2 points worse, as counted. Its interval is told beside it; at
   the size of a usual test block it is wider than 2 points, so that asking for it too would let nobody through.
3. Against the point rules: a small model must have the lower log loss. A full model stays outside where the rules
   are better beyond chance.
4. Every gate that the training recorded passed, or its failure was accepted with a reason.

There is no age at which a champion has to go. It may have learnt from earlier snapshots of the same accounts, which
favours it a little: in doubt, the model that serves stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.statistics.bootstrap import Floats, Ratios, interval, spread
from training.statistics.scoring_metrics import SEED, EvaluationRows, called, losses

WORSE_BY = 0.005
"""Of the champion's log loss: the upper end of the interval may reach this far."""

FEWER_BY = 0.02
"""Of the called leads: so much smaller may the share that succeeds be."""

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
        probability: (n,) what it says about the rows.
    """

    name: str
    fingerprint: str
    probability: Floats


@dataclass(frozen=True, slots=True)
class GateRule:
    """One thing the gate asks: whether the challenger passed, what was found in words, and the numbers."""

    name: str
    passed: bool
    says: str
    numbers: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Write the rule and what was found."""
        return {"name": self.name, "passed": self.passed, "says": self.says, "numbers": dict(self.numbers)}


@dataclass(frozen=True, slots=True)
class GateDecision:
    """
    What the gate says.

    Attributes:
        allowed: whether every rule was passed.
        better: whether the challenger's log loss is lower beyond chance than that of whoever serves now: the
            champion, or else all point rules.
        rules: each rule, in the order of this module's description.
        says: the ruling in words; where it is a refusal, which rules held and what to do.
    """

    allowed: bool
    better: bool
    rules: tuple[GateRule, ...]
    says: str

    def as_json(self) -> dict[str, Any]:
        """Write the ruling with each rule."""
        rules = [rule.as_json() for rule in self.rules]
        return {"allowed": self.allowed, "better": self.better, "rules": rules, "says": self.says}


def judge_challenger(
    challenger: GateCandidate,
    champion: GateCandidate | None,
    *,
    rules: tuple[GateCandidate, ...],
    judged: EvaluationRows,
    capacity_per_day: float,
    small: bool,
    gates: tuple[Mapping[str, Any], ...] = (),
    resamples: int = RESAMPLES,
) -> GateDecision:
    """
    Judge whether a challenger may serve.

    Args:
        challenger: who wants to.
        champion: who does; None where no model serves yet.
        rules: the point rules with a probability, each on its own.
        judged: the n rows.
        capacity_per_day: how many leads the team can call in a day.
        small: whether the challenger learnt from too few successes to be a full model.
        gates: what the training recorded: ``name``, ``passed``, ``says``, and ``accepted``, the reason why a failed
            one is lived with, or null.
        resamples: of the accounts, for the intervals.

    Source: non-inferiority with a margin, Piaggio et al. 2012 (CONSORT extension, doi 10.1001/jama.2012.87802).
    """
    found = _compared(challenger, champion, rules, judged=judged, capacity=capacity_per_day, resamples=resamples)
    asked = [] if champion is None else [_not_worse(champion, found.champion), _as_precise(champion, found)]
    asked += [_beside_rules(one, numbers, small=small) for one, numbers in zip(rules, found.rules, strict=True)]
    asked += [_recorded(gate) for gate in gates]
    same = champion is not None and champion.fingerprint == challenger.fingerprint
    serving = found.rules if champion is None else (found.champion,)
    better = not same and bool(serving) and all(_below(one["high"], 0.0, strictly=True) for one in serving)
    allowed = all(rule.passed for rule in asked)
    said = _allowed(champion, rules, better=better, same=same) if allowed else _refused(challenger, asked)
    return GateDecision(allowed, better, tuple(asked), said)


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

    champion: Mapping[str, Any]
    precision: Mapping[str, Any]
    rules: tuple[Mapping[str, Any], ...]
    precisions: tuple[float, float]


def _compared(
    challenger: GateCandidate,
    champion: GateCandidate | None,
    rules: tuple[GateCandidate, ...],
    *,
    judged: EvaluationRows,
    capacity: float,
    resamples: int,
) -> _ChallengerNumbers:
    """Compare with each other on the same resamples; without a champion the challenger stands in for itself."""
    others = (champion or challenger, *rules)
    ours, *theirs = (losses(one.probability, judged.label) for one in (challenger, *others))
    weight = judged.weight
    parts = {str(at): (weight * (ours - each), weight) for at, each in enumerate(theirs)}
    for name, one in (("ours", challenger), ("theirs", others[0])):
        taken = called(one.probability, judged, capacity_per_day=capacity)
        parts[name] = (taken * judged.label, taken)
    ratios = Ratios.of(parts, judged.group)
    spreads, values = spread(ratios.at, judged.groups, times=resamples, seed=SEED), ratios.values
    scale = [float(np.average(each, weights=weight)) for each in theirs]
    relative = [interval(spreads[:, at] / base, float(values[at] / base)).as_json() for at, base in enumerate(scale)]
    precision = interval(spreads[:, -2] - spreads[:, -1], float(values[-2] - values[-1])).as_json()
    return _ChallengerNumbers(relative[0], precision, tuple(relative[1:]), (float(values[-2]), float(values[-1])))


def _not_worse(champion: GateCandidate, found: Mapping[str, Any]) -> GateRule:
    said = f"log loss {_shares(found)} against {champion.name}, of which the upper end may be {_share(WORSE_BY)}"
    return GateRule("log loss", _below(found["high"], WORSE_BY), said, {**found, "most": WORSE_BY})


def _as_precise(champion: GateCandidate, found: _ChallengerNumbers) -> GateRule:
    ours, theirs = found.precisions
    least, value = -FEWER_BY, found.precision["value"]
    said = (
        f"called leads that succeed {ours:.1%} against {theirs:.1%} of {champion.name}, {_points(found.precision)}, "
        f"of which {_point(least)} is the least"
    )
    passed = value is not None and value >= least - _ROUNDING
    return GateRule("precision at capacity", passed, said, {**found.precision, "least": least})


def _beside_rules(rules: GateCandidate, found: Mapping[str, Any], *, small: bool) -> GateRule:
    said = f"log loss {_shares(found)} against {rules.name}"
    wins = not _below(found["low"], 0.0)
    passed = _below(found["value"], 0.0, strictly=True) if small else not wins
    if wins:
        said += ", which win beyond chance"
    elif not passed:
        said += ", which a small model must be below"
    return GateRule(rules.name, passed, said, dict(found))


def _recorded(gate: Mapping[str, Any]) -> GateRule:
    """Read a gate of the training; one that does not say that it was passed was not."""
    name, says, accepted = (gate.get(part) for part in ("name", "says", "accepted"))
    passed = gate.get("passed") is True
    said = f"the gate {name} {'was passed' if passed else 'failed in training'}: {str(says).rstrip('.')}"
    if accepted and not passed:
        said += f" (accepted: {accepted})"
    return GateRule(f"gate {name}", passed or bool(accepted), said, dict(gate.get("numbers") or {}))


def _below(number: float | None, most: float, *, strictly: bool = False) -> bool:
    """Say whether a number is at most another; one that does not exist is not."""
    if number is None:
        return False
    return number < most if strictly else number <= most


def _allowed(champion: GateCandidate | None, rules: tuple[GateCandidate, ...], *, better: bool, same: bool) -> str:
    if same and champion is not None:
        return f"It is the very model of {champion.name}."
    if champion is not None:
        found = "better than" if better else "not worse than"
        return f"It is {found} {champion.name} on the same rows."
    if not rules:
        return "It is the first to serve."
    found = "better than" if better else "not beaten by"
    return f"It is the first to serve, and {found} {' and '.join(one.name for one in rules)} on the same rows."


def _refused(challenger: GateCandidate, asked: list[GateRule]) -> str:
    held = "; ".join(rule.says for rule in asked if not rule.passed)
    return (
        f"{challenger.name.capitalize()} may not serve: {held}. Mend what is named, train again with more history "
        "where an interval is wide, or promote it with --force --reason."
    )


def _share(number: float | None) -> str:
    """
    Write a share with its sign.

    >>> _share(-0.0042)
    '-0.42 %'
    """
    return "unknown" if number is None else f"{number * 100:+.2f} %"


def _shares(found: Mapping[str, Any]) -> str:
    return f"{_share(found['value'])} ({_share(found['low'])} to {_share(found['high'])})"


def _point(number: float | None) -> str:
    """
    Write a difference of shares in points.

    >>> _point(-0.02)
    '-2.0 points'
    """
    return "unknown" if number is None else f"{number * 100:+.1f} points"


def _points(found: Mapping[str, Any]) -> str:
    return f"{_point(found['value'])} ({_point(found['low'])} to {_point(found['high'])})"
