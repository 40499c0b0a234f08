"""
How often the gates that ask when values were written find planted leaks, and how often they stop honest companies.

``python -m tests.bench.when_gates 100 1500`` simulates 100 companies of 1,500 leads, plants each leak and each honest
attribute into them, and prints in how many of them each gate found something. It takes a quarter of an hour.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tests.training.gates.leakage.when_written import (
    AT_GOAL,
    AT_OTHER_TIMES,
    HONEST,
    RATINGS,
    TOTALS,
    KnownHistory,
    lone_trait,
    simulated,
)
from training.gates.gate import GateResult
from training.gates.leakage.changes_at_goal import judge_changes
from training.gates.leakage.hindsight import hindsight
from training.gates.leakage.later_totals import later_totals
from training.gates.leakage.todays_values import todays_values

_FIRST_SEED = 1_000
_FIRST = (
    *((plant, later_totals) for plant in (*TOTALS, *HONEST)),
    *((plant, hindsight) for plant in (*RATINGS, *HONEST, lone_trait)),
)
_OF_TODAY = (*TOTALS, *RATINGS)
_VERSIONS = (*AT_GOAL, *AT_OTHER_TIMES)


def results_of(company: KnownHistory, seed: int) -> Iterator[tuple[str, GateResult]]:
    """Yield what each gate says of each planted attribute: the name of the plant, and the result."""
    for plant, gate in _FIRST:
        yield plant.__name__, gate(plant(company, np.random.default_rng(seed)))
    for plant in _OF_TODAY:  # what the gate of files without a history finds, if this were one
        leads = replace(plant(company, np.random.default_rng(seed)), versioned=0.0)
        yield plant.__name__, todays_values(leads)
    goal_at = company.versions_of_winners()[1]
    usable = [name for name in company.business.attributes if name not in company.business.never_use]
    told = {**company.business.attributes, "planted": company.business.attributes["employees"]}
    business = company.business.model_copy(update={"attributes": told})
    for change in _VERSIONS:
        versions = change(company, np.random.default_rng(seed))
        yield change.__name__, judge_changes(versions, goal_at, business, [*usable, "planted"])
    versions = company.versions_of_winners()[0]
    yield "status_of_sales", judge_changes(versions, goal_at, business, ["lead_status"])


def main(seeds: int = 100, leads: int = 1_500) -> None:
    """Measure companies of so many leads, and print the share of companies in which each gate found something."""
    found: Counter[tuple[str, str]] = Counter()
    tried: Counter[tuple[str, str]] = Counter()
    others: Counter[str] = Counter()
    for seed in range(_FIRST_SEED, _FIRST_SEED + seeds):
        with simulated(seed, leads=leads) as company:
            for plant, gate in results_of(company, seed):
                tried[plant, gate.name] += 1
                finding = not gate.passed or gate.question
                found[plant, gate.name] += finding
                others[gate.name] += finding and not gate.says.startswith(("planted", "lead_status"))
    for (plant, gate), n in tried.items():
        print(f"{plant:28} {gate:22} {found[plant, gate]:4} of {n}")
    print(f"named another attribute than the planted one: {dict(others) or 'never'}")


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:]))
