"""A catalog for live questions: the features of leads from rows of facts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.contract import AttributeType
from data.instants import DAY_US
from features.catalog import Catalog
from features.feature import Feature, Value
from features.live.live_changes import LeadVersion, changes_of, number_of, text_of
from features.live.live_sweep import Activity, LiveSweep, Members
from features.reducers import AttributeValue
from features.sweep.plan import compile_plan
from features.sweep.version_sweep import ChangePlan, compile_changes


class LeadFacts(NamedTuple):
    """
    What is known of a lead at an instant.

    Attributes:
        as_of: the instant [us since 1970 UTC].
        created_at: when the lead was created, in its newest version [us since 1970 UTC].
        attributes: those of its newest version.
        activities: what became known before the instant; what became known later is passed over.
        versions: likewise those of the lead, ascending; needed only by features that look at earlier ones.
    """

    as_of: int
    created_at: int | None
    attributes: Mapping[str, Any]
    activities: Sequence[Activity]
    versions: Sequence[LeadVersion] = ()


@dataclass(frozen=True, slots=True, eq=False)
class LiveFeatures:
    """
    A catalog with everything compiled that its features need.

    Attributes:
        catalog: the features.
        lead: the sweep over the lead itself.
        account: the sweep over the other leads of its account; None if no feature looks at them.
        changes: what is asked of the earlier versions of the lead; None if no feature looks at them.
        _of_lead: the features that are read from the newest version of a lead, by their places in the catalog.
        _texts: the texts that the numbers of a feature stand for, by its place in the catalog.
        _changed: the places in the catalog of features that are texts of an attribute, and the place of that.
        _places: (k,) the row of the sweeps' results that holds each feature; any row for those that are read otherwise.
    """

    catalog: Catalog
    lead: LiveSweep
    account: LiveSweep | None
    changes: ChangePlan | None
    _of_lead: tuple[tuple[int, Callable[[LeadFacts], Value]], ...]
    _texts: tuple[tuple[int, tuple[str, ...]], ...]
    _changed: tuple[tuple[int, int], ...]
    _places: NDArray[np.int64]

    def values(self, leads: Sequence[LeadFacts], accounts: Sequence[Members] = ()) -> list[tuple[Value, ...]]:
        """
        Return the values of each lead in catalog order; None where one is missing.

        Args:
            leads: n leads, each as of its own instant.
            accounts: their accounts, whose ``asked`` rows are positions in ``leads``.
        """
        if not leads:
            return []
        swept = [self.lead.of_leads([lead.activities for lead in leads], [lead.as_of for lead in leads])]
        if self.account is not None:
            swept.append(self.account.of_colleagues(accounts, len(leads)))
        texts = self._texts
        if self.changes is not None:
            changed = changes_of(self.changes, [lead.versions for lead in leads], [lead.as_of for lead in leads])
            swept.append(changed.numbers)
            texts += tuple((place, changed.texts[at]) for place, at in self._changed)
        numbers = np.concatenate(swept) if len(swept) > 1 else swept[0]
        rows = numbers[self._places].T.tolist() if len(numbers) else [[None] * len(self._places)] * len(leads)
        return [self._told(row, lead, texts) for row, lead in zip(rows, leads, strict=True)]

    def _told(
        self, numbers: Sequence[float], lead: LeadFacts, known: Sequence[tuple[int, tuple[str, ...]]]
    ) -> tuple[Value, ...]:
        """Return the values of a lead from the numbers of the sweep; NaN is the one number that is not itself."""
        told: list[Value] = [number if number == number else None for number in numbers]  # noqa: PLR0124
        for at, read in self._of_lead:
            told[at] = read(lead)
        for at, texts in known:
            number = told[at]
            told[at] = None if number is None else texts[int(number)]
        return tuple(told)


@lru_cache(maxsize=16)
def compile_live(catalog: Catalog) -> LiveFeatures:
    """
    Compile a catalog for live questions; the last ones are kept, since successive models often share one.

    >>> from features.reducers import Count
    >>> live = compile_live(Catalog((Feature("calls", Count("call"), 0, "called {n}"),)))
    >>> call = Activity("L-1", "call", None, None, occurred_at=5, known_at=6)
    >>> live.values([LeadFacts(9, 0, {}, [call, call]), LeadFacts(6, 0, {}, [call])])
    [(2.0,), (0.0,)]
    """
    plans, changes = [compile_plan(catalog, over) for over in ("lead", "account")], compile_changes(catalog)
    swept = [*plans[0].names, *plans[1].names, *changes.names]
    rows = {name: row for row, name in enumerate(swept)}
    readers = tuple((at, _reader(feature)) for at, feature in enumerate(catalog.features) if feature.name not in rows)
    places = np.array([rows.get(name, 0) for name in catalog.names], np.int64)
    at = {name: place for place, name in enumerate(catalog.names)}
    texts = tuple((at[name], known) for plan in plans for name, known in plan.texts.items())
    changed = tuple((at[name], attribute) for name, attribute in changes.texts.items())
    own, others = LiveSweep(plans[0]), LiveSweep(plans[1]) if plans[1].names else None
    asked = changes if changes.names else None
    return LiveFeatures(catalog, own, others, asked, readers, texts, changed, places)


def _reader(feature: Feature) -> Callable[[LeadFacts], Value]:
    """Return how a feature is read from the newest version of a lead."""
    reduce, missing = feature.reduce, feature.missing
    if not isinstance(reduce, AttributeValue):
        return lambda lead: missing if lead.created_at is None else (lead.as_of - lead.created_at) / DAY_US
    name = reduce.name
    if reduce.type is AttributeType.CATEGORY:
        return lambda lead: text_of(lead.attributes.get(name))
    return lambda lead: missing if (number := number_of(lead.attributes.get(name))) is None else number
