# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""The goal, its horizon and the team's capacity, proposed from the outcomes and leads seen."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from data.drafting.decisions import DecisionLog, DraftQuestion
from data.drafting.drafted_source import DraftedSource
from data.drafting.file_samples import SampleTools
from data.drafting.vocabulary import known_words
from data.sql import quoted

_HORIZONS = (7, 14, 30, 45, 60, 90)
_ENOUGH_LEADS, _ENOUGH_SHARE = 10, 0.01
_A_GOAL = 6.0
_CALLED_SHARE = 0.28
_DAY_US = 86_400_000_000
_BY_FIVES, _BY_TENS = 12.0, 100.0


@dataclass(frozen=True, slots=True)
class StageSeen:
    """A stage as the files show it: how many leads reached it, and after how many days half and nine in ten did."""

    name: str
    leads: int
    half_days: float
    most_days: float


@dataclass(frozen=True, slots=True)
class GoalProposal:
    """The goal with its horizon, and the stage that carries the amount; each with why."""

    stage: str
    stage_why: str
    horizon_days: int
    horizon_why: str
    amount_from: str | None = None


def stages_seen(names: Sequence[str], tools: SampleTools) -> list[StageSeen]:
    """Return what was seen of each stage; one that no lead reached has no days."""
    days = f"greatest(0, (reached_us - created_us) / {_DAY_US})"
    rows = tools.values(
        f"SELECT stage, count(DISTINCT lead_id), quantile_cont({days}, 0.5), quantile_cont({days}, 0.9)"
        " FROM (SELECT lead_id, stage, min(reached_us) AS reached_us FROM stages_reached GROUP BY ALL)"
        " JOIN leads_created USING (lead_id) GROUP BY 1"
    )
    seen = {name: StageSeen(name, leads, float(half or 0), float(most or 0)) for name, leads, half, most in rows}
    return [seen.get(name, StageSeen(name, 0, 0, 0)) for name in names]


def propose_goal(
    stages: Sequence[StageSeen], amounts: Mapping[str, int], tools: SampleTools, log: DecisionLog
) -> GoalProposal:
    """
    Propose the goal: the stage that sales would call success and that enough leads reach.

    Args:
        stages: as seen.
        amounts: stage → how many outcomes carry an amount.
        tools: the connection that holds the outcomes.
        log: takes the decision, or asks.
    """
    leads = tools.values("SELECT count(*) FROM leads_created")[0][0]
    ranked = sorted(stages, key=lambda stage: -_worth(stage, leads))
    best = ranked[0]
    rivals = [stage for stage in ranked[1:] if _worth(stage, leads) >= _A_GOAL]
    why = f"{best.leads:,} of {leads:,} leads reach it"
    if rivals or _worth(best, leads) <= 0:
        choices = {stage.name: f"{stage.name}, which {stage.leads:,} leads reached" for stage in ranked}
        question = DraftQuestion("goal: stage", "Which stage counts as success?", choices, best.name)
        chosen, why = log.ask(question, why)
        best = next(stage for stage in ranked if stage.name == chosen)
    else:
        why = log.take("goal: stage", best.name, why)
    horizon = next((days for days in _HORIZONS if days >= best.most_days), _HORIZONS[-1])
    seen = f"half of them within {best.half_days:.1f} days of creation, 9 in 10 within {best.most_days:.1f}"
    seen += "; a longer horizon would leave too few leads old enough to learn from" if best.most_days > horizon else ""
    priced = max(amounts, key=lambda name: (_is_success(name), amounts[name]), default=None)
    amount_from = None if amounts.get(best.name) else priced
    if amount_from is not None:
        log.take("goal: amount_from", amount_from, "it carries the amounts")
    return GoalProposal(best.name, why, horizon, log.take("goal: horizon_days", str(horizon), seen), amount_from)


def _is_success(stage: str) -> bool:
    entry = known_words().stage(stage)
    return entry is None or entry.goal > 0


def _worth(stage: StageSeen, leads: int) -> float:
    entry = known_words().stage(stage.name)
    goal = entry.goal if entry is not None else 0.0
    enough = stage.leads >= max(_ENOUGH_LEADS, _ENOUGH_SHARE * leads)
    return goal if enough else min(goal, 1.0) * stage.leads / max(leads, 1)


def amounts_by_stage(sources: Sequence[DraftedSource], tools: SampleTools) -> dict[str, int]:
    """Return how many outcomes of each stage carry an amount."""
    counted: dict[str, int] = {}
    for source in sources:
        if source.roled.role != "outcomes" or "amount" not in source.columns:
            continue
        amount = quoted(source.columns["amount"])
        query = f"SELECT {source.word}, count({amount}) FROM {source.file.sample.table} GROUP BY 1"
        for word, n in tools.values(query):
            stage = source.words.get(word)
            if stage is not None and n:
                counted[stage] = counted.get(stage, 0) + n
    return counted


def propose_capacity(tools: SampleTools, log: DecisionLog) -> tuple[float, str]:
    """Propose how many leads the team calls in a day, which no file says: about 3 in 10 of the new ones."""
    query = f"SELECT count(*), (max(created_us) - min(created_us)) / {_DAY_US} FROM leads_created WHERE created_us > 0"
    leads, days = tools.values(query)[0]
    per_day = leads / max(float(days or 0), 1.0)
    proposed = _round(per_day * _CALLED_SHARE)
    choices = {f"{proposed:g}": f"{proposed:g}, about 3 in 10 of the new leads"}
    question = DraftQuestion(
        "capacity_per_day", "How many leads can your team call in a day?", choices, f"{proposed:g}", _is_capacity
    )
    chosen, why = log.ask(question, f"there are {per_day:,.1f} new leads a day")
    return float(chosen), why


def _is_capacity(text: str) -> bool:
    try:
        number = float(text)
    except ValueError:
        return False
    return number > 0 and math.isfinite(number)


def _round(number: float) -> float:
    """
    Round to what a person would say.

    >>> _round(0.2), _round(3.4), _round(24.1), _round(333)
    (1, 3, 25, 330)
    """
    step = 1 if number < _BY_FIVES else 5 if number < _BY_TENS else 10
    return max(1, step * round(number / step))
