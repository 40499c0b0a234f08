"""
Denied fields: no feature reads what the playbook forbids, or a field that, by its name, the sales process writes.

A status, a stage, an owner or a date of conversion is written because of what happens to the lead, and exports often
write today's into the past. Only whole names match: ``lead_status`` is denied, ``marital_status`` is not;
``lost_reason`` is, ``lost_password`` is not.
"""

import re
from collections.abc import Iterable

from data.words.playbook import Business
from features.feature import Feature
from training.dataset.dataset import Dataset
from training.gates.gate import GateResult, named
from training.gates.leakage.feature_sources import reads_any_kind, sources

NAME = "never use"

_WHOSE = r"(?:(?:lead|contact|account|deal|opportunity|prospect|record|sales|crm|pipeline|lifecycle|current|new|old)_)?"
_WHEN = r"at|on|by|date|reason|since"
_WRITTEN = re.compile(
    rf"{_WHOSE}(?:status|stage)(?:_(?:{_WHEN}|id|code|name|detail|history|changed(?:_(?:at|on|date))?))?"
    rf"|{_WHOSE}owner(?:_(?:{_WHEN}|id|name|email|role|team|assigned(?:_(?:at|on|date))?))?"
    rf"|assigned_(?:{_WHEN}|to|rep)|assignee"
    rf"|(?:is_|date_)?{_WHOSE}(?:converted|closed)(?:_\w+)?"
    rf"|{_WHOSE}close_date"
    rf"|(?:is_)?{_WHOSE}(?:won|lost|qualified|disqualified|unqualified)(?:_(?:{_WHEN}|amount))?"
    rf"|(?:win|loss|rejection|disqualification)_reason"
    rf"|(?:system_)?{_WHOSE}(?:last_)?(?:modified|updated)(?:_(?:{_WHEN}))?|system_modstamp"
)


def never_use(dataset: Dataset, business: Business) -> GateResult:
    """
    Check what the features of the model and of the rules read.

    Args:
        dataset: whose features are checked.
        business: what is forbidden, and the names of its stages.
    """
    features = dataset.columns
    forbidden = {name: readers for name in business.never_use if (readers := _readers(name, dataset, business))}
    written = [name for name in _read(features.values(), business) if is_written_by_sales(name, business)]
    numbers = {"features": len(features), "forbidden_read": len(forbidden), "written_by_sales": len(written)}
    if not forbidden and not written:
        what = f"reads {named(business.never_use)}, which never_use forbids" if business.never_use else "is forbidden"
        says = (
            f"None of {len(features):,} features {what}, and none reads a field that, by its name, the sales process "
            "writes."
        )
        return GateResult(name=NAME, passed=True, says=says, numbers=numbers)
    findings = [
        *(
            f"{name} is on never_use, but {named(readers)} {'reads' if len(readers) == 1 else 'read'} it: "
            "build the training set again, and if that does not help, take it out of features.add."
            for name, readers in forbidden.items()
        ),
        *([_to_deny(written)] if written else []),
    ]
    return GateResult(name=NAME, passed=False, says=" ".join(findings), numbers=numbers)


def is_written_by_sales(name: str, business: Business) -> bool:
    """Return whether an attribute or a kind of activity has a name of a field that the sales process writes."""
    stages = "|".join(re.escape(stage) for stage in sorted(business.closing_stages))
    ended = rf"(?:is_)?(?:{stages})(?:_(?:{_WHEN}))?"
    return re.fullmatch(ended, name.lower()) is not None or _WRITTEN.fullmatch(name.lower()) is not None


def _to_deny(names: list[str]) -> str:
    return (
        f"By {'its name' if len(names) == 1 else 'their names'}, {named(names)} {'is' if len(names) == 1 else 'are'} "
        f"written by the sales process: put {'it' if len(names) == 1 else 'them'} on never_use."
    )


def _read(features: Iterable[Feature], business: Business) -> list[str]:
    """Name what the features read, each once, in the playbook's order; a feature of any kind reads all allowed ones."""
    listed = list(features)
    names = {name for feature in listed for name in sources(feature)}
    if any(reads_any_kind(feature) for feature in listed):
        names |= set(business.activities)
    return [name for name in (*business.attributes, *business.activities) if name in names - set(business.never_use)]


def _readers(name: str, dataset: Dataset, business: Business) -> list[str]:
    """Name the features that read a forbidden attribute or kind."""
    readers = [column for column, feature in dataset.columns.items() if name in sources(feature)]
    for catalog in (dataset.catalog, dataset.scorecard.catalog):
        if name in business.activities and name not in catalog.never_use:
            readers += [feature.name for feature in catalog.features if reads_any_kind(feature)]
    return list(dict.fromkeys(readers))
