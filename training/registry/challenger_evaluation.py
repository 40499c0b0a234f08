"""The contest: challenger, champion and point rules score the same rows, those that the challenger was tested on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from data.home import Home
from data.playbook import Playbook
from data.point_rules import ScorecardRules
from data.progress import Progress, silent
from data.warehouse import Warehouse, import_history
from data.workspace import Workspace
from features.catalog import Catalog
from features.errors import FeatureError
from models.bundle import load_bundle
from models.champion import bundle_folder
from models.conversion import ConversionModel
from models.errors import ModelError
from models.scorecard import Scorecard, compile_scorecard
from training.dataset.assembly import build_dataset
from training.dataset.dataset import RULES, SEED, Dataset
from training.dataset.feature_values import values_of
from training.dataset.storage import MANIFEST, load_dataset
from training.errors import HistoryError, PromotionRefusedError
from training.fitting.scorecard_fit import calibrated_rules
from training.registry.mlflow_registry import RegisteredVersion
from training.registry.promotion_gate import GateCandidate


def load_version(found: RegisteredVersion, home: Home, name: str) -> ConversionModel:
    """
    Load the bundle of a registered version.

    Raises:
        PromotionRefusedError: the bundle is missing or not what was registered.
    """
    folder = bundle_folder(home.models(name), found.run_id)
    try:
        return load_bundle(folder, version=found.version, fingerprint=found.fingerprint)
    except ModelError as error:
        message = f"Version {found.version} cannot serve: {error}"
        raise PromotionRefusedError(message) from None


@dataclass(frozen=True, eq=False)
class ChallengerEvaluation:
    """
    Rows to be judged on, and whoever scores them.

    Attributes:
        dataset: the training set of the challenger.
        folder: the playbook with its point rules.
        home: where the history is kept.
        progress: hears how far it has come.
    """

    dataset: Dataset
    playbook: Playbook
    home: Home
    progress: Progress

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Give the test rows."""
        return self.dataset.block("test")

    def model(self, model: ConversionModel, name: str) -> GateCandidate:
        """
        Let a model score the rows, with the features that it wants.

        Raises:
            PromotionRefusedError: the history does not hold them.
        """
        try:
            values = self._values(model.catalog, self.rows)
        except FeatureError as error:
            message = (
                f"{name.capitalize()} cannot be judged on this history, so nobody can be compared with it: {error} "
                "Bring the history it was trained on, or promote with --force --reason."
            )
            raise PromotionRefusedError(message) from None
        return GateCandidate(name, model.id.fingerprint, model.score_many(values).probabilities)

    def rules(self) -> tuple[GateCandidate, ...]:
        """Let the playbook's point rules, and those beside them, score the rows."""
        return tuple(self._scored(rules) for rules in (self.playbook.scorecard, *self.playbook.rivals))

    def _scored(self, rules: ScorecardRules) -> GateCandidate:
        """Give point rules a probability, as training does."""
        try:
            card = calibrated_rules(rules, self.dataset, playbook=self.playbook)
        except LookupError:
            card = calibrated_rules(rules, self.dataset, playbook=self.playbook, warehouse=self._history)
        chances = card.score_many(self._values(card.catalog, self.rows)).probabilities
        return GateCandidate(f"the point rules ({rules.name})", card.id.fingerprint, chances)

    def _values(self, catalog: Catalog, rows: pd.DataFrame) -> pd.DataFrame:
        """Take features from the training set's columns; read the history only where something is left to compute."""
        try:
            return values_of(catalog, rows, dataset=self.dataset)
        except LookupError:
            return values_of(catalog, rows, dataset=self.dataset, warehouse=self._history)

    @cached_property
    def _history(self) -> Warehouse:
        return import_history(Workspace(self.playbook, self.home), progress=self.progress)


def open_contest(
    facts: Mapping[str, Any],
    workspace: Workspace,
    *,
    version: str,
    progress: Progress = silent,
    seed: int = SEED,
) -> ChallengerEvaluation:
    """
    Find the rows that a challenger was tested on.

    Args:
        facts: what its bundle says of its data.
        workspace: the playbook, and where tables and models are kept.
        version: to name it.
        progress: hears how far it has come.
        seed: as in training.

    Raises:
        HistoryError: its training set is gone, and history or playbook are no longer those it was made of.
    """
    wanted = str(facts.get("data", {}).get("rows_sha256", ""))
    dataset = _kept(workspace.home.tables(workspace.playbook.business.name) / "training", workspace.playbook, wanted)
    if dataset is None:
        warehouse = import_history(workspace, progress=progress)
        dataset, _ = build_dataset(warehouse, workspace, progress=progress, seed=seed)
    if dataset.sha256 != wanted:
        message = (
            f"Version {version} was trained on another history or playbook than there is now, and its training set is "
            "gone, so it cannot be judged on the leads it was tested on: run leadscore train, then promote."
        )
        raise HistoryError(message)
    return ChallengerEvaluation(dataset, workspace.playbook, workspace.home, progress)


def _kept(place: Path, playbook: Playbook, wanted: str) -> Dataset | None:
    """Give the kept training set of these rows; later ones of a longer history may stand beside it."""
    for manifest in sorted(place.glob(f"*/{MANIFEST}")):
        if _names(manifest, wanted) and (kept := load_dataset(manifest.parent)) is not None:
            rows, catalog, said = kept
            return Dataset(rows, catalog, _columns_of(rows, playbook), said)
    return None


def _names(manifest: Path, wanted: str) -> bool:
    try:
        return bool(json.loads(manifest.read_text(encoding="utf-8")).get("rows_sha256") == wanted)
    except (OSError, ValueError, AttributeError):
        return False


def _columns_of(rows: pd.DataFrame, playbook: Playbook) -> Scorecard:
    """Give the point rules; without features where the rules have changed since and the columns are not theirs."""
    card = compile_scorecard(playbook.scorecard, playbook.business)
    held = {name for name in rows.columns if name.startswith(RULES)}
    if held == {RULES + name for name in card.catalog.names}:
        return card
    return replace(card, catalog=Catalog((), card.catalog.never_use))
