"""Writing: learned rules as the YAML that people write, and reading them back."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from data.located_yaml import parse_as, playbook_error, read_yaml
from data.playbook import Business
from data.playbook_consistency import rule_contradictions
from data.point_rules import Rule, ScorecardRules
from training.errors import TrainingError

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
    lines = "".join(f"  - {_flow(said)}\n" for said in map(_said, rules.rules))
    return f"{comment}{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}rules:\n{lines}"


def read_rules(file: Path, business: Business) -> ScorecardRules:
    """
    Read point rules and check that they fit the playbook.

    Args:
        file: as `write_rules` wrote it, perhaps changed by hand.
        business: knows the activities and attributes.

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


def told(scorers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """
    Say how well scorers did on the same later leads, a line for each.

    Args:
        scorers: each with ``name``, and ``log_loss`` and ``auc`` with their ``value``.
    """
    for scorer in scorers:
        loss, auc = scorer["log_loss"]["value"], scorer["auc"]["value"]
        yield f"  {scorer['name']}: log loss {loss:.4f}, AUC {auc:.3f}"


def _said(rule: Rule) -> dict[str, Any]:
    said = rule.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {key: _plain(said[key]) for key in _ORDER if key in said}


def _flow(said: Mapping[str, Any]) -> str:
    written = yaml.safe_dump(dict(said), default_flow_style=True, sort_keys=False, allow_unicode=True, width=_WIDEST)
    return written.strip()


def _plain(value: Any) -> Any:
    """Write 7.0 as 7."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
