"""
Promotion: which version serves.

The first model may serve if its bundle loads and, having learnt from fewer than 500 leads that reached the goal, if it
was better than the point rules on its test rows. After that a challenger must not be worse than the champion: both are
judged on the challenger's test rows, and more than 0.5 % of log loss is worse. These are point estimates. The champion
may have learnt from earlier snapshots of the same accounts, which favours it a little: in doubt, the model that serves
stays.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from data.home import Home
from data.warehouse import Warehouse
from features.history import described
from models.bundle import load_bundle
from models.champion import Champion, bundle_folder, point_to
from models.conversion import ConversionModel
from models.errors import ModelError
from training.dataset import Dataset
from training.errors import PromotionRefusedError
from training.evaluation import Judged, losses
from training.fitting import MODERATE_POSITIVES
from training.results import Promoted
from training.tracking import Patience, Registered, Registry

WORSE_BY = 0.005
"""Of the champion's log loss; what a challenger may be worse at most."""


def load_version(found: Registered, home: Home, name: str) -> ConversionModel:
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


def demand_better_than_rules(metrics: Mapping[str, float], *, version: str) -> str:
    """
    Refuse a first model that learnt from few successes and did no better than the rules; else say how they compare.

    Args:
        metrics: what its training wrote: ``leads_reached_goal``, and both log losses on the same test rows.
        version: to name it.

    Raises:
        PromotionRefusedError: the rules were as good, or the training did not say.

    >>> one = {"leads_reached_goal": 90.0, "test_log_loss": 0.30, "rules_test_log_loss": 0.31}
    >>> demand_better_than_rules(one, version="1")
    'It is the first to serve: its log loss is 0.3000, that of the point rules 0.3100 on the same rows.'
    """
    try:
        learnt, ours, rules = (metrics[name] for name in ("leads_reached_goal", "test_log_loss", "rules_test_log_loss"))
    except KeyError as missing:
        message = (
            f"Version {version} may not serve: its training wrote no {missing.args[0]}, by which it is compared with "
            "the point rules. Train again, or promote with --force."
        )
        raise PromotionRefusedError(message) from None
    said = f"its log loss is {ours:.4f}, that of the point rules {rules:.4f} on the same rows"
    if learnt < MODERATE_POSITIVES and not ours < rules:
        message = (
            f"Version {version} may not serve: {said}, and a first model that learnt from {learnt:,.0f} leads that "
            f"reached the goal, fewer than {MODERATE_POSITIVES}, must do better. Train again with more history, or "
            "promote with --force."
        )
        raise PromotionRefusedError(message)
    return f"It is the first to serve: {said}."


def demand_not_worse(challenger: float, champion: float, *, versions: tuple[str, str]) -> str:
    """
    Refuse a challenger whose log loss is more than 0.5 % above the champion's; else say how they compare.

    Args:
        challenger: log loss on the test rows.
        champion: log loss on the same rows.
        versions: of both, to name them.

    >>> demand_not_worse(0.3000, 0.3100, versions=("2", "1"))
    'Its log loss is 0.3000, that of version 1 is 0.3100 on the same rows.'
    """
    said = f"log loss is {challenger:.4f}, that of version {versions[1]} is {champion:.4f} on the same rows"
    if challenger > champion * (1 + WORSE_BY):
        message = (
            f"Version {versions[0]} may not serve: its {said}, and at most {WORSE_BY:.1%} worse is allowed. "
            "Train again with more history, or promote with --force."
        )
        raise PromotionRefusedError(message)
    return f"Its {said}."


def log_loss_on(model: ConversionModel, dataset: Dataset, warehouse: Warehouse) -> float:
    """Judge any model on a training set's test rows, with the features that this model wants."""
    test = dataset.block("test")
    held = set(model.catalog.features) <= set(dataset.catalog.features)
    same = held and model.catalog.never_use == dataset.catalog.never_use
    rows = test if same else described(warehouse, test, model.catalog)
    judged = Judged.of(test)
    each = losses(model.score_many(rows).probabilities, judged.label)
    return float((each * judged.weight).sum() / judged.weight.sum())


def crown(found: Registered, model: ConversionModel, registry: Registry, *, models: Path, says: str) -> Promoted:
    """Make a version the champion, in the registry and for serving."""
    before = registry.champion()
    bundle = bundle_folder(models, found.run_id)
    with registry.told(), Patience() as patience:
        patience.begin()
        registry.crown(found.version)
        point_to(models, Champion(found.version, model.id.fingerprint, os.path.relpath(bundle, models)))
    return Promoted(found.version, model.id.fingerprint, bundle, None if before is None else before.version, says)
