"""The rows that a challenger was tested on, scored by the challenger, the champion and the point rules."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from data.home import Home
from data.importing.warehouse import Warehouse, import_history
from data.progress import Progress, silent
from data.table_caches import TRAINING_SETS
from data.words.playbook import Playbook
from data.words.point_rules import ScorecardRules
from data.workspace import Workspace
from features.catalog import Catalog
from features.errors import FeatureError
from models.bundle import load_bundle
from models.champion import bundle_folder, judged_folder
from models.conversion import ConversionModel
from models.errors import ModelError
from models.scorecard import Scorecard, compile_scorecard
from training.dataset.dataset import RULES, SEED, Dataset
from training.dataset.dataset_builder import build_dataset
from training.dataset.feature_values import values_of
from training.dataset.storage import MANIFEST, is_made_for, load_dataset
from training.errors import HistoryError, PromotionRefusedError
from training.fitting.scorecard_fit import calibrated_rules
from training.registry.promotion_gate import GateCandidate
from training.registry.registered_version import RegisteredVersion


def load_version(registered: RegisteredVersion, home: Home, name: str) -> ConversionModel:
    """
    Load the bundle of a registered version.

    Raises:
        PromotionRefusedError: the bundle is missing or not what was registered.
    """
    folder = bundle_folder(home.models(name), registered.run_id)
    try:
        return load_bundle(folder, version=registered.version, fingerprint=registered.fingerprint)
    except ModelError as error:
        message = f"Version {registered.version} cannot serve: {error}"
        raise PromotionRefusedError(message) from None


def load_judged(serving: ConversionModel, models: Path, run_id: str) -> ConversionModel:
    """
    Load the model by which a version is judged: its recipe, fitted to the weeks before its test.

    Args:
        serving: the version's model that serves, or would; it knows the weeks of the test too.
        models: the folder of the bundles.
        run_id: of the training.

    Returns:
        The model; ``serving`` itself where an earlier release trained it, which fitted it before its test.

    Raises:
        PromotionRefusedError: the model is missing, or not what was saved.
    """
    expected = serving.facts.get("judged")
    if expected is None:
        return serving
    try:
        return load_bundle(judged_folder(models, run_id), version=serving.version, fingerprint=str(expected))
    except ModelError as error:
        message = (
            f"Version {serving.version} cannot be judged, as the model fitted without its test weeks cannot be loaded: "
            f"{error} Train again, or promote with --force --reason."
        )
        raise PromotionRefusedError(message) from None


@dataclass(frozen=True, eq=False)
class ChallengerEvaluation:
    """
    The test rows of a challenger's training set, and the scorers that score them.

    Attributes:
        dataset: the training set of the challenger.
        workspace: the playbook with its point rules, and where the history is kept.
        progress: receives the steps.
    """

    dataset: Dataset
    workspace: Workspace
    progress: Progress

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The test rows."""
        return self.dataset.block("test")

    def model(self, model: ConversionModel, name: str) -> GateCandidate:
        """
        Score the rows by a model, with the features that it needs.

        Raises:
            PromotionRefusedError: the history does not hold them.
        """
        try:
            values = self._values(model.catalog, self.rows)
        except FeatureError as error:
            message = (
                f"{name.capitalize()} cannot be evaluated on this history, so nothing can be compared with it: {error} "
                "Bring the history it was trained on, or promote with --force --reason."
            )
            raise PromotionRefusedError(message) from None
        return GateCandidate(name, model.id.fingerprint, model.score_many(values).probabilities)

    def rules(self) -> tuple[GateCandidate, ...]:
        """Score the rows by the playbook's point rules, and by those beside them."""
        playbook = self.workspace.playbook
        return tuple(self._scored(rules) for rules in (playbook.scorecard, *playbook.rivals))

    def _scored(self, rules: ScorecardRules) -> GateCandidate:
        """Calibrate point rules as training does, and score the rows by them."""
        playbook = self.workspace.playbook
        try:
            card = calibrated_rules(rules, self.dataset, playbook=playbook)
        except LookupError:
            card = calibrated_rules(rules, self.dataset, playbook=playbook, warehouse=self._history)
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
        return import_history(self.workspace, progress=self.progress)


def prepare_evaluation(
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
        facts: the description of its data in its bundle.
        workspace: the playbook, and where tables and models are kept.
        version: to name it.
        progress: receives the steps.
        seed: as in training.

    Raises:
        HistoryError: its training set is gone, and history or playbook are no longer those it was made of.
    """
    wanted = str(facts.get("data", {}).get("rows_sha256", ""))
    dataset = _saved(
        workspace.home.tables(workspace.playbook.business.name) / TRAINING_SETS, workspace.playbook, wanted
    )
    if dataset is None:
        warehouse = import_history(workspace, progress=progress)
        dataset, _ = build_dataset(warehouse, workspace, progress=progress, seed=seed)
    if dataset.sha256 != wanted:
        message = (
            f"Version {version} was trained on another history or playbook than there is now, and its training set is "
            "gone, so it cannot be evaluated on the leads it was tested on: run leadscore train, then promote."
        )
        raise HistoryError(message)
    return ChallengerEvaluation(dataset, workspace, progress)


def _saved(place: Path, playbook: Playbook, wanted: str) -> Dataset | None:
    """Load the saved training set of these rows; later ones of a longer history may stand beside it."""
    for manifest in sorted(place.glob(f"*/{MANIFEST}")):
        if (
            _names(manifest, wanted)
            and (saved := load_dataset(manifest.parent)) is not None
            and is_made_for(saved.manifest, playbook.company)
        ):
            rows, catalog, content = saved
            return Dataset(rows, catalog, _columns_of(rows, playbook), content)
    return None


def _names(manifest: Path, wanted: str) -> bool:
    try:
        return bool(json.loads(manifest.read_text(encoding="utf-8")).get("rows_sha256") == wanted)
    except (OSError, ValueError, AttributeError):
        return False


def _columns_of(rows: pd.DataFrame, playbook: Playbook) -> Scorecard:
    """Compile the point rules; without features where they have changed since and the columns are not theirs."""
    card = compile_scorecard(playbook.scorecard, playbook.business)
    columns = {name for name in rows.columns if name.startswith(RULES)}
    if columns == {RULES + name for name in card.catalog.names}:
        return card
    return replace(card, catalog=Catalog((), card.catalog.never_use))
