"""
Dominance: no single feature reveals nearly all there is to know about the outcome.

It looks at the rows the model learns from, with their label and with whether the lead reached the goal at all.

Measured: none of 51 clean histories fails it (48 simulated companies of 600 and 1,500 leads, two of 3,000, and
bpi2012). An activity written at one of seven times between a minute and 14 days before the goal, into four companies of
1,500 leads, was caught by name 28 times of 28, and so was each of 120 features that know the outcome in ten ways.
"""

from collections.abc import Mapping, Sequence

from data.words.playbook import Business
from features.feature import Feature
from features.feature_labels import feature_label
from training.dataset.dataset import Dataset
from training.fitting.row_weights import sample_groups
from training.gates.gate import GateResult, named
from training.gates.leakage.association import SURE, Association
from training.gates.leakage.feature_associations import associations
from training.gates.leakage.feature_sources import remedy
from training.gates.leakage.outcome_arrays import FEWEST_GROUPS, outcomes_of

NAME = "dominance"
MOST_ROWS = 200_000
_MEASURES = ("auc", "correlation", "cramers_v", "certainty")

Associations = Mapping[str, Sequence[Association]]


def dominance(dataset: Dataset, business: Business, *, seed: int) -> GateResult:
    """
    Look for a feature that gives the outcome away by itself.

    Args:
        dataset: its blocks train and stop, with every feature of the model and of the rules.
        business: the playbook's words.
        seed: of the draw of accounts where there are more than 200,000 rows.
    """
    rows = sample_groups(dataset.block("train"), MOST_ROWS, purpose="dominance", seed=seed)
    outcomes = outcomes_of(rows, horizon_days=business.goal.horizon_days) if len(rows) else ()
    measurable = [outcome for outcome in outcomes if outcome.enough()]
    if not measurable:
        says = f"No feature was measured alone: that takes {FEWEST_GROUPS} accounts with success and as many without."
        return GateResult(
            name=NAME, passed=True, says=says, numbers={"rows": len(rows), "features": 0}, conclusive=False
        )
    measured = {name: list(associations(rows[name], feature, measurable)) for name, feature in dataset.columns.items()}
    guilty = {name: worst for name, each in measured.items() if (worst := _worst(each)) is not None}
    numbers = {"rows": len(rows), "features": len(measured), **_largest(measured)}
    if guilty:
        return GateResult(name=NAME, passed=False, says=_gives_away(guilty, dataset.columns, business), numbers=numbers)
    return GateResult(name=NAME, passed=True, says=_strongest(measured, dataset.columns, business), numbers=numbers)


def _worst(measured: Sequence[Association]) -> Association | None:
    """Return the measure by which a feature gives the outcome away the most; None where it does by none."""
    return max((each for each in measured if each.gives_away), key=lambda each: each.value, default=None)


def _largest(measured: Associations) -> dict[str, float]:
    """Return the largest value of each measure."""
    flat = [each for of_feature in measured.values() for each in of_feature]
    return {name: max((each.value for each in flat if each.measure == name), default=0.0) for name in _MEASURES}


def _gives_away(guilty: Mapping[str, Association], features: Mapping[str, Feature], business: Business) -> str:
    names = sorted(guilty, key=lambda name: -guilty[name].value)
    first = names[0]
    others = f"; so {'do' if names[2:] else 'does'} {named(names[1:])}" if names[1:] else ""
    return (
        f"{first} ({feature_label(features[first], business)}) gives the outcome away: {guilty[first].says}{others}; "
        f"if it is written because of the outcome, {remedy(features[name] for name in names)}."
    )


def _strongest(measured: Associations, features: Mapping[str, Feature], business: Business) -> str:
    best = {name: max(one.value for one in each if one.measure == "auc") for name, each in measured.items()}
    name = max(best, key=best.__getitem__)
    return (
        f"The strongest single feature, {name} ({feature_label(features[name], business)}), has an AUC of "
        f"{best[name]:.2f}, expected at most {SURE}."
    )
