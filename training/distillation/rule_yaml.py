"""Rules as YAML: learned rules written as people write them, and read back."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from data.words.located_yaml import parse_as, playbook_error, read_yaml
from data.words.playbook import Business
from data.words.playbook_consistency import rule_contradictions
from data.words.point_rules import Rule, ScorecardRules
from training.errors import TrainingError
from training.statistics.estimate import NO_ESTIMATE
from training.statistics.scorer_metrics import ScorerEvaluation

_ORDER = (
    "activity",
    "subject",
    "attribute",
    "in",
    "is",
    "at_least",
    "below",
    "inactive_days",
    "points",
    "at_most",
    "within_days",
    "half_life_days",
    "because",
)
_WIDEST = 1_000_000


def write_rules(rules: ScorecardRules, *, about: Sequence[str]) -> str:
    """
    Write point rules as YAML, one on a line.

    Args:
        rules: whole numbers are written as such.
        about: lines of the comment above.
    """
    comment = "".join(f"# {line}\n" for line in about)
    head = {"name": rules.name, "base_points": _plain(rules.base_points), "threshold": _plain(rules.threshold)}
    lines = "".join(f"  - {_flow(fields)}\n" for fields in map(_fields, rules.rules))
    return f"{comment}{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}rules:\n{lines}"


def read_rules(file: Path, business: Business) -> ScorecardRules:
    """
    Read point rules and check that they fit the playbook.

    Args:
        file: as `write_rules` wrote it, perhaps changed by hand.
        business: its activities and attributes.

    Raises:
        TrainingError: there is no such file.
        PlaybookError: every mistake in it, with its line.
    """
    if not file.exists():
        message = f"{file} does not exist, expected point rules learned from a model: make one with leadscore train."
        raise TrainingError(message)
    read = read_yaml(file)
    rules = parse_as(ScorecardRules, read)
    mistakes = rules if isinstance(rules, list) else list(rule_contradictions(business, rules, read))
    if isinstance(rules, list) or mistakes:
        raise playbook_error(mistakes)
    return rules


def performance_lines(scorers: Sequence[ScorerEvaluation]) -> Iterator[str]:
    """Write log loss and AUC of scorers on the same later leads, one scorer per line."""
    for scorer in scorers:
        loss, auc = (scorer.log_loss or NO_ESTIMATE).value, (scorer.auc or NO_ESTIMATE).value
        numbers = f"log loss {loss:.4f}" + ("" if auc is None else f", AUC {auc:.3f}")
        yield f"  {scorer.name}: {numbers}"


def _fields(rule: Rule) -> dict[str, Any]:
    fields = rule.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {key: _plain(fields[key]) for key in _ORDER if key in fields}


def _flow(fields: Mapping[str, Any]) -> str:
    text = yaml.safe_dump(dict(fields), default_flow_style=True, sort_keys=False, allow_unicode=True, width=_WIDEST)
    return text.strip()


def _plain(value: Any) -> Any:
    """Write 7.0 as 7."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
