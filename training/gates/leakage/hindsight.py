"""
Hindsight: an attribute that tells who succeeds, yet that nothing else about the leads reflects.

What makes leads succeed shows in what they are and in what they do, also among those that fail in the end. A rating
that people write once they know the outcome shares nothing with a lead but that outcome. So an attribute of the first
versions *looks written by people who knew* where all three hold:

- It identifies the leads that reached the goal with an AUC above 0.7, at the lower end of its interval.
- It does so better than all else known on the first day together: the other attributes, the playbook's activities.
- Among leads that ended alike (with the goal, closed without it, or still open) hardly any of it is explained: less
  than two hundredths of its variance, at the upper end, by the other attributes, by what leads did on their first day,
  or by what they did later.

Leads that are over on their first day, when activity and outcome come together, are left out.

No history can prove this: a trait by which sales alone decides, and which nothing else reflects, looks the same. So it
is a question to the user, answered by ``as_of_creation`` or ``never_use``, and stops nothing.

Measured by ``tests.bench.when_gates`` on 100 simulated companies of 1,500 leads: a rating in five letters is asked
about in 99 where its AUC is 0.89, in 96 at 0.79, in none at 0.70, and in none where sales also looks at how much a lead
did. False alarms: 0 of 100 as the companies are, 0 of 300 with an attribute that honestly tells the hidden fit or the
true chance of success at creation. But a trait by which sales alone decides (AUC 0.73) is asked about in 8 of 100, and
in 5 of 5 companies of 10,000 leads, where the interval no longer covers 0.7.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from data.contract import AttributeType
from data.importing.unversioned_attributes import may_change
from features.attribute_features import attribute_feature
from training.gates.gate import GateResult, named, pronouns
from training.gates.leakage.aged_leads import AgedLeads
from training.gates.leakage.association import Flags, summed
from training.gates.leakage.feature_associations import associations
from training.gates.leakage.marks_of_today import FEWEST, lowest_auc
from training.gates.leakage.other_facts import (
    first_attributes,
    foretold,
    ranked,
    ranked_table,
    share_explained,
    without_means,
)
from training.gates.leakage.outcome_arrays import Codes, Floats, Outcome, distinct, recoded

NAME = "hindsight"
VERDICT = "looks written by people who knew"
STRONG = 0.7
"""The least AUC, at the lower end of its interval."""

REFLECTED = 0.02
"""Where at least this share of an attribute's variance is explained, at the upper end, something else reflects it."""

VISIBLE = 0.85
"""An AUC that must be visible as a strong one where a pass is to prove something."""

_DOUBT = 1.96
"""Standard errors from a figure to the ends of its interval."""


@dataclass(frozen=True, slots=True)
class LoneAttribute:
    """
    How much an attribute tells about the outcome, and how much of it shows elsewhere.

    Attributes:
        name: of the attribute.
        auc: by which it identifies successes.
        low: the lower end of its interval.
        others: the upper end of the AUC of all else known on the first day.
        reflected: the share of its variance that something else explains among leads that ended alike.
        most_reflected: the upper end of that share.
    """

    name: str
    auc: float
    low: float
    others: float
    reflected: float
    most_reflected: float

    @property
    def is_doubtful(self) -> bool:
        """Whether it looks written by people who knew."""
        return self.low > max(STRONG, self.others) and self.most_reflected < REFLECTED


def hindsight(leads: AgedLeads) -> GateResult:
    """
    Look for attributes that know the outcome and nothing else.

    Args:
        leads: with their first versions, their activities and what became of them.
    """
    business = leads.business
    names = [name for name in business.attributes if may_change(name, business) and name in leads.rows]
    told = leads.told_at_creation & ~leads.over_at_once
    mature = told & (leads.age_days >= business.goal.horizon_days)
    outcome = leads.outcome_of_goal(mature)
    if not names:
        says = "Every attribute that may be used was known when the lead was created, as the playbook says."
        return GateResult(name=NAME, passed=True, says=says, numbers={"attributes": 0})
    if outcome is None or distinct(recoded(leads.group[told])) < FEWEST:
        says = "Too few leads tell what they were at their creation and what became of them."
        return GateResult(name=NAME, passed=True, says=says, numbers={"attributes": 0}, conclusive=False)
    measured = [_measured(name, leads, told, mature, outcome) for name in names]
    strongest = max(measured, key=lambda each: each.auc)
    numbers = {"attributes": len(names), "leads": int(told.sum()), "auc": strongest.auc}
    doubtful = [each for each in measured if each.is_doubtful]
    if doubtful:
        return GateResult(name=NAME, passed=True, question=True, says=_ask(doubtful), numbers=numbers)
    says = (
        f"No attribute {VERDICT}: the strongest on the first day, {strongest.name}, has an AUC of {strongest.auc:.2f}."
    )
    return GateResult(name=NAME, passed=True, says=says, numbers=numbers, conclusive=_is_enough(leads, told, outcome))


def _is_enough(leads: AgedLeads, told: Flags, outcome: Outcome) -> bool:
    """Return whether an attribute that is written with hindsight would have shown."""
    return _highest_share(0.0, leads.group[told]) < REFLECTED and lowest_auc(VISIBLE, outcome, doubt=_DOUBT) > STRONG


def _highest_share(share: float, group: Codes) -> float:
    """Return the upper end of the interval of an explained share."""
    return float((np.sqrt(share) + _DOUBT / np.sqrt(distinct(group) - 3)) ** 2)


def _measured(name: str, leads: AgedLeads, told: Flags, mature: Flags, outcome: Outcome) -> LoneAttribute:
    """Measure one attribute; what takes long only where it is strong enough to be asked about."""
    feature = attribute_feature(name, leads.business.attributes[name])
    found = associations(leads.rows.loc[mature, name], feature, [outcome])
    auc = next(each.value for each in found if each.measure == "auc")
    low = lowest_auc(auc, outcome, doubt=_DOUBT)
    if low <= STRONG:
        return LoneAttribute(name, auc, low, others=1.0, reflected=1.0, most_reflected=1.0)
    blocks = [first_attributes(leads, mature, without=name), ranked_table(leads.activities.earlier, mature)]
    score = foretold(outcome.success, np.hstack(blocks), outcome.group)
    others = _auc(score, outcome.success)
    highest = 2 * others - lowest_auc(others, outcome, doubt=_DOUBT)
    share, most = _reflected(name, leads, told)
    return LoneAttribute(name, auc, low, highest, share, most)


def _reflected(name: str, leads: AgedLeads, told: Flags) -> tuple[float, float]:
    """Return the share of an attribute that something else explains among leads that ended alike, and its upper end."""
    kind = leads.business.attributes[name].type
    reached, closed = leads.reached[told], leads.closed[told]
    group = recoded(leads.group[told])
    code = _as_number(leads.rows.loc[told, name], kind, reached)
    rest = without_means(code, np.where(reached, 2, closed.astype(np.int64)))
    blocks = (
        first_attributes(leads, told, without=name),
        ranked_table(leads.activities.earlier, told),
        ranked_table(leads.activities.later, told),
    )
    if not any(block.shape[1] for block in blocks):
        return 1.0, 1.0  # where nothing else is known, nothing else could reflect it
    share = share_explained(rest, blocks, group)
    return share, _highest_share(share, group)


def _as_number(column: "pd.Series[Any]", kind: AttributeType, reached: Flags) -> Floats:
    """Rank the values: a category's by how often leads with it succeed, missing numbers where success is rarer."""
    if kind is AttributeType.CATEGORY:
        values = column.astype("object").fillna("")
        code = pd.factorize(values)[0].astype(np.int64)
        rate = summed(code, reached.astype(np.float64)) / summed(code, np.ones(len(code)))
        return ranked(rate[code])
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = ~np.isnan(numbers)
    if known.all() or not known.any():
        return ranked(numbers)
    rarer = reached[~known].mean() < reached[known].mean()
    rises = np.corrcoef(numbers[known], reached[known])[0, 1] >= 0 if np.ptp(numbers[known]) > 0 else True
    place = np.nanmin(numbers) - 1 if rarer == rises else np.nanmax(numbers) + 1
    return ranked(np.where(known, numbers, place))


def _auc(score: Floats, success: Floats) -> float:
    """Return the AUC of a score; equal scores count half."""
    wins, ranks = success > 0, ranked(score)
    return float(ranks[wins].mean() - ranks[~wins].mean() + 1 / 2)


def _ask(doubtful: Sequence[LoneAttribute]) -> str:
    found = "; ".join(
        f"{each.name} {VERDICT} the outcome: it identifies the leads that reached the goal with an AUC of "
        f"{each.auc:.2f}, better than all else known on the first day (at most {each.others:.2f}), yet among leads "
        f"that ended alike nothing else reflects it ({each.reflected:.1%} is explained)"
        for each in doubtful
    )
    names = [each.name for each in doubtful]
    it, was = pronouns(names)
    return (
        f"{found}. If {was} known when the lead was created, set as_of_creation: true for {it} in playbook.yaml; if "
        f"people fill {it} in later, put {named(names)} on never_use."
    )
