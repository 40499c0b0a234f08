"""The catalog: the ordered list of features a model is trained on, as data with a fingerprint."""

import hashlib
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, get_args

from data.contract import AttributeType
from data.strict_json import JsonError, canonical_json, parse_text
from features.errors import CatalogError
from features.feature import Feature
from features.reducer_limits import broken_limit
from features.reducers import NAMES, AttributeReducer, ChangeReducer, LeadReducer, Over, Reducer

MOST_COLLEAGUES = 100
"""Leads that an account has beside one of them, at most, unless a playbook says otherwise."""
_SHORTEST_DAYS, _LONGEST_DAYS = 1e-4, 36_500.0
_TEXTS = {"kind", "subject", "after", "after_subject", "zone", "name"}
_NAMES_OF = {reducer: name for name, reducer in NAMES.items()}


@dataclass(frozen=True, slots=True)
class Catalog:
    """
    An ordered list of features and what they look at.

    Attributes:
        features: the features.
        never_use: the kinds of activities that none of them may look at.
        most_colleagues: an account with more other leads than this is none; None where any account is one, as in
            catalogs of the first release.
        needs_account: whether a feature looks at the other leads of the account.
        needs_versions: whether a feature looks at earlier versions of the lead and not only at the newest one.

    Raises:
        CatalogError: two features share a name, one asks for what cannot be computed, or they name two time zones.
    """

    features: tuple[Feature, ...]
    never_use: tuple[str, ...] = ()
    most_colleagues: int | None = MOST_COLLEAGUES
    # Asked at every live score, so found once.
    needs_account: bool = field(init=False, compare=False, repr=False)
    needs_versions: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Reject a name that is taken twice, and what cannot be computed."""
        object.__setattr__(self, "needs_account", any(feature.over == "account" for feature in self.features))
        changes = any(isinstance(feature.reduce, ChangeReducer) for feature in self.features)
        object.__setattr__(self, "needs_versions", changes)
        twice = [name for name, times in Counter(self.names).items() if times > 1]
        if twice:
            message = f"the catalog has {', '.join(twice)} more than once: give every feature a name of its own."
            raise CatalogError(message)
        for feature in self.features:
            broken = broken_limit(feature)
            if broken is not None:
                raise CatalogError(broken)
        zones = {getattr(feature.reduce, "zone", None) for feature in self.features} - {None}
        if len(zones) > 1:
            message = f"the catalog names the time zones {', '.join(sorted(map(str, zones)))}: it can have one."
            raise CatalogError(message)

    @property
    def names(self) -> list[str]:
        """The names of the features in order."""
        return [feature.name for feature in self.features]

    @property
    def attribute_names(self) -> list[str]:
        """The lead attributes that the features read, each once."""
        used = [feature.reduce.name for feature in self.features if isinstance(feature.reduce, AttributeReducer)]
        return list(dict.fromkeys(used))

    @property
    def needs_leads(self) -> bool:
        """Whether a feature looks at the lead itself and not only at activities."""
        return any(isinstance(feature.reduce, LeadReducer) for feature in self.features)

    @property
    def fingerprint(self) -> str:
        """The sha256 of the canonical JSON, as hex."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Write the catalog as canonical JSON: equal catalogs give equal bytes."""
        content: dict[str, Any] = {
            "features": [_feature_out(feature) for feature in self.features],
            "never_use": list(self.never_use),
        }
        if self.needs_account and self.most_colleagues is not None:
            content["most_colleagues"] = self.most_colleagues
        return canonical_json(content)

    @classmethod
    def from_json(cls, text: str) -> "Catalog":
        """
        Read a catalog back.

        Raises:
            CatalogError: the text is not a catalog.
        """
        try:
            content = parse_text(text)
            never_use = tuple(_text(kind) for kind in content["never_use"])
            read = cls(tuple(_feature_in(feature) for feature in content["features"]), never_use)
            return replace(read, most_colleagues=_most(content)) if read.needs_account else read
        except (JsonError, KeyError, TypeError, ValueError, AttributeError) as error:
            message = f"this is not a catalog ({error}): export the bundle again from its training run."
            raise CatalogError(message) from None


def _feature_out(feature: Feature) -> dict[str, Any]:
    content = {part.name: _plain(getattr(feature, part.name)) for part in fields(feature)}
    reduce = {name: _plain(value) for name, value in asdict(feature.reduce).items()}
    return content | {"reduce": {"is": _NAMES_OF[type(feature.reduce)], **reduce}}


def _plain(value: object) -> object:
    """Write 7 and 7.0 alike: both are the same feature and must have the same fingerprint."""
    if isinstance(value, tuple):
        return [list(item) if isinstance(item, tuple) else item for item in value]
    return float(value) if isinstance(value, int) else value


def _feature_in(content: Mapping[str, Any]) -> Feature:
    words = tuple((_text(value), _text(phrase)) for value, phrase in content["words"])
    missing = None if content["missing"] is None else _real(content["missing"])
    if content["over"] not in get_args(Over):
        message = f"over is {content['over']!r}, expected lead or account"
        raise ValueError(message)
    texts = {key: _text(content[key]) for key in ("name", "says", "says_none", "group")}
    return Feature(reduce=_reducer_in(content["reduce"]), missing=missing, over=content["over"], words=words, **texts)


def _reducer_in(content: Mapping[str, Any]) -> Reducer:
    reducer = NAMES[content["is"]]
    values: dict[str, Any] = {part.name: _part(part.name, content[part.name]) for part in fields(reducer)}
    return reducer(**values)


def _part(name: str, value: object) -> object:
    if name == "type":
        return AttributeType(_text(value))
    if name == "kinds":
        return _texts(value)
    if value is None:
        return None
    if name == "nth":
        return _whole(value)
    if name in _TEXTS:
        return _text(value)
    return _days(value)


def _most(content: Mapping[str, Any]) -> int | None:
    most = content.get("most_colleagues")
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 1):
        message = f"most_colleagues is {most!r}, expected a whole number above 0"
        raise ValueError(message)
    return most


def _text(value: object) -> str:
    if not isinstance(value, str):
        message = f"expected text, found {value!r}"
        raise TypeError(message)
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        message = f"expected a list, found {value!r}"
        raise TypeError(message)
    return tuple(_text(item) for item in value)


def _whole(value: object) -> int:
    number = _real(value)
    if number <= 0 or number != int(number):
        message = f"expected a whole number above 0, found {number:g}"
        raise ValueError(message)
    return int(number)


def _real(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        message = f"expected a finite number, found {value!r}"
        raise TypeError(message)
    return float(value)


def _days(value: object) -> float:
    number = _real(value)
    if not _SHORTEST_DAYS <= number <= _LONGEST_DAYS:
        message = f"expected a number of days from {_SHORTEST_DAYS:g} to {_LONGEST_DAYS:g}, found {number:g}"
        raise ValueError(message)
    return number
