"""
Dominance: no single feature says nearly all there is to know of the outcome.

Looked at are the rows the model learns from, against their label and against whether the lead reached the goal at all.

Measured: none of 51 clean histories trips it (48 simulated companies of 600 and 1,500 leads, two of 3,000, and
bpi2012). An activity written at one of seven times between a minute and 14 days before the goal, into four companies of
1,500 leads, was caught by name 28 times of 28, and so was each of 120 features that know the outcome in ten ways.
"""

from collections.abc import Mapping, Sequence

from data.playbook import Business
from features.feature import Feature
from training.dataset.dataset import Dataset
from training.dataset.feature_labels import caption
from training.fitting.boosting import at_most
from training.gates.gate import GateResult, named
from training.gates.leakage.association import SURE, Association, hints
from training.gates.leakage.feature_sources import remedy
from training.gates.leakage.outcome_arrays import FEWEST_GROUPS, outcomes_of

NAME = "dominance"
MOST_ROWS = 200_000
_MEASURES = ("auc", "correlation", "cramers_v", "certainty")

Found = Mapping[str, Sequence[Association]]


def dominance(dataset: Dataset, business: Business, *, seed: int) -> GateResult:
    """
    Look for a feature that gives the outcome away by itself.

    Args:
        dataset: whose blocks train and stop are looked at; every feature of the model and of the rules.
        business: words.
        seed: of the draw of accounts where there are more than 200,000 rows.
    """
    rows = at_most(dataset.block("train", "stop"), MOST_ROWS, purpose="dominance", seed=seed)
    outcomes = outcomes_of(rows, horizon_days=business.goal.horizon_days) if len(rows) else ()
    told = [outcome for outcome in outcomes if outcome.enough()]
    if not told:
        says = f"No feature was looked at alone: that takes {FEWEST_GROUPS} accounts with success and as many without."
        return GateResult(NAME, passed=True, says=says, numbers={"rows": len(rows), "features": 0}, conclusive=False)
    found = {name: list(hints(rows[name], feature, told)) for name, feature in dataset.columns.items()}
    guilty = {name: worst for name, each in found.items() if (worst := _worst(each)) is not None}
    numbers = {"rows": len(rows), "features": len(found), **_largest(found)}
    if guilty:
        return GateResult(NAME, passed=False, says=_gives_away(guilty, dataset.columns, business), numbers=numbers)
    return GateResult(NAME, passed=True, says=_strongest(found, dataset.columns, business), numbers=numbers)


def _worst(found: Sequence[Association]) -> Association | None:
    """Give the measure by which a feature gives the outcome away the most; None where it does by none."""
    return max((hint for hint in found if hint.gives_away), key=lambda hint: hint.value, default=None)


def _largest(found: Found) -> dict[str, float]:
    """Give the largest value of each measure."""
    every = [hint for each in found.values() for hint in each]
    return {name: max((hint.value for hint in every if hint.measure == name), default=0.0) for name in _MEASURES}


def _gives_away(guilty: Mapping[str, Association], features: Mapping[str, Feature], business: Business) -> str:
    names = sorted(guilty, key=lambda name: -guilty[name].value)
    first = names[0]
    others = f"; so {'do' if names[2:] else 'does'} {named(names[1:])}" if names[1:] else ""
    return (
        f"{first} ({caption(features[first], business)}) gives the outcome away: {guilty[first].says}{others}; "
        f"if it is written because of the outcome, {remedy(features[name] for name in names)}."
    )


def _strongest(found: Found, features: Mapping[str, Feature], business: Business) -> str:
    best = {name: max(hint.value for hint in each if hint.measure == "auc") for name, each in found.items()}
    name = max(best, key=lambda one: best[one])
    return (
        f"The strongest single feature, {name} ({caption(features[name], business)}), has an AUC of {best[name]:.2f}, "
        f"expected at most {SURE}."
    )
