"""
The training set: every row with its block, label, weight and features.

One table serves all that follows. Snapshots, which sample the population, stand in the blocks ``train``, ``purged`` and
``test``: fitting and calibration read the first, evaluation reads the last. Listings (``listed``) follow leads through
the test weeks from morning to morning: the replay and the list test read them. Grades and threshold are cut from the
last weeks (``recent``), in which leads stand just after each news, as a service scores them, and need no outcome.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from data.instants import DAY_US
from data.words.playbook import Business
from features.attribute_features import attribute_feature
from features.catalog import Catalog
from features.feature import Feature
from models.scorecard import Scorecard
from training.dataset.groups import LargestGroup
from training.dataset.split import Plan

SEED = 20_260_101
RECENT_DAYS = 28
"""Grades and threshold are cut from the last four weeks."""

LISTED, RECENT = "listed", "recent"
RULES, SEGMENT = "rules.", "segment."


@dataclass(frozen=True, eq=False)
class Dataset:
    """
    A training set.

    Attributes:
        rows: one per snapshot or listing, sorted by ``lead_id`` and ``as_of``: ``group``, ``block``, ``weight`` (how
            many of the population it stands for), ``whole_list`` (whether everybody open is listed at that instant),
            ``label`` (NaN where it is too early to know), ``goal_at`` (when the lead reached the goal [us since 1970
            UTC], NaN where it never did), ``amount`` (what that was worth, NaN where it is not recorded),
            ``closed_at`` (when the lead, which may have been closed and opened again before, was next no longer open,
            by the goal or otherwise, NaN where it still is), the catalog's features, those of
            `features.age_and_silence`, the scorecard's under ``rules.``, and the playbook's segments under
            ``segment.``.
        catalog: the features derived for the model.
        scorecard: the playbook's point rules, not calibrated.
        manifest: counts, maturity, plan and hashes; JSON.
    """

    rows: pd.DataFrame
    catalog: Catalog
    scorecard: Scorecard
    manifest: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """The hash of the rows: equal rows have equal hashes, wherever they were built."""
        return str(self.manifest["rows_sha256"])

    @property
    def base_rate(self) -> float:
        """The share that reached the goal, of all mature rows of the training period."""
        return float(self.manifest["base_rate"])

    @property
    def largest_group(self) -> LargestGroup:
        """The group with the most rows."""
        return LargestGroup(**self.manifest["largest_group"])

    @property
    def horizon_us(self) -> int:
        """The goal's horizon in microseconds."""
        return round(float(self.manifest["goal"]["horizon_days"]) * DAY_US)

    @property
    def plan(self) -> Plan:
        """The period of each block."""
        return Plan.from_json(self.manifest["plan"])

    @property
    def knows_amounts(self) -> bool:
        """Whether any lead that reached the goal has an amount."""
        return bool(self.rows["amount"].notna().any())

    def block(self, *names: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of one or more blocks; with ``columns``, only those columns, which copies less."""
        rows = self.rows if columns is None else self.rows[list(columns)]
        return rows[self.rows["block"].isin(names)]

    @cached_property
    def recent(self) -> pd.DataFrame:
        """The rows of the last weeks: each lead just after each news of it, and everybody open at either end."""
        return self.block(RECENT)

    @cached_property
    def listed(self) -> pd.DataFrame:
        """The listings of the test weeks."""
        return self.block(LISTED)

    @property
    def columns(self) -> dict[str, Feature]:
        """Column name → the feature that it holds: those of the model, then those of the rules."""
        own = {feature.name: feature for feature in self.catalog.features}
        return own | {RULES + feature.name: feature for feature in self.scorecard.catalog.features}

    def rules_frame(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the scorecard's features of some rows, under the names the scorecard knows."""
        names = [RULES + name for name in self.scorecard.catalog.names]
        return rows[names].rename(columns=lambda name: name.removeprefix(RULES))


def segment_features(business: Business) -> tuple[Feature, ...]:
    """Return the attributes by which the playbook segments its numbers, as features."""
    return tuple(attribute_feature(name, business.attributes[name]) for name in business.segments)
